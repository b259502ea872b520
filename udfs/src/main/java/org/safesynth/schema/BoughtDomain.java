package org.safesynth.schema;

import java.util.List;

/**
 * Makes a column's kind and domain from noisy counts alone. Every rule here is a function of
 * results that were paid for and of public constants, so none costs any privacy.
 */
public final class BoughtDomain {
  private static final double NEARLY_ALL = 0.99;
  private static final double HALF = 0.5;
  private static final int FAR_FROM_ZERO = 16;

  private BoughtDomain() {}

  /**
   * A column whose kind is known, but perhaps not its domain.
   *
   * @param column without range or values
   * @param length of its texts, in characters: nearly all are at most so long
   * @param present about how many cells are not missing
   */
  public record Known(ColumnSchema column, int length, double present) {}

  /**
   * Chooses a kind.
   *
   * @param column as it is known by its type and declaration
   * @param hasKind whether its kind is known
   * @param counts (forms) noisy counts of {@link ValueForm}
   * @param records number of records, public or noisy
   * @param slack what noise alone does not exceed
   */
  public static Known kind(
      ColumnSchema column, boolean hasKind, double[] counts, double records, double slack) {
    double present = Math.max(1, records - Math.max(0, counts[ValueForm.MISSING]));
    boolean missing = column.missing() && counts[ValueForm.MISSING] > slack;
    ColumnSchema known = column.withMissing(missing);
    int length = length(counts);
    if (!hasKind) {
      known = byForm(known, counts, NEARLY_ALL * present, slack);
    } else if (column.kind() == ColumnKind.DECIMAL && !column.type().startsWith("decimal")) {
      known = number(known, column.type(), Math.max(column.scale(), scale(counts, slack)));
    } else if (column.kind() == ColumnKind.TEXT || column.kind() == ColumnKind.IDENTIFIER) {
      known = known.withMaxLength(column.maxLength() > 0 ? column.maxLength() : length);
    }
    return new Known(known, length, present);
  }

  /** What noise alone does not exceed in so many counts together, and in that of the missing. */
  private static double slackOf(int counts, double slack) {
    return slack * Math.sqrt(counts + 1.0);
  }

  /**
   * @param nearlyAll of the cells that are not missing, by the noisy count of those that are
   */
  private static ColumnSchema byForm(
      ColumnSchema column, double[] counts, double nearlyAll, double slack) {
    double decimals = 0;
    for (int d = 0; d < ValueForm.MOST_DECIMALS; d++) {
      decimals += counts[ValueForm.DECIMALS + d];
    }
    double enough = nearlyAll - slackOf(1, slack);
    if (counts[ValueForm.WHOLE] + decimals
        >= nearlyAll - slackOf(1 + ValueForm.MOST_DECIMALS, slack)) {
      int scale = scale(counts, slack);
      return scale > 0
          ? number(column, "decimal(18," + scale + ")", scale)
          : of(column, "bigint", ColumnKind.INTEGER, 0, 0);
    }
    if (counts[ValueForm.TRUTH] >= enough) {
      return of(column, "boolean", ColumnKind.BOOLEAN, 0, 0);
    }
    if (counts[ValueForm.DAY] >= enough) {
      return of(column, "date", ColumnKind.DATE, 0, 0);
    }
    if (counts[ValueForm.INSTANT] >= enough) {
      return of(column, "timestamp_ntz", ColumnKind.TIMESTAMP, 0, 1_000_000L);
    }
    return of(column, "string", ColumnKind.CATEGORICAL, 0, 0);
  }

  private static ColumnSchema number(ColumnSchema column, String type, int scale) {
    return of(column, type, ColumnKind.DECIMAL, scale, 0);
  }

  private static ColumnSchema of(
      ColumnSchema column, String type, ColumnKind kind, int scale, long resolution) {
    return new ColumnSchema(
        column.name(),
        type,
        kind,
        column.missing(),
        scale,
        resolution,
        column.format(),
        column.min(),
        column.max(),
        column.values(),
        column.maxLength(),
        column.missingTokens());
  }

  /** The most decimals that more cells have than noise alone shows. */
  private static int scale(double[] counts, double slack) {
    for (int d = ValueForm.MOST_DECIMALS; d > 0; d--) {
      if (counts[ValueForm.DECIMALS + d - 1] > slack) {
        return d;
      }
    }
    return 0;
  }

  private static int length(double[] counts) {
    double all = 0;
    for (int c = ValueForm.TEXT; c < ValueForm.COUNT; c++) {
      all += Math.max(0, counts[c]);
    }
    double seen = 0;
    for (int c = ValueForm.TEXT; c < ValueForm.COUNT; c++) {
      seen += Math.max(0, counts[c]);
      if (seen >= NEARLY_ALL * all) {
        return c - ValueForm.TEXT + 1;
      }
    }
    return ValueForm.LONGEST;
  }

  /**
   * Adds the range: from the first to the last cell that stands out. What lies outside is clamped.
   * A range that would begin far nearer to zero than it ends begins with zero.
   *
   * @param counts (cells) noisy counts of {@link MagnitudeGrid}
   * @param slack what noise alone does not exceed
   */
  public static ColumnSchema range(ColumnSchema column, double[] counts, double slack) {
    int first = 0;
    while (first < counts.length && counts[first] <= slack) {
      first++;
    }
    if (first == counts.length) {
      return column.withDomain(orElse(column.min(), 0), orElse(column.max(), 0), null);
    }
    int last = counts.length - 1;
    while (counts[last] <= slack) {
      last--;
    }
    long low = MagnitudeGrid.low(first);
    long high = MagnitudeGrid.high(last);
    if (low > 0 && low < high / FAR_FROM_ZERO) {
      low = 0;
    }
    if (high < 0 && high > low / FAR_FROM_ZERO) {
      high = 0;
    }
    long from = orElse(column.min(), low);
    long to = orElse(column.max(), high);
    return column.withDomain(Math.min(from, to), Math.max(from, to), null);
  }

  private static long orElse(Long declared, long found) {
    return declared == null ? found : declared;
  }

  /**
   * Adds the values; where they are less than half of what the column holds it is free text.
   *
   * @param values selected from the data, each with its noisy count
   */
  public static ColumnSchema values(Known known, List<String> values, double[] counts) {
    double covered = 0;
    for (double count : counts) {
      covered += count;
    }
    ColumnSchema column = known.column();
    if (values.isEmpty() || covered < HALF * known.present()) {
      return column.withKind(ColumnKind.TEXT).withMaxLength(Math.max(1, known.length()));
    }
    return column.withDomain(null, null, values);
  }
}
