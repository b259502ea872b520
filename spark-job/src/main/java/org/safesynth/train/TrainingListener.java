package org.safesynth.train;

import java.io.Serializable;

/** Hears how training goes. */
@FunctionalInterface
public interface TrainingListener {
  /**
   * Where training stands.
   *
   * @param step steps done
   * @param steps steps planned
   * @param loss training loss of the last steps in bits a record, or, of an adapter, in nats a
   *     token
   * @param validationLoss last validation loss in the same unit; NaN before the first
   * @param recordsPerSecond since the last report
   * @param tokensPerSecond since the last report
   * @param secondsLeft until the end of the plan or of the time limit; early stopping may be sooner
   * @param isOfRecords whether the steps see the table's records; false for rows that are drawn
   *     from noisy counts, which cost no privacy
   */
  record Progress(
      long step,
      long steps,
      double loss,
      double validationLoss,
      double recordsPerSecond,
      double tokensPerSecond,
      double secondsLeft,
      boolean isOfRecords)
      implements Serializable {}

  void onProgress(Progress progress);
}
