package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * Singling out: predicates that exactly one synthetic row fulfils ("age ≥ 93 and occupation = x")
 * and that then also exactly one real row fulfils. Learned and unseen rows are samples of one size,
 * since how many predicates hold for one row alone depends on the number of rows.
 */
public record SinglingOut(List<Attack> attacks) implements Finding {
  private static final int KEY = 103;
  private static final int PREDICATES = 500;
  private static final int LEAST_ROWS = 20;
  private static final int MOST_ROWS = 5_000;
  private static final int COLUMNS = 3;
  private static final int TRIES_EACH = 20;

  /** What one cell must be. */
  private enum Is {
    MISSING,
    EQUAL,
    AT_MOST,
    AT_LEAST
  }

  private record Condition(int column, Is is, double number, String text) {
    boolean holds(Frame frame, int row) {
      FrameColumn cells = frame.column(column);
      boolean isMissing = cells.isMissing(row);
      return switch (is) {
        case MISSING -> isMissing;
        case EQUAL ->
            !isMissing
                && (cells.isNumber() && text == null
                    ? cells.number(row) == number
                    : cells.text(row).equals(text));
        case AT_MOST -> !isMissing && cells.isNumber() && cells.number(row) <= number;
        case AT_LEAST -> !isMissing && cells.isNumber() && cells.number(row) >= number;
      };
    }
  }

  static Finding of(Evidence evidence) {
    if (evidence.holdout().isEmpty()) {
      return Unavailable.because(
          "singling out is measured against unseen real rows, and there is no holdout");
    }
    Frame unseen = evidence.holdout().get().head(MOST_ROWS);
    int rows = Math.min(unseen.rows(), evidence.reference().rows());
    if (rows < LEAST_ROWS) {
      return Unavailable.because(
          "singling out needs %d learned and unseen rows, and there are %d"
              .formatted(LEAST_ROWS, rows));
    }
    Frame learned = evidence.reference().head(rows);
    Frame control = unseen.head(rows);
    Frame synthetic = evidence.synthetic();
    RandomGenerator random = evidence.stream(KEY);
    List<Attack> attacks = new ArrayList<>();
    List<List<Condition>> single = univariate(synthetic, random);
    List<List<Condition>> blind = blind(synthetic, 1, random);
    if (!single.isEmpty()) {
      attacks.add(
          attack(
              "Singling out by one column",
              "values that only one synthetic row has, and extremes",
              learned,
              control,
              single,
              blind));
    }
    int width = Math.min(COLUMNS, evidence.columns());
    List<List<Condition>> joint = width > 1 ? multivariate(synthetic, width, random) : List.of();
    if (!joint.isEmpty()) {
      attacks.add(
          attack(
              "Singling out by %d columns".formatted(width),
              "conditions that one synthetic row alone fulfils",
              learned,
              control,
              joint,
              blind(synthetic, width, random)));
    }
    if (attacks.isEmpty()) {
      return Unavailable.because("no synthetic value suggests a predicate that singles out a row");
    }
    return new SinglingOut(attacks);
  }

  private static Attack attack(
      String name,
      String detail,
      Frame learned,
      Frame control,
      List<List<Condition>> predicates,
      List<List<Condition>> blind) {
    return Attack.of(
        name,
        detail,
        tally(learned, predicates),
        tally(control, predicates),
        tally(learned, blind));
  }

  private static Attack.Tally tally(Frame frame, List<List<Condition>> predicates) {
    int successes = 0;
    for (List<Condition> predicate : predicates) {
      successes += isFulfilledOnce(frame, predicate) ? 1 : 0;
    }
    return new Attack.Tally(successes, predicates.size());
  }

  private static boolean isFulfilledOnce(Frame frame, List<Condition> predicate) {
    int found = 0;
    for (int row = 0; row < frame.rows() && found < 2; row++) {
      int at = row;
      found += predicate.stream().allMatch(condition -> condition.holds(frame, at)) ? 1 : 0;
    }
    return found == 1;
  }

  /** Every value that only one synthetic row has and both extremes of numbers, in random order. */
  private static List<List<Condition>> univariate(Frame synthetic, RandomGenerator random) {
    List<Condition> all = new ArrayList<>();
    for (int c = 0; c < synthetic.columns().size(); c++) {
      FrameColumn cells = synthetic.column(c);
      if (cells.missing() == 1) {
        all.add(new Condition(c, Is.MISSING, 0, null));
      }
      if (cells.isNumber()) {
        double[] sorted = cells.sortedNumbers();
        if (sorted.length > 0) {
          all.add(new Condition(c, Is.AT_MOST, sorted[0], null));
          all.add(new Condition(c, Is.AT_LEAST, sorted[sorted.length - 1], null));
        }
        for (int i = 0; i < sorted.length; i++) {
          boolean isAlone =
              (i == 0 || sorted[i - 1] != sorted[i])
                  && (i + 1 == sorted.length || sorted[i + 1] != sorted[i]);
          if (isAlone) {
            all.add(new Condition(c, Is.EQUAL, sorted[i], null));
          }
        }
      } else {
        Map<String, Integer> counts = new TreeMap<>();
        for (int row = 0; row < cells.rows(); row++) {
          if (!cells.isMissing(row)) {
            counts.merge(cells.text(row), 1, Integer::sum);
          }
        }
        int column = c;
        counts.forEach(
            (text, count) -> {
              if (count == 1) {
                all.add(new Condition(column, Is.EQUAL, 0, text));
              }
            });
      }
    }
    List<List<Condition>> drawn = new ArrayList<>();
    while (!all.isEmpty() && drawn.size() < PREDICATES) {
      int place = random.nextInt(all.size());
      drawn.add(List.of(all.get(place)));
      all.set(place, all.get(all.size() - 1));
      all.remove(all.size() - 1);
    }
    return drawn;
  }

  /**
   * What one synthetic row alone fulfils in random columns: beyond its value, seen from the median.
   */
  private static List<List<Condition>> multivariate(
      Frame synthetic, int width, RandomGenerator random) {
    double[] medians = new double[synthetic.columns().size()];
    for (int c = 0; c < medians.length; c++) {
      double[] sorted =
          synthetic.column(c).isNumber() ? synthetic.column(c).sortedNumbers() : new double[0];
      medians[c] = sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    }
    return distinct(
        () -> {
          int row = random.nextInt(synthetic.rows());
          List<Condition> predicate = new ArrayList<>();
          for (int c : columns(synthetic, width, random)) {
            FrameColumn cells = synthetic.column(c);
            if (cells.isMissing(row)) {
              predicate.add(new Condition(c, Is.MISSING, 0, null));
            } else if (cells.isNumber()) {
              double value = cells.number(row);
              Is side = value > medians[c] ? Is.AT_LEAST : Is.AT_MOST;
              predicate.add(new Condition(c, side, value, null));
            } else {
              predicate.add(new Condition(c, Is.EQUAL, 0, cells.text(row)));
            }
          }
          return predicate;
        },
        predicate -> isFulfilledOnce(synthetic, predicate));
  }

  /**
   * Values of different rows, conditions at random: what a guess without the table's relations is.
   */
  private static List<List<Condition>> blind(Frame synthetic, int width, RandomGenerator random) {
    return distinct(
        () -> {
          List<Condition> predicate = new ArrayList<>();
          for (int c : columns(synthetic, width, random)) {
            FrameColumn cells = synthetic.column(c);
            int row = random.nextInt(synthetic.rows());
            if (cells.isMissing(row)) {
              predicate.add(new Condition(c, Is.MISSING, 0, null));
            } else if (cells.isNumber()) {
              Is side = random.nextBoolean() ? Is.AT_LEAST : Is.AT_MOST;
              predicate.add(new Condition(c, side, cells.number(row), null));
            } else {
              predicate.add(new Condition(c, Is.EQUAL, 0, cells.text(row)));
            }
          }
          return predicate;
        },
        predicate -> true);
  }

  private static List<List<Condition>> distinct(
      Supplier<List<Condition>> draw, Predicate<List<Condition>> isWorthTrying) {
    Set<List<Condition>> seen = new HashSet<>();
    List<List<Condition>> drawn = new ArrayList<>();
    for (int i = 0; i < TRIES_EACH * PREDICATES && drawn.size() < PREDICATES; i++) {
      List<Condition> predicate = draw.get();
      if (seen.add(predicate) && isWorthTrying.test(predicate)) {
        drawn.add(predicate);
      }
    }
    return drawn;
  }

  private static int[] columns(Frame frame, int width, RandomGenerator random) {
    int[] all = new int[frame.columns().size()];
    for (int c = 0; c < all.length; c++) {
      all[c] = c;
    }
    int[] chosen = new int[width];
    for (int i = 0; i < width; i++) {
      int place = i + random.nextInt(all.length - i);
      chosen[i] = all[place];
      all[place] = all[i];
    }
    return chosen;
  }
}
