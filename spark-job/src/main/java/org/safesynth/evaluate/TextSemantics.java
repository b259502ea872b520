package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.safesynth.evaluate.Score.Scale;

/**
 * Text Semantic Similarity: synthetic texts should be as near to the real ones as real ones are to
 * each other; nearer to those learned from is copying, farther from unseen ones is missing the
 * subject.
 *
 * @param embedding how texts became vectors
 */
public record TextSemantics(Score score, String embedding, List<Column> columns)
    implements Finding {
  static final String SCORE = "text_semantic_similarity_score";
  private static final int LEAST_TEXTS = 200;
  private static final int FEW_TEXTS = 2_500;

  /**
   * One text column.
   *
   * @param overfitting how much nearer synthetic texts are to learned texts than these to each
   *     other
   * @param underfitting how much farther synthetic texts are from unseen ones than these are from
   *     each other
   * @param overfittingFactor of the score, 1 is best
   * @param underfittingFactor likewise
   */
  public record Column(
      String name,
      Score score,
      double overfitting,
      double underfitting,
      double overfittingFactor,
      double underfittingFactor) {}

  static Finding of(Evidence evidence) {
    List<Integer> texts = new ArrayList<>();
    for (int c = 0; c < evidence.columns(); c++) {
      if (evidence.referenceType(c) == ColumnType.TEXT) {
        texts.add(c);
      }
    }
    if (texts.isEmpty()) {
      return Unavailable.of("the real table has no text column", SCORE);
    }
    if (evidence.holdout().isEmpty()) {
      return Unavailable.of("unseen real texts are needed, and there is no holdout", SCORE);
    }
    List<Column> columns = new ArrayList<>();
    for (int c : texts) {
      columns.add(column(evidence, c));
    }
    double[] scores =
        columns.stream()
            .map(Column::score)
            .filter(Score::isAvailable)
            .mapToDouble(Score::score)
            .toArray();
    if (scores.length == 0) {
      return Unavailable.of(columns.get(0).score().notes(), SCORE);
    }
    double mean = Arrays.stream(scores).average().orElseThrow();
    return new TextSemantics(
        Score.of(Scale.QUALITY, mean, mean), evidence.textEmbedder().description(), columns);
  }

  private static Column column(Evidence evidence, int c) {
    int most = evidence.synthetic().rows();
    // Equal real texts would have a neighbour at no distance and hide copies of them.
    List<String> train = distinct(evidence.reference().column(c), most);
    List<String> test = distinct(evidence.holdout().orElseThrow().column(c), most);
    List<String> made = TextStructure.texts(evidence.synthetic().column(c));
    int real = train.size() + test.size();
    String name = evidence.name(c);
    if (real < LEAST_TEXTS || test.size() < 2 || train.size() < 2) {
      return unavailable(
          name, "%d real texts are too few: %d are needed".formatted(real, LEAST_TEXTS));
    }
    if (made.isEmpty()) {
      return unavailable(name, "the synthetic column has no text at all");
    }
    List<double[][]> vectors = evidence.textEmbedder().embed(List.of(train, test), List.of(made));
    Distances toTrain = Distances.of(evidence, vectors.get(2), vectors.get(0));
    Distances toTest = Distances.of(evidence, vectors.get(2), vectors.get(1));
    double over = greatestExcess(toTrain.made(), toTrain.own()); // nearer than real ones are
    double under = greatestExcess(toTest.own(), toTest.made()); // farther than real ones are
    double score = 10 * Math.exp(-over) * Math.exp(-under);
    String note =
        real < FEW_TEXTS ? "%,d real texts are few: the score is rough".formatted(real) : null;
    return new Column(
        name,
        Score.of(Scale.QUALITY, score, score, note),
        over,
        under,
        Math.exp(-over),
        Math.exp(-under));
  }

  private static Column unavailable(String name, String reason) {
    return new Column(
        name, Score.unavailable(reason), Double.NaN, Double.NaN, Double.NaN, Double.NaN);
  }

  private static List<String> distinct(FrameColumn column, int most) {
    List<String> texts = new ArrayList<>(new LinkedHashSet<>(TextStructure.texts(column)));
    return texts.subList(0, Math.min(most, texts.size()));
  }

  /**
   * Distances to the nearest real text.
   *
   * @param made from synthetic texts
   * @param own from each real text to another one
   */
  private record Distances(double[] made, double[] own) {
    static Distances of(Evidence evidence, double[][] made, double[][] real) {
      return new Distances(
          Neighbours.of(evidence.spark(), made, real, 1).nearest(),
          Neighbours.of(evidence.spark(), real, real, 1, 0).nearest());
    }
  }

  /**
   * The one-sided Kolmogorov-Smirnov statistic: the greatest share of {@code a} that is at most x
   * less the share of {@code b}.
   */
  static double greatestExcess(double[] a, double[] b) {
    double[] x = a.clone();
    double[] y = b.clone();
    Arrays.sort(x);
    Arrays.sort(y);
    double greatest = 0;
    int j = 0;
    for (int i = 0; i < x.length; i++) {
      if (i + 1 < x.length && x[i + 1] == x[i]) {
        continue;
      }
      while (j < y.length && y[j] <= x[i]) {
        j++;
      }
      greatest = Math.max(greatest, (i + 1.0) / x.length - (double) j / y.length);
    }
    return greatest;
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
