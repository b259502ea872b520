package org.safesynth.schema;

import java.util.regex.Pattern;

/** How a value that does not fit is shown to the operator. */
final class Shown {
  private static final Pattern NUMBER = Pattern.compile("[+-]?[0-9]+([.,][0-9]+)*");
  private static final Pattern DATE =
      Pattern.compile("[0-9]{1,4}([-/. ])[0-9]{1,2}\\1[0-9]{1,4}([ T].*)?");
  private static final Pattern TIME = Pattern.compile("[0-9]{1,2}:[0-9]{1,2}.*");

  private Shown() {}

  /**
   * What a text looks like, and itself.
   *
   * @param isHidden its length instead, where texts may be personal
   */
  static String of(String text, boolean isHidden) {
    String like =
        DATE.matcher(text).matches()
            ? "a date"
            : NUMBER.matcher(text).matches()
                ? "a number"
                : TIME.matcher(text).matches() ? "a time" : "a text";
    return isHidden
        ? "%s of %d characters".formatted(like, text.codePointCount(0, text.length()))
        : "%s: \"%s\"".formatted(like, text);
  }
}
