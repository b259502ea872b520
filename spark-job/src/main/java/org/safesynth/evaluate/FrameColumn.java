package org.safesynth.evaluate;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** One column of a {@link Frame}: doubles, or codes of a sorted list of texts. */
public final class FrameColumn {
  private final String name;
  private final Storage storage;
  private final double[] numbers; // (rows), NaN when missing; null for texts
  private final int[] codes; // (rows), -1 when missing; null for numbers
  private final String[] dictionary; // distinct texts, ascending; null for numbers

  private FrameColumn(
      String name, Storage storage, double[] numbers, int[] codes, String[] dictionary) {
    this.name = name;
    this.storage = storage;
    this.numbers = numbers;
    this.codes = codes;
    this.dictionary = dictionary;
  }

  /** A column of numbers; NaN is missing, and so are infinities. */
  public static FrameColumn ofNumbers(String name, Storage storage, double[] numbers) {
    double[] finite = numbers.clone();
    for (int row = 0; row < finite.length; row++) {
      if (Double.isInfinite(finite[row])) {
        finite[row] = Double.NaN;
      }
    }
    return new FrameColumn(name, storage, finite, null, null);
  }

  /** A column of texts; null is missing. */
  public static FrameColumn ofTexts(String name, Storage storage, String[] texts) {
    Map<String, Integer> order = new TreeMap<>();
    for (String text : texts) {
      if (text != null) {
        order.put(text, 0);
      }
    }
    int next = 0;
    for (Map.Entry<String, Integer> entry : order.entrySet()) {
      entry.setValue(next++);
    }
    int[] codes = new int[texts.length];
    for (int row = 0; row < texts.length; row++) {
      codes[row] = texts[row] == null ? -1 : order.get(texts[row]);
    }
    return new FrameColumn(name, storage, null, codes, order.keySet().toArray(String[]::new));
  }

  public String name() {
    return name;
  }

  public Storage storage() {
    return storage;
  }

  public int rows() {
    return numbers == null ? codes.length : numbers.length;
  }

  public boolean isNumber() {
    return numbers != null;
  }

  public boolean isMissing(int row) {
    return numbers == null ? codes[row] < 0 : Double.isNaN(numbers[row]);
  }

  /** The value of a column of numbers, NaN when missing. */
  public double number(int row) {
    return numbers[row];
  }

  /** The value as text, null when missing: whole numbers without a fraction. */
  public String text(int row) {
    if (numbers == null) {
      return codes[row] < 0 ? null : dictionary[codes[row]];
    }
    return Double.isNaN(numbers[row]) ? null : NumberForm.text(numbers[row]);
  }

  /** The values that are there, ascending; only for numbers. */
  public double[] sortedNumbers() {
    double[] sorted = Arrays.stream(numbers).filter(x -> !Double.isNaN(x)).toArray();
    Arrays.sort(sorted);
    return sorted;
  }

  public int missing() {
    int missing = 0;
    for (int row = 0; row < rows(); row++) {
      missing += isMissing(row) ? 1 : 0;
    }
    return missing;
  }

  public int distinct() {
    if (numbers == null) {
      return dictionary.length;
    }
    double[] sorted = sortedNumbers();
    int distinct = 0;
    for (int i = 0; i < sorted.length; i++) {
      distinct += i == 0 || sorted[i] != sorted[i - 1] ? 1 : 0;
    }
    return distinct;
  }

  /** The column with the rows at the given places, in this order. */
  public FrameColumn rows(int[] places) {
    if (numbers != null) {
      double[] picked = new double[places.length];
      for (int i = 0; i < places.length; i++) {
        picked[i] = numbers[places[i]];
      }
      return new FrameColumn(name, storage, picked, null, null);
    }
    String[] picked = new String[places.length];
    for (int i = 0; i < places.length; i++) {
      picked[i] = text(places[i]);
    }
    return ofTexts(name, storage, picked);
  }
}
