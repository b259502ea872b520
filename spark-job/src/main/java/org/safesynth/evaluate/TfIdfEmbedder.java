package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.mllib.linalg.Matrix;
import org.apache.spark.mllib.linalg.Vector;
import org.apache.spark.mllib.linalg.Vectors;
import org.apache.spark.mllib.linalg.distributed.RowMatrix;
import org.apache.spark.sql.SparkSession;

/**
 * Latent semantic analysis (Deerwester et al. 1990): words weighted by how rare they are, folded
 * into a few directions by MLlib's singular value decomposition. Texts are near when they use words
 * that occur together; needs no language model.
 */
public final class TfIdfEmbedder implements TextEmbedder {
  private static final int MOST_WORDS = 2_000;
  private static final int DIRECTIONS = 50;
  private static final Pattern WORD = Pattern.compile("\\w+", Pattern.UNICODE_CHARACTER_CLASS);

  private final SparkSession spark;

  public TfIdfEmbedder(SparkSession spark) {
    this.spark = spark;
  }

  @Override
  public String description() {
    return "TF-IDF of the "
        + MOST_WORDS
        + " most frequent words, "
        + DIRECTIONS
        + " singular vectors";
  }

  @Override
  public List<double[][]> embed(List<List<String>> real, List<List<String>> others) {
    Map<String, Integer> documents = new TreeMap<>();
    int texts = 0;
    for (List<String> list : real) {
      for (String text : list) {
        counts(text).keySet().forEach(word -> documents.merge(word, 1, Integer::sum));
        texts++;
      }
    }
    List<String> words =
        documents.entrySet().stream()
            .sorted(
                Comparator.comparingInt((Map.Entry<String, Integer> e) -> -e.getValue())
                    .thenComparing(Map.Entry::getKey))
            .limit(MOST_WORDS)
            .map(Map.Entry::getKey)
            .toList();
    Map<String, Integer> places = new HashMap<>();
    double[] weights = new double[words.size()];
    for (int w = 0; w < weights.length; w++) {
      places.put(words.get(w), w);
      weights[w] = Math.log((texts + 1.0) / (documents.get(words.get(w)) + 1.0));
    }
    List<List<Vector>> vectors = new ArrayList<>();
    for (List<List<String>> lists : List.of(real, others)) {
      for (List<String> list : lists) {
        vectors.add(list.stream().map(text -> vector(text, places, weights)).toList());
      }
    }
    Matrix directions = directions(vectors.subList(0, real.size()), weights.length);
    return vectors.stream()
        .map(list -> list.stream().map(v -> unit(v, directions)).toArray(double[][]::new))
        .toList();
  }

  private static Map<String, Integer> counts(String text) {
    Map<String, Integer> counts = new TreeMap<>();
    Matcher words = WORD.matcher(text.toLowerCase(Locale.ROOT));
    while (words.find()) {
      counts.merge(words.group(), 1, Integer::sum);
    }
    return counts;
  }

  private static Vector vector(String text, Map<String, Integer> places, double[] weights) {
    TreeMap<Integer, Double> entries = new TreeMap<>();
    double square = 0;
    for (Map.Entry<String, Integer> word : counts(text).entrySet()) {
      Integer place = places.get(word.getKey());
      if (place != null && weights[place] > 0) {
        double entry = word.getValue() * weights[place];
        entries.put(place, entry);
        square += entry * entry;
      }
    }
    int[] indices = entries.keySet().stream().mapToInt(Integer::intValue).toArray();
    double length = Math.sqrt(square);
    double[] values = entries.values().stream().mapToDouble(v -> v / length).toArray();
    return Vectors.sparse(weights.length, indices, values);
  }

  /** (words, directions), or null where there is nothing to decompose. */
  private Matrix directions(List<List<Vector>> real, int words) {
    List<Vector> rows =
        real.stream().flatMap(List::stream).filter(v -> v.numNonzeros() > 0).toList();
    int rank = Math.min(DIRECTIONS, Math.min(words, rows.size()) - 1);
    if (rank < 1) {
      return null;
    }
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    // One partition: sums of doubles have one order.
    RowMatrix matrix =
        new RowMatrix(context.parallelize(rows, 1).cache().rdd(), rows.size(), words);
    return matrix.computeSVD(rank, false, 1e-9).V();
  }

  /** A text without a known word gets a direction of its own. */
  private static double[] unit(Vector text, Matrix directions) {
    int rank = directions == null ? 0 : directions.numCols();
    double[] folded = new double[rank + 1];
    if (directions != null) {
      text.foreachActive(
          (word, entry) -> {
            for (int k = 0; k < rank; k++) {
              folded[k] += (double) entry * directions.apply((int) word, k);
            }
            return scala.runtime.BoxedUnit.UNIT;
          });
    }
    double square = 0;
    for (double entry : folded) {
      square += entry * entry;
    }
    if (square < 1e-24) {
      folded[rank] = 1;
      return folded;
    }
    double length = Math.sqrt(square);
    for (int k = 0; k < folded.length; k++) {
      folded[k] /= length;
    }
    return folded;
  }
}
