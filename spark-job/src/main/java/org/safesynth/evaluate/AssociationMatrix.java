package org.safesynth.evaluate;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The reference's correlation matrix of a mixed table: Pearson between numbers, the correlation
 * ratio between categories and numbers, Theil's U between categories, which is not symmetric: row
 * i, column j says what knowing i tells of j.
 */
final class AssociationMatrix {
  private static final double HIGHLY_UNIQUE = 0.1;

  private final int rows;
  private final int[][]
      codes; // (columns, rows) categories, also of numbers where they are asked for
  private final double[][] numbers; // (columns, rows) null for nominal columns
  private final int[] distinct; // (columns)

  private AssociationMatrix(Frame frame, int[] columns, boolean[] nominal) {
    rows = frame.rows();
    codes = new int[columns.length][];
    numbers = new double[columns.length][];
    distinct = new int[columns.length];
    for (int c = 0; c < columns.length; c++) {
      FrameColumn column = frame.column(columns[c]);
      boolean isNominal = nominal[c] || !column.isNumber();
      codes[c] = codes(column, isNominal);
      distinct[c] = 1 + Arrays.stream(codes[c]).max().orElse(-1);
      numbers[c] = isNominal ? null : numbers(column);
    }
  }

  /**
   * Computes the matrix.
   *
   * @param columns places of the columns in the sample
   * @param nominal whether each is taken as categories; texts always are
   * @return (columns, columns)
   */
  static double[][] of(Frame frame, int[] columns, boolean[] nominal) {
    return new AssociationMatrix(frame, columns, nominal).compute();
  }

  /** Codes by first appearance; a missing category is one of its own, a missing number none. */
  private static int[] codes(FrameColumn column, boolean missingIsCategory) {
    Map<Object, Integer> known = new HashMap<>();
    int[] codes = new int[column.rows()];
    for (int row = 0; row < codes.length; row++) {
      if (column.isMissing(row) && !missingIsCategory) {
        codes[row] = -1;
        continue;
      }
      Object value = column.isNumber() ? (Object) column.number(row) : column.text(row);
      Integer next = known.size();
      Integer code = known.putIfAbsent(value == null ? Categories.MISSING : value, next);
      codes[row] = code == null ? next : code;
    }
    return codes;
  }

  private static double[] numbers(FrameColumn column) {
    double[] numbers = new double[column.rows()];
    for (int row = 0; row < numbers.length; row++) {
      numbers[row] = column.number(row);
    }
    return numbers;
  }

  private double[][] compute() {
    int width = codes.length;
    double[][] matrix = new double[width][width];
    for (int i = 0; i < width; i++) {
      for (int j = 0; j < width; j++) {
        matrix[i][j] = i == j ? 1 : isConstant(i) || isConstant(j) ? 0 : entry(i, j, matrix);
      }
    }
    return matrix;
  }

  private boolean isConstant(int column) {
    return distinct[column] <= 1;
  }

  private boolean isNominal(int column) {
    return numbers[column] == null;
  }

  private boolean isUnique(int column) {
    return isNominal(column) && distinct[column] == rows;
  }

  private boolean isHigh(int column) {
    return isNominal(column) && distinct[column] > HIGHLY_UNIQUE * rows;
  }

  private double entry(int i, int j, double[][] matrix) {
    if (isUnique(i)) {
      return 1;
    }
    if (isUnique(j)) {
      return Math.log(distinct[i]) / Math.log(distinct[j]);
    }
    if (isNominal(i) && isNominal(j)) {
      return Association.theilsU(codes[j], codes[i]);
    }
    if (!isNominal(i) && !isNominal(j)) {
      return j < i ? matrix[j][i] : Association.pearson(numbers[i], numbers[j]);
    }
    if (isHigh(i) || isHigh(j)) {
      return Association.theilsU(codes[j], codes[i]);
    }
    if (j < i) {
      return matrix[j][i];
    }
    return isNominal(i)
        ? Association.correlationRatio(codes[i], numbers[j])
        : Association.correlationRatio(codes[j], numbers[i]);
  }
}
