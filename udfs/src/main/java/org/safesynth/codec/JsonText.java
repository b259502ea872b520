package org.safesynth.codec;

import java.util.List;

/**
 * Writes JSON as Python's pandas does, compact and with characters beyond ASCII as they are, except
 * that {@code /} is not escaped.
 *
 * <p>A text of the table that spells a special token, such as {@code </s>}, would become that token
 * and end the record: its first character is escaped, which reads back as the same text.
 */
final class JsonText {
  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private final StringBuilder out = new StringBuilder();
  private final List<String> specials;

  /**
   * @param specials texts that the tokenizer takes for special tokens
   */
  JsonText(List<String> specials) {
    this.specials = specials;
  }

  JsonText raw(String text) {
    out.append(text);
    return this;
  }

  JsonText string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ' || isLoneSurrogate(text, i) || beginsSpecial(text, i)) {
            escape(c);
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
    return this;
  }

  private static boolean isLoneSurrogate(String text, int at) {
    char c = text.charAt(at);
    if (Character.isHighSurrogate(c)) {
      return at + 1 == text.length() || !Character.isLowSurrogate(text.charAt(at + 1));
    }
    return Character.isLowSurrogate(c)
        && (at == 0 || !Character.isHighSurrogate(text.charAt(at - 1)));
  }

  private boolean beginsSpecial(String text, int at) {
    for (String special : specials) {
      if (text.startsWith(special, at)) {
        return true;
      }
    }
    return false;
  }

  private void escape(char c) {
    out.append("\\u");
    for (int shift = 12; shift >= 0; shift -= 4) {
      out.append(HEX[c >> shift & 15]);
    }
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
