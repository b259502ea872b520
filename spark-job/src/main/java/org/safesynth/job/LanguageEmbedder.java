package org.safesynth.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.evaluate.TextEmbedder;
import org.safesynth.evaluate.TfIdfEmbedder;
import org.safesynth.fault.BadInputException;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfWeights;
import org.safesynth.model.Natives;
import org.safesynth.tokenizer.TokenizerFolder;

/**
 * Turns texts into vectors by the run's pretrained model, before it learned the table: the mean of
 * a text's last hidden states, less the mean of all real texts. Without that, all texts lie in one
 * direction and seem to mean the same (Mu and Viswanath 2018).
 *
 * <p>Where the model would take too long for it or is not at hand any more, statistics of words
 * stand in.
 */
final class LanguageEmbedder implements TextEmbedder {
  private static final int MOST_TOKENS = 256; // of a text
  private static final int BATCH = 64; // texts

  /** Tokens of a batch whose texts were all as long as the longest: what bounds its memory. */
  private static final int BATCH_TOKENS = 2048;

  /** Multiplications and additions that are worth it: some minutes of two cores. */
  private static final double MOST_OPERATIONS = 3e13;

  private final RunContext context;
  private final TextEmbedder words;
  private LanguageBase base; // null before a text is seen, and without the model
  private boolean hasLooked;
  private boolean hasUsedModel;
  private boolean hasUsedWords;

  LanguageEmbedder(RunContext context) {
    this.context = context;
    this.words = new TfIdfEmbedder(context.spark());
  }

  @Override
  public String description() {
    if (!hasUsedModel) {
      return words.description();
    }
    String model = "mean hidden states of " + new Path(base.folder()).getName();
    return hasUsedWords
        ? model + ", and " + words.description() + " for the longest columns"
        : model;
  }

  @Override
  public List<double[][]> embed(List<List<String>> real, List<List<String>> others) {
    if (!hasLooked) {
      find();
    }
    Map<String, int[]> ids = base == null ? Map.of() : ids(real, others);
    if (ids.isEmpty() || operations(ids) > MOST_OPERATIONS) {
      hasUsedWords = true;
      return words.embed(real, others);
    }
    hasUsedModel = true;
    Map<String, float[]> states = states(ids);
    float[] middle = mean(real, states);
    List<double[][]> vectors = new ArrayList<>();
    for (List<List<String>> lists : List.of(real, others)) {
      for (List<String> list : lists) {
        vectors.add(
            list.stream().map(text -> unit(states.get(text), middle)).toArray(double[][]::new));
      }
    }
    return vectors;
  }

  /** Looks for the base model, if it still is where it was when it learned the table. */
  private void find() {
    hasLooked = true;
    try {
      base = LanguageBase.of(context);
    } catch (BadInputException fault) {
      context
          .console()
          .warn("texts are compared by statistics of words: " + Faults.sentence(fault));
    }
  }

  /** The first tokens of each text; those of which nothing is left have none. */
  private Map<String, int[]> ids(List<List<String>> real, List<List<String>> others) {
    TokenizerFolder tokenizer = TokenizerFolder.load(base.local(context.hadoop()));
    Map<String, int[]> ids = new LinkedHashMap<>();
    Stream.of(real, others)
        .flatMap(List::stream)
        .flatMap(List::stream)
        .distinct()
        .forEach(
            text -> {
              int[] all = tokenizer.tokenizer().encode(text);
              if (all.length > 0) {
                ids.put(text, Arrays.copyOf(all, Math.min(all.length, MOST_TOKENS)));
              }
            });
    return ids;
  }

  private double operations(Map<String, int[]> ids) {
    long tokens = ids.values().stream().mapToLong(text -> text.length).sum();
    return 2.0 * tokens * HfWeights.ofFolder(base.local(context.hadoop())).values();
  }

  /** Texts of about one length, which a task passes through the model together. */
  private record Batch(String[] texts, int[][] ids) implements Serializable {}

  private record Embedded(String[] texts, float[][] states) implements Serializable {}

  private Map<String, float[]> states(Map<String, int[]> ids) {
    List<Map.Entry<String, int[]>> byLength = new ArrayList<>(ids.entrySet());
    byLength.sort(Comparator.comparingInt(entry -> entry.getValue().length));
    List<Batch> batches = new ArrayList<>();
    for (int to = byLength.size(); to > 0; ) {
      int longest = byLength.get(to - 1).getValue().length;
      int from = Math.max(0, to - Math.max(1, Math.min(BATCH, BATCH_TOKENS / longest)));
      var part = byLength.subList(from, to);
      to = from;
      batches.add(
          new Batch(
              part.stream().map(Map.Entry::getKey).toArray(String[]::new),
              part.stream().map(Map.Entry::getValue).toArray(int[][]::new)));
    }
    SerializableConfiguration hadoop = new SerializableConfiguration(context.hadoop());
    LanguageBase of = base;
    ComputeDevice.Wish device = Devices.forGeneration(context.config());
    Map<String, float[]> states = new LinkedHashMap<>();
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(context.spark().sparkContext());
    for (Embedded embedded :
        spark
            .parallelize(batches, Math.max(1, batches.size()))
            .map(batch -> embed(hadoop, of, device, batch))
            .collect()) {
      for (int t = 0; t < embedded.texts().length; t++) {
        states.put(embedded.texts()[t], embedded.states()[t]);
      }
    }
    return states;
  }

  private static Embedded embed(
      SerializableConfiguration hadoop, LanguageBase base, ComputeDevice.Wish device, Batch batch) {
    CausalDecoder model = LanguageModels.base(hadoop.value(), base, device);
    Natives.useOneThread();
    return new Embedded(batch.texts(), model.meanStates(batch.ids()));
  }

  private static float[] mean(List<List<String>> real, Map<String, float[]> states) {
    double[] sum = new double[states.values().iterator().next().length];
    long count = 0;
    for (List<String> list : real) {
      for (String text : list) {
        float[] state = states.get(text);
        for (int i = 0; state != null && i < sum.length; i++) {
          sum[i] += state[i];
        }
        count += state == null ? 0 : 1;
      }
    }
    float[] mean = new float[sum.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sum[i] / Math.max(1, count));
    }
    return mean;
  }

  /** What sets a text apart from the mean, of length 1; zeros where nothing does. */
  private static double[] unit(float[] state, float[] middle) {
    double[] vector = new double[middle.length];
    double square = 0;
    for (int i = 0; state != null && i < vector.length; i++) {
      vector[i] = state[i] - middle[i];
      square += vector[i] * vector[i];
    }
    if (square > 0) {
      double length = Math.sqrt(square);
      for (int i = 0; i < vector.length; i++) {
        vector[i] /= length;
      }
    }
    return vector;
  }
}
