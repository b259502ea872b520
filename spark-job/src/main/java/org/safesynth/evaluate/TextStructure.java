package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.safesynth.evaluate.Score.Scale;

/**
 * Text Structure Similarity: sentences in a text, words in a sentence and letters in a word,
 * compared like columns of their own.
 */
public record TextStructure(Score score, List<Column> columns) implements Finding {
  static final String SCORE = "text_structure_similarity_score";
  private static final Pattern SENTENCE = Pattern.compile("[^.。︀?？؟⸮!！…:।෴።།]+");
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  /**
   * One text column.
   *
   * @param distances of sentences, words per sentence and mean word length
   * @param histograms likewise; null where one cannot be drawn
   */
  public record Column(String name, Score score, double[] distances, List<Histogram> histograms) {}

  static Finding of(Evidence evidence) {
    List<Column> columns = new ArrayList<>();
    for (int c = 0; c < evidence.columns(); c++) {
      if (evidence.referenceType(c) == ColumnType.TEXT) {
        columns.add(column(evidence, c));
      }
    }
    if (columns.isEmpty()) {
      return Unavailable.of("the real table has no text column", SCORE);
    }
    double[] scores =
        columns.stream()
            .map(Column::score)
            .filter(Score::isAvailable)
            .mapToDouble(Score::score)
            .toArray();
    if (scores.length == 0) {
      return Unavailable.of("no text column has a text on both sides", SCORE);
    }
    double mean = Arrays.stream(scores).average().orElseThrow();
    return new TextStructure(Score.of(Scale.QUALITY, mean, mean), columns);
  }

  private static Column column(Evidence evidence, int c) {
    List<FrameColumn> real = figures(texts(evidence.reference().column(c)));
    List<FrameColumn> synthetic = figures(texts(evidence.synthetic().column(c)));
    double[] distances = new double[real.size()];
    List<Histogram> histograms = new ArrayList<>();
    double sum = 0;
    for (int f = 0; f < distances.length; f++) {
      FrameColumn realFigure = real.get(f);
      FrameColumn syntheticFigure = synthetic.get(f);
      ColumnDistance compared =
          ColumnDistance.of(
              realFigure,
              ColumnType.of(realFigure),
              syntheticFigure,
              ColumnType.of(syntheticFigure));
      distances[f] = compared.reason() == null ? compared.distance() : 1;
      histograms.add(compared.histogram());
      sum += distances[f];
    }
    if (synthetic.get(0).rows() == 0) {
      return new Column(
          evidence.name(c),
          Score.of(Scale.QUALITY, 1, 0, "the synthetic column has no text at all"),
          distances,
          histograms);
    }
    double distance = sum / distances.length;
    return new Column(
        evidence.name(c),
        Score.of(Scale.QUALITY, distance, scoreOf(distance)),
        distances,
        histograms);
  }

  /** The texts that are there. */
  static List<String> texts(FrameColumn column) {
    List<String> texts = new ArrayList<>();
    for (int row = 0; row < column.rows(); row++) {
      if (!column.isMissing(row)) {
        texts.add(column.text(row));
      }
    }
    return texts;
  }

  private static List<FrameColumn> figures(List<String> texts) {
    double[] sentences = new double[texts.size()];
    double[] wordsPerSentence = new double[texts.size()];
    double[] wordLength = new double[texts.size()];
    for (int row = 0; row < texts.size(); row++) {
      Matcher sentence = SENTENCE.matcher(texts.get(row));
      while (sentence.find()) {
        sentences[row] += sentence.group().isBlank() ? 0 : 1;
      }
      Matcher word = WORD.matcher(texts.get(row));
      long words = 0;
      long letters = 0;
      while (word.find()) {
        words++;
        letters += word.group().codePointCount(0, word.group().length());
      }
      wordsPerSentence[row] = words / Math.max(1, sentences[row]);
      wordLength[row] = words == 0 ? Double.NaN : (double) letters / words;
    }
    return List.of(
        FrameColumn.ofNumbers("sentences", Storage.INTEGER, sentences),
        FrameColumn.ofNumbers("words per sentence", Storage.FLOAT, wordsPerSentence),
        FrameColumn.ofNumbers("letters per word", Storage.FLOAT, wordLength));
  }

  /** The reference's map of a distance to a score. */
  static double scoreOf(double distance) {
    if (distance > 0.8) {
      return 1.5;
    }
    if (distance < 0.12) {
      return 10;
    }
    return 11.5 - 12.5 * distance;
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
