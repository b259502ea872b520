package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The values of a column of two samples as codes of one list: texts in ascending order, and at the
 * end a missing value if there is one, whatever marks it.
 */
final class Categories {
  /** How a missing value is shown. */
  static final String MISSING = "(missing)";

  private final List<String> values;
  private final int[] real; // (rows)
  private final int[] synthetic; // (rows)

  private Categories(List<String> values, int[] real, int[] synthetic) {
    this.values = values;
    this.real = real;
    this.synthetic = synthetic;
  }

  static Categories of(FrameColumn real, FrameColumn synthetic) {
    boolean isWhole = real.storage() == Storage.INTEGER || synthetic.storage() == Storage.INTEGER;
    String[] realTexts = texts(real, isWhole);
    String[] syntheticTexts = texts(synthetic, isWhole);
    Map<String, Integer> codes = new TreeMap<>();
    boolean hasMissing = add(realTexts, codes) | add(syntheticTexts, codes);
    List<String> values = new ArrayList<>(codes.keySet());
    for (int code = 0; code < values.size(); code++) {
      codes.put(values.get(code), code);
    }
    int missing = values.size();
    if (hasMissing) {
      values.add(MISSING);
    }
    return new Categories(
        values, code(realTexts, codes, missing), code(syntheticTexts, codes, missing));
  }

  /** Where one side has whole numbers, 1.0 and "1" are the same value. */
  private static String[] texts(FrameColumn column, boolean isWhole) {
    String[] texts = new String[column.rows()];
    for (int row = 0; row < texts.length; row++) {
      String text = column.text(row);
      texts[row] = text != null && isWhole ? whole(text) : text;
    }
    return texts;
  }

  private static String whole(String text) {
    try {
      return NumberForm.text(Math.rint(Double.parseDouble(text)));
    } catch (NumberFormatException e) {
      return text; // a word stays a value of its own
    }
  }

  private static boolean add(String[] texts, Map<String, Integer> codes) {
    boolean hasMissing = false;
    for (String text : texts) {
      if (text == null) {
        hasMissing = true;
      } else {
        codes.put(text, 0);
      }
    }
    return hasMissing;
  }

  private static int[] code(String[] texts, Map<String, Integer> codes, int missing) {
    int[] coded = new int[texts.length];
    for (int row = 0; row < coded.length; row++) {
      coded[row] = texts[row] == null ? missing : codes.get(texts[row]);
    }
    return coded;
  }

  int size() {
    return values.size();
  }

  List<String> values() {
    return List.copyOf(values);
  }

  int[] real() {
    return real.clone();
  }

  int[] synthetic() {
    return synthetic.clone();
  }

  /** (categories) how often each value is in the real sample. */
  double[] realCounts() {
    return counts(real);
  }

  double[] syntheticCounts() {
    return counts(synthetic);
  }

  private double[] counts(int[] codes) {
    double[] counts = new double[values.size()];
    for (int code : codes) {
      counts[code]++;
    }
    return counts;
  }

  /** Whether the last value is the missing one. */
  boolean hasMissing() {
    return !values.isEmpty() && values.get(values.size() - 1).equals(MISSING);
  }
}
