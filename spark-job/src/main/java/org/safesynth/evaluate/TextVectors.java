package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Embeddings of the text columns of both samples, for guessing texts.
 *
 * @param real by column: (rows, dimensions)
 * @param synthetic likewise
 */
record TextVectors(Map<Integer, double[][]> real, Map<Integer, double[][]> synthetic) {
  private static final double NEAR = 0.35;

  static TextVectors of(Evidence evidence) {
    Map<Integer, double[][]> real = new HashMap<>();
    Map<Integer, double[][]> synthetic = new HashMap<>();
    for (int c = 0; c < evidence.columns(); c++) {
      if (evidence.referenceType(c) == ColumnType.TEXT) {
        List<double[][]> vectors =
            evidence
                .textEmbedder()
                .embed(
                    List.of(filled(evidence.reference().column(c))),
                    List.of(filled(evidence.synthetic().column(c))));
        real.put(c, vectors.get(0));
        synthetic.put(c, vectors.get(1));
      }
    }
    return new TextVectors(real, synthetic);
  }

  private static List<String> filled(FrameColumn column) {
    List<String> texts = new ArrayList<>(column.rows());
    for (int row = 0; row < column.rows(); row++) {
      texts.add(column.isMissing(row) ? "" : column.text(row));
    }
    return texts;
  }

  /** Whether the mean of some synthetic texts has nearly the meaning of a real one. */
  boolean isNear(int column, int realRow, int[] syntheticRows) {
    double[] truth = real.get(column)[realRow];
    double[] mean = new double[truth.length];
    for (int row : syntheticRows) {
      for (int i = 0; i < mean.length; i++) {
        mean[i] += synthetic.get(column)[row][i];
      }
    }
    double product = 0;
    double square = 0;
    for (int i = 0; i < mean.length; i++) {
      product += mean[i] * truth[i];
      square += mean[i] * mean[i];
    }
    return square > 0 && 1 - product / Math.sqrt(square) <= NEAR;
  }
}
