package org.safesynth.evaluate;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/**
 * Linkability and inference, both by nearest synthetic rows: a Spark task takes some of the
 * attacked rows and compares each with every sampled synthetic row once, which serves all attacks.
 */
final class NeighbourAttacks {
  private static final int KEY = 104;
  private static final int ATTACKED = 1_000;
  private static final int MOST_SYNTHETIC = 20_000;
  private static final int LEAST_ROWS = 20;
  private static final int SLICES = 8;
  private static final double TOLERANCE = 0.05;

  private NeighbourAttacks() {}

  /**
   * Whether the two halves of a record can be joined: the same synthetic row is nearest to both.
   *
   * @param inference what the same search found of single values; a finding of its own
   */
  public record Linkability(List<Attack> attacks, @JsonIgnore Finding inference)
      implements Finding {}

  /** Whether an unknown value can be read off the nearest synthetic row. */
  public record Inference(List<Attack> attacks) implements Finding {}

  /** What the search found for one attacked row. */
  private record Hit(boolean isLinked, boolean[] inferred) implements java.io.Serializable {}

  private record Found(List<Hit> learned, List<Hit> unseen) {}

  static Finding linkability(Evidence evidence) {
    String lack = lack(evidence, "linkability");
    if (lack != null) {
      return Unavailable.because(lack);
    }
    Frame learned = evidence.reference().head(ATTACKED);
    Frame unseen = evidence.holdout().orElseThrow().head(ATTACKED);
    Found found = search(evidence, learned, unseen);
    RandomGenerator random = evidence.stream(KEY, 1);
    int pool = Math.min(MOST_SYNTHETIC, evidence.synthetic().rows());
    int[] blind =
        IntStream.range(0, learned.rows())
            .map(i -> random.nextInt(pool) == 0 ? 1 : 0) // two draws that agree
            .toArray();
    Attack attack =
        Attack.of(
            "Linkability",
            "one half of a record's columns is joined with the other half",
            tally(found.learned(), i -> found.learned().get(i).isLinked()),
            tally(found.unseen(), i -> found.unseen().get(i).isLinked()),
            new Attack.Tally(IntStream.of(blind).sum(), blind.length));
    return new Linkability(List.of(attack), inference(evidence, learned, found));
  }

  /** What the search for linkability found of single values. */
  static Finding inference(Evidence evidence, Findings findings) {
    return findings
        .find(Linkability.class)
        .map(Linkability::inference)
        .orElseGet(() -> Unavailable.because(lack(evidence, "inference")));
  }

  private static Inference inference(Evidence evidence, Frame learned, Found found) {
    MixedRows[] rows = MixedRows.of(evidence, learned, evidence.synthetic());
    RandomGenerator random = evidence.stream(KEY, 2);
    List<Attack> attacks = new ArrayList<>();
    for (int c = 0; c < evidence.columns(); c++) {
      int secret = c;
      boolean[] blind = new boolean[learned.rows()];
      for (int i = 0; i < blind.length; i++) {
        double guess = rows[1].cells()[random.nextInt(rows[1].size())][secret];
        blind[i] = isRight(rows[0], secret, guess, rows[0].cells()[i][secret]);
      }
      attacks.add(
          Attack.of(
              "Inference of " + evidence.name(c),
              "all other values of a record are known",
              tally(found.learned(), i -> found.learned().get(i).inferred()[secret]),
              tally(found.unseen(), i -> found.unseen().get(i).inferred()[secret]),
              Attack.Tally.of(blind)));
    }
    // The most dangerous first: what is shown of 250 columns is the top.
    attacks.sort((a, b) -> Double.compare(b.risk(), a.risk()));
    return new Inference(attacks);
  }

  private static String lack(Evidence evidence, String attack) {
    if (evidence.columns() < 2) {
      return "the attack of %s needs two columns".formatted(attack);
    }
    if (evidence.holdout().isEmpty()) {
      return "the attack of %s is measured against unseen real rows, and there is no holdout"
          .formatted(attack);
    }
    int rows = Math.min(evidence.reference().rows(), evidence.holdout().get().rows());
    return rows >= LEAST_ROWS
        ? null
        : "the attack of %s needs %d learned and unseen rows, and there are %d"
            .formatted(attack, LEAST_ROWS, rows);
  }

  private static Attack.Tally tally(List<Hit> hits, IntPredicate succeeds) {
    int successes = (int) IntStream.range(0, hits.size()).filter(succeeds).count();
    return new Attack.Tally(successes, hits.size());
  }

  private static Found search(Evidence evidence, Frame learned, Frame unseen) {
    MixedRows[] rows =
        MixedRows.of(evidence, learned, unseen, evidence.synthetic().head(MOST_SYNTHETIC));
    boolean[] isInFirstHalf = halves(evidence);
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(evidence.spark().sparkContext());
    Broadcast<MixedRows[]> shared = spark.broadcast(rows);
    try {
      List<Integer> attacked = IntStream.range(0, learned.rows() + unseen.rows()).boxed().toList();
      List<Hit> hits =
          spark
              .parallelize(attacked, SLICES)
              .map(
                  place -> {
                    MixedRows[] all = shared.value();
                    int first = all[0].size();
                    double[] row =
                        place < first ? all[0].cells()[place] : all[1].cells()[place - first];
                    return attack(all[2], row, isInFirstHalf);
                  })
              .collect(); // two numbers and a flag a column for at most 2,000 rows
      return new Found(hits.subList(0, learned.rows()), hits.subList(learned.rows(), hits.size()));
    } finally {
      shared.destroy();
    }
  }

  private static boolean[] halves(Evidence evidence) {
    boolean[] isFirst = new boolean[evidence.columns()];
    RandomGenerator random = evidence.stream(KEY, 3);
    int left = isFirst.length / 2;
    for (int c = 0; c < isFirst.length; c++) {
      isFirst[c] = random.nextInt(isFirst.length - c) < left;
      left -= isFirst[c] ? 1 : 0;
    }
    return isFirst;
  }

  /**
   * Finds the rows nearest in each half, and for each column nearest in all others; ties: the
   * first.
   */
  private static Hit attack(MixedRows synthetic, double[] row, boolean[] isInFirstHalf) {
    int width = row.length;
    double[] distances = new double[width];
    double[] nearest = new double[width + 2];
    int[] at = new int[width + 2];
    java.util.Arrays.fill(nearest, Double.POSITIVE_INFINITY);
    for (int s = 0; s < synthetic.size(); s++) {
      double[] other = synthetic.cells()[s];
      double first = 0;
      double second = 0;
      for (int c = 0; c < width; c++) {
        distances[c] = synthetic.distance(c, row[c], other[c]);
        if (isInFirstHalf[c]) {
          first += distances[c];
        } else {
          second += distances[c];
        }
      }
      for (int c = 0; c < width; c++) {
        // Summed in another order than a sum without the column: equal to 1e-12, and so are ties.
        keep(nearest, at, c, Math.max(0, first + second - distances[c]), s);
      }
      keep(nearest, at, width, first, s);
      keep(nearest, at, width + 1, second, s);
    }
    boolean[] inferred = new boolean[width];
    for (int c = 0; c < width; c++) {
      inferred[c] = isRight(synthetic, c, synthetic.cells()[at[c]][c], row[c]);
    }
    return new Hit(at[width] == at[width + 1], inferred);
  }

  private static void keep(double[] nearest, int[] at, int search, double distance, int row) {
    if (distance < nearest[search] - 1e-12) {
      nearest[search] = distance;
      at[search] = row;
    }
  }

  /** Categories must be equal; numbers may differ by 5 % of the true one. */
  private static boolean isRight(MixedRows rows, int column, double guess, double truth) {
    if (Double.isNaN(guess) || Double.isNaN(truth)) {
      return Double.isNaN(guess) && Double.isNaN(truth);
    }
    return rows.isNumber()[column]
        ? Math.abs(guess - truth) <= TOLERANCE * Math.abs(truth)
        : guess == truth;
  }
}
