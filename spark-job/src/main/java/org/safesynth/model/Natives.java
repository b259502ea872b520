package org.safesynth.model;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import java.util.Locale;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.RunFailedException;

/**
 * Loads libtorch once per JVM, with the process set up as its threads and its allocator need it.
 *
 * <p>OpenBLAS' pthreads fight libgomp's spinning threads (a fourfold slowdown was measured), so the
 * environment must say {@code OMP_WAIT_POLICY=PASSIVE} and {@code OPENBLAS_NUM_THREADS=1} before
 * either library loads: a JVM cannot set its own environment, hence setenv through JNA on Linux.
 * glibc's malloc returns large tensors to the system and faults them in again at every step, hence
 * mallopt. JavaCPP counts all memory of the process against a multiple of the heap unless told not
 * to.
 */
public final class Natives {
  private static final int M_TRIM_THRESHOLD = -1;
  private static final int M_MMAP_THRESHOLD = -3;
  private static final int ONE_GIBIBYTE = 1 << 30;
  private static final int LEAST_GLIBC_MINOR = 34;

  private static final String ALLOCATOR = "PYTORCH_ALLOC_CONF";

  private static final Pattern CUDA_LIBRARY =
      Pattern.compile("lib(cu[a-zA-Z]+|nccl|nvJitLink)\\.so");

  private static boolean loaded;

  private Natives() {}

  /** The C library's functions that are called before libtorch loads. */
  interface LibC extends Library {
    int setenv(String name, String value, int overwrite);

    int mallopt(int parameter, int value);

    String gnu_get_libc_version();
  }

  /**
   * Loads libtorch; later calls return at once.
   *
   * @throws RunFailedException on a platform without natives
   */
  public static synchronized void load() {
    if (loaded) {
      return;
    }
    String platform = checkPlatform(System.getProperty("os.name"), System.getProperty("os.arch"));
    System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
    if (platform.startsWith("linux")) {
      LibC c = Native.load("c", LibC.class);
      checkGlibc(c.gnu_get_libc_version());
      c.setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
      c.setenv("OPENBLAS_NUM_THREADS", "1", 0);
      c.mallopt(M_MMAP_THRESHOLD, ONE_GIBIBYTE);
      c.mallopt(M_TRIM_THRESHOLD, ONE_GIBIBYTE);
    }
    try {
      Loader.load(torch.class);
    } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
      throw new RunFailedException(sentence(platform, e), e);
    }
    torch.set_num_threads(1);
    loaded = true;
  }

  /**
   * Bounds what libtorch takes of a GPU's memory. It reads the bound when it first asks for some,
   * so only the first call before that counts; what the environment already says stays.
   */
  static synchronized void limitGpuMemory(double fraction) {
    boolean isSaid =
        System.getenv(ALLOCATOR) != null || System.getenv("PYTORCH_CUDA_ALLOC_CONF") != null;
    if (!isSaid && Platform.isLinux()) {
      Native.load("c", LibC.class).setenv(ALLOCATOR, "per_process_memory_fraction:" + fraction, 0);
    }
  }

  /** Why libtorch does not load; the deepest cause names the library that is missing. */
  static String sentence(String platform, Throwable fault) {
    Throwable deepest = fault;
    while (deepest.getCause() != null) {
      deepest = deepest.getCause();
    }
    String why = deepest.getMessage();
    if (why != null && CUDA_LIBRARY.matcher(why).find()) {
      return "this job jar has libtorch for a GPU, which needs the libraries of CUDA 13, cuDNN 9 and NCCL 2, and this host lacks some (%s); install them and name their folders in LD_LIBRARY_PATH (README, With a GPU), or use the jar for the CPU"
          .formatted(why);
    }
    return "libtorch for %s cannot be loaded (%s); use a job jar that was built on this platform and a file system that allows executables in the folder of -Dorg.bytedeco.javacpp.cachedir"
        .formatted(platform, why);
  }

  /** One thread inside an operation: parallel work is cut into workers, which scales better. */
  public static void useOneThread() {
    torch.set_num_threads(1);
  }

  static String checkPlatform(String osName, String osArch) {
    String os = osName.toLowerCase(Locale.ROOT);
    boolean x86 = osArch.equals("amd64") || osArch.equals("x86_64");
    boolean arm = osArch.equals("aarch64") || osArch.equals("arm64");
    if (os.startsWith("linux") && x86) {
      return "linux-x86_64";
    }
    if (os.startsWith("mac") && arm) {
      return "macosx-arm64";
    }
    if (os.startsWith("windows") && x86) {
      return "windows-x86_64";
    }
    throw new RunFailedException(
        "no libtorch for "
            + osName
            + " on "
            + osArch
            + "; use Linux or Windows on x86_64, or macOS on arm64");
  }

  static void checkGlibc(String version) {
    String[] parts = version.split("\\.", -1);
    int major = Integer.parseInt(parts[0]);
    int minor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
    if (major < 2 || (major == 2 && minor < LEAST_GLIBC_MINOR)) {
      throw new RunFailedException(
          "libtorch needs glibc 2.34 or later and this system has "
              + version
              + "; use Debian 12, Ubuntu 22.04, RHEL 9 or later");
    }
  }
}
