package org.safesynth.tokenizer;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import org.safesynth.fault.RunFailedException;

/**
 * Loads the native tokenizer library once in a JVM, from the jar and never from the network.
 *
 * <p>The library's own Java class would also report its use to a host outside; what is called here
 * is the layer below, which does not.
 */
final class TokenizerNatives {
  private static final String CACHE = "ENGINE_CACHE_DIR";

  private TokenizerNatives() {}

  private static final class Holder {
    private static final TokenizersLibrary LIBRARY = load();

    private static TokenizersLibrary load() {
      setUnlessSet("ai.djl.offline", "true");
      setUnlessSet("OPT_OUT_TRACKING", "true");
      Path home = Paths.get(System.getProperty("user.home"));
      if (System.getenv(CACHE) == null
          && System.getenv("DJL_CACHE_DIR") == null
          && !Files.isWritable(home)) {
        // Executors often run as a user without a home; the natives are unpacked elsewhere then.
        setUnlessSet(CACHE, Paths.get(System.getProperty("java.io.tmpdir"), "djl").toString());
      }
      LibUtils.checkStatus();
      return TokenizersLibrary.LIB;
    }

    private static void setUnlessSet(String property, String value) {
      if (System.getProperty(property) == null) {
        System.setProperty(property, value);
      }
    }
  }

  static TokenizersLibrary library() {
    try {
      return Holder.LIBRARY;
    } catch (LinkageError | RuntimeException e) {
      throw new RunFailedException(
          "the native tokenizer library does not load on %s %s: %s"
              .formatted(
                  System.getProperty("os.name"), System.getProperty("os.arch"), e.getMessage()),
          e);
    }
  }
}
