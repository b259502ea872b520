package org.safesynth.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Looks into the jar that users submit. */
@Tag("unit")
final class JobJarIT {
  /** What the cluster brings: a second copy of it in the job's jar breaks the cluster's own. */
  private static final List<String> CLUSTERS_OWN =
      List.of(
          "org/apache/spark/",
          "org/apache/hadoop/",
          "org/apache/parquet/",
          "org/apache/logging/",
          "org/slf4j/",
          "com/amazonaws/",
          "software/amazon/",
          "com/fasterxml/jackson/",
          "com/google/",
          "scala/");

  /** One class or library of each part that the job brings. */
  private static final List<String> OURS =
      List.of(
          "org/safesynth/codec/RecordCodec.class",
          "org/bytedeco/javacpp/Loader.class",
          "org/bytedeco/pytorch/Tensor.class",
          // JavaCPP reads the versions of its libraries here and warns when it cannot.
          "META-INF/maven/org.bytedeco/pytorch/pom.properties",
          "org/bytedeco/openblas/global/openblas.class",
          "com/sun/jna/Native.class",
          "ai/djl/huggingface/tokenizers/jni/TokenizersLibrary.class",
          "native/lib/linux-x86_64/cpu/libtokenizers.so",
          "native/lib/osx-aarch64/cpu/libtokenizers.dylib",
          "native/lib/win-x86_64/cpu/tokenizers.dll",
          "org/snakeyaml/engine/v2/api/Load.class",
          "picocli/CommandLine.class");

  private static JarFile jar;
  private static List<String> names;

  @BeforeAll
  static void openJar() throws IOException {
    jar =
        new JarFile(
            ProjectFolder.resolve("spark-job/target/safe-synthesizer-job.jar").toFile(), false);
    names = jar.stream().map(ZipEntry::getName).toList();
  }

  @AfterAll
  static void closeJar() throws IOException {
    jar.close();
  }

  @Test
  void holdsNothingThatTheClusterBrings() {
    List<String> strangers =
        names.stream().filter(name -> CLUSTERS_OWN.stream().anyMatch(name::startsWith)).toList();
    assertEquals(List.of(), strangers);
  }

  @Test
  void holdsAllThatTheJobNeeds() {
    assertEquals(List.of(), OURS.stream().filter(name -> !names.contains(name)).toList());
    for (String library : List.of("pytorch", "openblas", "javacpp")) {
      assertTrue(
          names.stream()
              .anyMatch(
                  name ->
                      name.startsWith("org/bytedeco/" + library + "/")
                          && name.matches(".*\\.(so|dll|dylib)(\\.\\d+)*")),
          "no native library of " + library);
    }
  }

  @Test
  void holdsNoNameTwice() {
    Set<String> seen = new HashSet<>();
    Set<String> twice = new TreeSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        twice.add(name);
      }
    }
    assertEquals(Set.of(), twice);
  }

  @Test
  void holdsNoSignaturesAndNoModules() {
    List<String> strangers =
        names.stream()
            .filter(
                name ->
                    name.endsWith("module-info.class")
                        || name.matches("META-INF/[^/]*\\.(SF|DSA|RSA)"))
            .toList();
    assertEquals(List.of(), strangers);
  }

  @Test
  void startsTheJob() throws IOException {
    assertEquals(
        "org.safesynth.job.Main",
        jar.getManifest().getMainAttributes().getValue("Main-Class"),
        "Main-Class of the manifest");
  }
}
