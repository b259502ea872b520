package org.safesynth.schema;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import scala.Tuple2;

/**
 * Says what keeps the texts of a column from being numbers, dates or times of one form, which have
 * an order: the form that most have, and the first one without it.
 */
public final class OrderForms implements Serializable {
  private static final int NUMBERS = 0;
  private static final int TIMES_OF_DAY = 1;
  private static final int DAYS = TIMES_OF_DAY + TimeOfDay.values().length;
  private static final int FORMATS = DateFormat.values().length;
  private static final int COUNT = DAYS + 2 * FORMATS; // days, and days with a time

  private final long[] fits = new long[COUNT];
  private final long[] firstOther = new long[COUNT]; // row
  private final String[] other = new String[COUNT];
  private long present;

  private transient NumberText number = new NumberText();
  private transient TimeText time = new TimeText();

  private OrderForms() {
    Arrays.fill(firstOther, Long.MAX_VALUE);
  }

  /**
   * In words.
   *
   * @param column the table's rows, with this one column
   * @param missing texts that stand for a missing value
   * @param isHidden whether values themselves are not shown
   */
  public static String fault(Dataset<Row> column, Set<String> missing, boolean isHidden) {
    Set<String> absent = Set.copyOf(missing);
    return column
        .toJavaRDD()
        .zipWithIndex()
        .mapPartitions(rows -> List.of(counted(rows, absent)).iterator())
        .reduce(OrderForms::merge)
        .words(isHidden);
  }

  private static OrderForms counted(Iterator<Tuple2<Row, Long>> rows, Set<String> missing) {
    OrderForms forms = new OrderForms();
    while (rows.hasNext()) {
      Tuple2<Row, Long> row = rows.next();
      Object cell = row._1().get(0);
      if (cell != null && !missing.contains(cell.toString())) {
        forms.add(row._2(), cell.toString());
      }
    }
    return forms;
  }

  private void add(long row, String text) {
    present++;
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    boolean isTime = time.parse(bytes);
    count(NUMBERS, row, text, number.parse(bytes));
    for (TimeOfDay way : TimeOfDay.values()) {
      count(TIMES_OF_DAY + way.ordinal(), row, text, way.parse(text) != null);
    }
    for (int bit = 0; bit < FORMATS; bit++) {
      boolean fitsFormat = isTime && DateFormat.at(bit).days(time) != null;
      count(DAYS + bit, row, text, fitsFormat && !time.hasTime);
      count(DAYS + FORMATS + bit, row, text, fitsFormat && time.hasTime && time.isoTime);
    }
  }

  private void count(int form, long row, String text, boolean isFit) {
    if (isFit) {
      fits[form]++;
    } else if (row < firstOther[form]) {
      firstOther[form] = row;
      other[form] = text;
    }
  }

  private OrderForms merge(OrderForms with) {
    present += with.present;
    for (int form = 0; form < COUNT; form++) {
      fits[form] += with.fits[form];
      if (with.firstOther[form] < firstOther[form]) {
        firstOther[form] = with.firstOther[form];
        other[form] = with.other[form];
      }
    }
    return this;
  }

  private String words(boolean isHidden) {
    int most = 0;
    for (int form = 1; form < COUNT; form++) {
      most = fits[form] > fits[most] ? form : most;
    }
    if (present == 0) {
      return "it has no values";
    }
    if (fits[most] == present) {
      return "its values are %s, but texts in the source".formatted(name(most));
    }
    String first = "row %,d, %s".formatted(firstOther[most] + 1, Shown.of(other[most], isHidden));
    return fits[most] == 0
        ? "none of its values is a number, date or time in digits (first: %s)".formatted(first)
        : "%,d of %,d values are no %s, as the others are (first: %s)"
            .formatted(present - fits[most], present, name(most), first);
  }

  private static String name(int form) {
    if (form == NUMBERS) {
      return "numbers";
    }
    if (form < DAYS) {
      return "times of the form " + TimeOfDay.values()[form - TIMES_OF_DAY].pattern();
    }
    boolean isDay = form < DAYS + FORMATS;
    String pattern = DateFormat.at((form - DAYS) % FORMATS).pattern();
    return (isDay ? "dates of the form " : "dates with times of the form ") + pattern;
  }
}
