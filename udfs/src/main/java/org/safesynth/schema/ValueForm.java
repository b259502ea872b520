package org.safesynth.schema;

import java.nio.charset.StandardCharsets;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.Set;

/**
 * Sorts cells into a public list of forms: missing, whole number, number with so many decimals,
 * truth value, day, instant, text of such a length. Each cell has exactly one, so that a row adds
 * one to one cell of a column's histogram. Not for several threads.
 */
public final class ValueForm {
  /** A missing value. */
  public static final int MISSING = 0;

  /** A whole number that fits a long, without plus sign or leading zeros. */
  public static final int WHOLE = 1;

  /**
   * A number with one decimal; the next forms are those with more, up to {@link #MOST_DECIMALS}.
   */
  public static final int DECIMALS = 2;

  /** Numbers with more decimals count as if they had these. */
  public static final int MOST_DECIMALS = 9;

  /** True or false. */
  public static final int TRUTH = DECIMALS + MOST_DECIMALS;

  /** A day as ISO 8601 writes it. */
  public static final int DAY = TRUTH + 1;

  /** A day and time as ISO 8601 writes it, without a zone. */
  public static final int INSTANT = DAY + 1;

  /** A text of one character; the next forms are those of more, up to {@link #LONGEST}. */
  public static final int TEXT = INSTANT + 1;

  /** Longer texts count as if they had this length. */
  public static final int LONGEST = 64;

  /** Number of forms. */
  public static final int COUNT = TEXT + LONGEST;

  private final boolean readsText;
  private final Set<String> missing;
  private final NumberText number = new NumberText();
  private final TimeText time = new TimeText();

  /**
   * Forms of a column's cells.
   *
   * @param readsText whether numbers and dates are looked for in texts
   * @param missing texts that stand for a missing value
   */
  public ValueForm(boolean readsText, Set<String> missing) {
    this.readsText = readsText;
    this.missing = Set.copyOf(missing);
  }

  /** The form of a cell as Spark gives it; never fails. */
  public int of(Object cell) {
    if (cell == null
        || (cell instanceof Double d && !Double.isFinite(d))
        || (cell instanceof Float f && !Float.isFinite(f))) {
      return MISSING;
    }
    if (cell instanceof String text) {
      return missing.contains(text) ? MISSING : readsText ? ofText(text) : length(text);
    }
    if (cell instanceof Boolean) {
      return TRUTH;
    }
    if (cell instanceof LocalDate || cell instanceof Date) {
      return DAY;
    }
    if (cell instanceof Instant || cell instanceof Timestamp || cell instanceof LocalDateTime) {
      return INSTANT;
    }
    byte[] bytes = CellReader.numberText(cell).getBytes(StandardCharsets.UTF_8);
    return number.parse(bytes) ? ofNumber(number.decimals) : length(cell.toString());
  }

  private int ofText(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (number.parse(bytes) && number.canonical && !number.scientific && number.exact) {
      return ofNumber(number.whole ? 0 : Math.max(1, number.writtenDecimals));
    }
    if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
      return TRUTH;
    }
    if (time.parse(bytes) && DateFormat.ISO.days(time) != null) {
      if (!time.hasTime) {
        return DAY;
      }
      if (time.isoTime && time.zone == TimeText.NO_ZONE) {
        return INSTANT;
      }
    }
    return length(text);
  }

  private int ofNumber(int decimals) {
    if (decimals <= 0 && number.fitsLong()) {
      return WHOLE;
    }
    return DECIMALS - 1 + Math.max(1, Math.min(MOST_DECIMALS, decimals));
  }

  private static int length(String text) {
    int length = text.codePointCount(0, text.length());
    return TEXT - 1 + Math.max(1, Math.min(LONGEST, length));
  }
}
