package org.safesynth.job;

import java.util.ArrayList;
import java.util.List;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.train.AutoPlan;

/**
 * Cuts the records, in the order of their identities, into holdout, validation and training: the
 * first {@code holdout} are never trained on, the next {@code validation} decide when to stop, the
 * rest is learned.
 */
public record Split(long records, long holdout, long validation, List<String> notes) {
  /** Fewer held-out records say nothing about a model. */
  static final long LEAST_HOLDOUT = 10;

  /** A holdout takes at most this part of the table, so that tiny tables keep rows to learn. */
  static final int LARGEST_PART = 5;

  public Split {
    notes = List.copyOf(notes);
  }

  /**
   * @param records records in the table
   * @param holdout {@code data.holdout}: below 1 a part of the records, from 1 on a count
   * @param maxHoldout {@code data.max_holdout}
   * @param validationRatio part of the records that are left
   */
  public static Split of(long records, double holdout, long maxHoldout, double validationRatio) {
    List<String> notes = new ArrayList<>();
    double asked = holdout < 1 ? holdout * records : holdout;
    long wanted = Math.min((long) asked, maxHoldout);
    long held = Math.min(wanted, records / LARGEST_PART);
    if (held < LEAST_HOLDOUT) {
      held = 0;
    }
    if (wanted == 0 && asked > 0 && maxHoldout > 0) {
      notes.add("no holdout: data.holdout %s of %,d rows is no row".formatted(holdout, records));
    } else if (held == 0 && wanted > 0) {
      notes.add(
          "no holdout: %,d rows are too few for one of %d rows or more, so privacy and accuracy cannot be measured against unseen rows"
              .formatted(records, LEAST_HOLDOUT));
    } else if (held < wanted) {
      notes.add(
          "the holdout has %,d rows instead of %,d, a fifth of the table".formatted(held, wanted));
    }
    long left = records - held;
    long validation = AutoPlan.validationRecords(left, validationRatio);
    return new Split(records, held, validation, notes);
  }

  /** The split of a table under a run's parameters. */
  static Split of(long records, SafeSynthesizerConfig config) {
    return of(
        records,
        config.data().holdout(),
        config.data().maxHoldout(),
        config.isEmbedded()
            ? config.embedded().validationRatio()
            : config.training().validationRatio());
  }

  public long training() {
    return records - holdout - validation;
  }

  /** Number of the first record that is trained on. */
  public long firstTraining() {
    return holdout + validation;
  }
}
