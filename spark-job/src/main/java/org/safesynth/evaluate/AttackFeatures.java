package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Whole rows as vectors for the membership attacks: tabular columns as {@link UnitFeatures}, text
 * columns as the mean of their embeddings; each part weighs as many columns as it stands for.
 */
final class AttackFeatures {
  private AttackFeatures() {}

  /**
   * Vectors of tables with the same columns.
   *
   * @param frames real tables first, the synthetic one last
   * @return (tables)(rows, dimensions)
   */
  static List<double[][]> of(Evidence evidence, List<Frame> frames) {
    int[] texts = columns(evidence, true);
    int[] others = columns(evidence, false);
    UnitFeatures tabular = UnitFeatures.of(frames, others);
    if (texts.length == 0) {
      return IntStream.range(0, frames.size()).mapToObj(tabular::table).toList();
    }
    List<List<double[][]>> embedded = new ArrayList<>(); // (text columns)(tables)(rows, dimensions)
    for (int text : texts) {
      List<List<String>> lists = frames.stream().map(f -> filled(f.column(text))).toList();
      int last = lists.size() - 1;
      embedded.add(
          evidence.textEmbedder().embed(lists.subList(0, last), lists.subList(last, last + 1)));
    }
    double features = Math.max(1, tabular.table(0).length == 0 ? 1 : tabular.table(0)[0].length);
    double tabularWeight = Math.sqrt(others.length / (double) evidence.columns() / features);
    double textWeight = Math.sqrt(texts.length / (double) evidence.columns() / 2);
    List<double[][]> tables = new ArrayList<>();
    for (int t = 0; t < frames.size(); t++) {
      double[][] rows = tabular.table(t);
      double[][] joined = new double[rows.length][];
      for (int row = 0; row < rows.length; row++) {
        int place = row;
        int table = t;
        List<double[]> vectors = embedded.stream().map(e -> e.get(table)[place]).toList();
        joined[row] = joined(rows[row], tabularWeight, vectors, textWeight);
      }
      tables.add(joined);
    }
    return tables;
  }

  private static int[] columns(Evidence evidence, boolean isText) {
    return IntStream.range(0, evidence.columns())
        .filter(c -> (evidence.referenceType(c) == ColumnType.TEXT) == isText)
        .toArray();
  }

  private static List<String> filled(FrameColumn column) {
    List<String> texts = new ArrayList<>(column.rows());
    for (int row = 0; row < column.rows(); row++) {
      texts.add(column.isMissing(row) ? "" : column.text(row));
    }
    return texts;
  }

  private static double[] joined(
      double[] tabular, double tabularWeight, List<double[]> texts, double textWeight) {
    int width = tabular.length;
    double[] row = new double[width + texts.stream().mapToInt(v -> v.length).max().orElse(0)];
    for (int i = 0; i < width; i++) {
      row[i] = tabular[i] * tabularWeight;
    }
    for (double[] vector : texts) {
      for (int i = 0; i < vector.length; i++) {
        row[width + i] += vector[i] * textWeight / texts.size();
      }
    }
    return row;
  }
}
