package org.safesynth.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import org.safesynth.fault.BadInputException;

/**
 * A Hugging Face tokenizer: text to ids and back, exactly as its {@code tokenizer.json} says. May
 * be used by several threads.
 */
public final class TextTokenizer {
  private static final Cleaner CLEANER = Cleaner.create();

  private final TokenizersLibrary library = TokenizerNatives.library();
  private final long handle;

  private TextTokenizer(long handle) {
    this.handle = handle;
    TokenizersLibrary freeing = library;
    CLEANER.register(this, () -> freeing.deleteTokenizer(handle));
  }

  /**
   * A tokenizer.
   *
   * @param json the content of {@code tokenizer.json}
   * @param source its path, for the error
   */
  public static TextTokenizer of(byte[] json, String source) {
    TokenizersLibrary library = TokenizerNatives.library();
    try {
      long handle = library.createTokenizerFromString(new String(json, StandardCharsets.UTF_8));
      library.disablePadding(handle);
      library.disableTruncation(handle);
      return new TextTokenizer(handle);
    } catch (RuntimeException e) {
      throw new BadInputException(
          "%s is no Hugging Face tokenizer: %s"
              .formatted(source, String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e);
    }
  }

  /**
   * The ids of a text, without what the tokenizer would put around it. Text that spells a special
   * token becomes that token.
   */
  public int[] encode(String text) {
    return encode(text, false);
  }

  /** The ids of a text, with the special tokens that the tokenizer puts around it. */
  public int[] encodeWithSpecialTokens(String text) {
    return encode(text, true);
  }

  private int[] encode(String text, boolean addsSpecial) {
    long encoding = library.encode(handle, text, addsSpecial);
    try {
      long[] ids = library.getTokenIds(encoding);
      int[] tokens = new int[ids.length];
      for (int i = 0; i < ids.length; i++) {
        tokens[i] = (int) ids[i];
      }
      return tokens;
    } finally {
      library.deleteEncoding(encoding);
    }
  }

  /**
   * The text of ids; bytes that are no UTF-8 become U+FFFD.
   *
   * @param skipsSpecial whether special tokens are left out
   */
  public String decode(int[] ids, boolean skipsSpecial) {
    long[] wide = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      wide[i] = ids[i];
    }
    return library.decode(handle, wide, skipsSpecial);
  }
}
