package org.safesynth.evaluate;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.safesynth.evaluate.Score.Scale;

/**
 * Attribute Inference Protection: who knows a few columns of a real row looks up the most similar
 * synthetic rows and guesses the other columns from them.
 *
 * @param attacks rows that were attacked
 * @param quasiIdentifiers columns that an attacker knows
 * @param columns in the table's order
 */
public record AttributeInference(
    Score score, int attacks, int quasiIdentifiers, List<Column> columns) implements Finding {
  static final String SCORE = "attribute_inference_protection_score";
  private static final int NEIGHBOURS = 5;
  private static final int LEAST_ATTACKS = 200;
  private static final double HARMFUL = 0.7;
  private static final Set<String> CODE_NAMES =
      Set.of(
          "class",
          "code",
          "cpt",
          "csn",
          "date",
          "end",
          "icd",
          "id",
          "key",
          "mrn",
          "nbr",
          "number",
          "postcode",
          "start",
          "time",
          "timestamp",
          "year",
          "yr",
          "yyyy",
          "yyyymm",
          "zip",
          "zipcode");

  /**
   * One column as a target.
   *
   * @param assessed guesses that were made
   * @param accuracy share of them that were right
   * @param weight by how much there is to guess
   */
  public record Column(
      String name, Score score, int assessed, double accuracy, double entropy, double weight) {}

  static Finding of(Evidence evidence) {
    if (!evidence.config().aiaEnabled()) {
      return Unavailable.of("switched off by evaluation.aia_enabled", SCORE);
    }
    int known = Math.min(evidence.config().quasiIdentifierCount(), evidence.columns() - 1);
    if (known <= 0) {
      return Unavailable.of(
          "an attacker needs a column to know and one to guess: evaluation.quasi_identifier_count is %d and the tables share %d columns"
              .formatted(evidence.config().quasiIdentifierCount(), evidence.columns()),
          SCORE);
    }
    int[] candidates =
        IntStream.range(0, evidence.columns())
            .filter(c -> evidence.referenceType(c) != ColumnType.TEXT)
            .toArray();
    if (candidates.length < known) {
      return Unavailable.of(
          "an attacker who knows %d columns needs as many that are no texts: there are %d"
              .formatted(known, candidates.length),
          SCORE);
    }
    if (evidence.synthetic().rows() < NEIGHBOURS) {
      return Unavailable.of(
          "%d rows are too few: the attack looks at %d synthetic ones"
              .formatted(evidence.synthetic().rows(), NEIGHBOURS),
          SCORE);
    }
    return new Attack(evidence, known, candidates).run();
  }

  /** The attack while it goes on. */
  private static final class Attack {
    private final Evidence evidence;
    private final Frame real;
    private final Frame synthetic;
    private final int known;
    private final int[] candidates;
    private final UnitFeatures features;
    private final TextVectors texts;
    private final int[] correct; // (columns)
    private final int[] assessed; // (columns)

    Attack(Evidence evidence, int known, int[] candidates) {
      this.evidence = evidence;
      this.real = evidence.reference();
      this.synthetic = evidence.synthetic();
      this.known = known;
      this.candidates = candidates;
      this.features = UnitFeatures.of(List.of(real, synthetic), candidates);
      this.texts = TextVectors.of(evidence);
      this.correct = new int[evidence.columns()];
      this.assessed = new int[evidence.columns()];
    }

    Finding run() {
      int attacks = Math.max((int) (0.01 * real.rows()), LEAST_ATTACKS);
      for (int attack = 0; attack < attacks; attack++) {
        RandomGenerator random = evidence.stream(3, attack);
        int victim = random.nextInt(real.rows());
        int[] chosen = choose(random);
        if (isKnown(real, victim, chosen)) {
          guess(victim, chosen, nearest(victim, chosen));
        }
      }
      return result(attacks);
    }

    /** Places among the candidates, drawn without replacement. */
    private int[] choose(RandomGenerator random) {
      int[] places = IntStream.range(0, candidates.length).toArray();
      for (int i = 0; i < known; i++) {
        int j = i + random.nextInt(places.length - i);
        int swapped = places[i];
        places[i] = places[j];
        places[j] = swapped;
      }
      return Arrays.copyOf(places, known);
    }

    private boolean isKnown(Frame frame, int row, int[] chosen) {
      return Arrays.stream(chosen).noneMatch(c -> frame.column(candidates[c]).isMissing(row));
    }

    private int[] nearest(int victim, int[] chosen) {
      double[] query = features.pick(features.table(0)[victim], chosen);
      double[] squares = new double[NEIGHBOURS];
      int[] places = new int[NEIGHBOURS];
      Arrays.fill(squares, Double.POSITIVE_INFINITY);
      Arrays.fill(places, -1);
      for (int row = 0; row < synthetic.rows(); row++) {
        if (!isKnown(synthetic, row, chosen)) {
          continue;
        }
        double[] point = features.pick(features.table(1)[row], chosen);
        double square = 0;
        for (int f = 0; f < point.length; f++) {
          square += (query[f] - point[f]) * (query[f] - point[f]);
        }
        int i = NEIGHBOURS;
        while (i > 0 && square < squares[i - 1]) {
          i--;
        }
        if (i < NEIGHBOURS) {
          System.arraycopy(squares, i, squares, i + 1, NEIGHBOURS - 1 - i);
          System.arraycopy(places, i, places, i + 1, NEIGHBOURS - 1 - i);
          squares[i] = square;
          places[i] = row;
        }
      }
      return Arrays.stream(places).filter(place -> place >= 0).toArray();
    }

    private void guess(int victim, int[] chosen, int[] nearest) {
      if (nearest.length == 0) {
        return;
      }
      Set<Integer> seen = new java.util.HashSet<>();
      for (int c : chosen) {
        seen.add(candidates[c]);
      }
      for (int c = 0; c < evidence.columns(); c++) {
        if (!seen.contains(c) && !real.column(c).isMissing(victim)) {
          assessed[c]++;
          correct[c] += isGuessed(c, victim, nearest) ? 1 : 0;
        }
      }
    }

    private boolean isGuessed(int c, int victim, int[] nearest) {
      FrameColumn truth = real.column(c);
      FrameColumn made = synthetic.column(c);
      if (evidence.referenceType(c) == ColumnType.TEXT) {
        return texts.isNear(c, victim, nearest);
      }
      if (truth.isNumber() && made.isNumber() && !isCode(truth.name())) {
        double[] numbers =
            Arrays.stream(nearest)
                .filter(r -> !made.isMissing(r))
                .mapToDouble(made::number)
                .toArray();
        return numbers.length > 0
            && isNear(Arrays.stream(numbers).sum() / numbers.length, truth.number(victim));
      }
      return truth.text(victim).equals(mostFrequent(made, nearest));
    }

    private Finding result(int attacks) {
      int columns = evidence.columns();
      double[] entropies = new double[columns];
      double least = Double.POSITIVE_INFINITY;
      double greatest = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < columns; c++) {
        if (assessed[c] > 0) {
          entropies[c] = NumberForm.round(entropy(real.column(c)), 2);
          least = Math.min(least, entropies[c]);
          greatest = Math.max(greatest, entropies[c]);
        }
      }
      double[] weights = new double[columns];
      double sum = 0;
      for (int c = 0; c < columns; c++) {
        if (assessed[c] > 0) {
          weights[c] = greatest == least ? 1 : (entropies[c] - least) / (greatest - least);
          sum += weights[c];
        }
      }
      if (sum == 0) {
        return Unavailable.of(
            "no column could be guessed: the columns that an attacker would know are missing",
            SCORE);
      }
      return scored(attacks, entropies, weights, sum);
    }

    private AttributeInference scored(
        int attacks, double[] entropies, double[] weights, double sum) {
      List<Column> found = new ArrayList<>();
      double total = 0;
      int scored = 0;
      for (int c = 0; c < assessed.length; c++) {
        String name = evidence.name(c);
        if (assessed[c] == 0) {
          Score none = Score.unavailable("never attacked: its values are missing");
          found.add(new Column(name, none, 0, Double.NaN, Double.NaN, 0));
          continue;
        }
        double accuracy = NumberForm.round((double) correct[c] / assessed[c], 2);
        double weight = weights[c] / sum;
        double harm =
            Math.min(HARMFUL, NumberForm.round(accuracy * weight, 4) * evidence.columns());
        double score = (HARMFUL - harm) / HARMFUL * 10;
        found.add(
            new Column(
                name,
                Score.of(Scale.PRIVACY, accuracy, score),
                assessed[c],
                accuracy,
                entropies[c],
                weight));
        total += score;
        scored++;
      }
      Score overall = Score.of(Scale.PRIVACY, total, NumberForm.round(total / scored, 2));
      return new AttributeInference(overall, attacks, known, found);
    }
  }

  /** Near enough to count as known: a hundredth of the value, in units of its last decimal. */
  static boolean isNear(double guess, double truth) {
    int decimals = Math.max(0, new BigDecimal(NumberForm.text(truth)).stripTrailingZeros().scale());
    double size = truth == 0 ? 1 : Math.abs(truth); // nothing is within a hundredth of zero
    return Math.abs(guess - truth) < 0.01 * size / Math.pow(10, decimals);
  }

  /** Whether a column's name says that its numbers are names: nobody guesses them by a mean. */
  static boolean isCode(String name) {
    String separated = name;
    for (String separator : List.of("_", "-", ".", " ")) {
      if (name.contains(separator)) {
        separated = name.replace(separator, "\n");
        break;
      }
    }
    String words = separated.replaceAll("(?<=[a-z])(?=[A-Z])", "\n");
    return Arrays.stream(words.split("\n"))
        .anyMatch(word -> CODE_NAMES.contains(word.toLowerCase(Locale.ROOT)));
  }

  /** Of equally frequent values the least. */
  private static String mostFrequent(FrameColumn column, int[] rows) {
    Map<String, Integer> counts = new TreeMap<>();
    for (int row : rows) {
      if (!column.isMissing(row)) {
        counts.merge(column.text(row), 1, Integer::sum);
      }
    }
    String best = null;
    for (Map.Entry<String, Integer> entry : counts.entrySet()) {
      if (best == null || entry.getValue() > counts.get(best)) {
        best = entry.getKey();
      }
    }
    return best;
  }

  private static double entropy(FrameColumn column) {
    Map<String, Long> counts = new HashMap<>();
    long n = 0;
    for (int row = 0; row < column.rows(); row++) {
      if (!column.isMissing(row)) {
        counts.merge(column.text(row), 1L, Long::sum);
        n++;
      }
    }
    long[] sorted = counts.values().stream().mapToLong(Long::longValue).sorted().toArray();
    return Association.entropy(sorted, n);
  }

  @Override
  public Map<String, Score> scores() {
    return Map.of(SCORE, score);
  }
}
