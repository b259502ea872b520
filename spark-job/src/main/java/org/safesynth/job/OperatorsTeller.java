package org.safesynth.job;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongToDoubleFunction;
import org.safesynth.train.TrainingPlan;

/**
 * Tells of private training: shows the loss on the console, marked, and stores it nowhere.
 *
 * @param epsilon what all has cost after so many steps, which tells nothing of the rows; null where
 *     it is not told
 */
record OperatorsTeller(Console console, String unit, LongToDoubleFunction epsilon)
    implements TrainingTask.Teller {
  @Override
  public void onPlan(TrainingPlan plan, long parameters, double recordsPerSecond, boolean resumed) {
    // private plans are told before the task starts
  }

  @Override
  public void onProgress(Progress progress) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("step", progress.step());
    figures.put("steps", progress.steps());
    figures.put("rows", progress.isOfRecords() ? "real" : "drawn");
    String spent = progress.isOfRecords() ? "" : "on rows drawn from the noisy counts, ";
    if (epsilon != null && progress.isOfRecords()) {
      double sofar = epsilon.applyAsDouble(progress.step());
      figures.put("epsilon", sofar);
      spent = "epsilon %.3f so far, ".formatted(sofar);
    }
    console.progress(
        "train",
        "step %,d of %,d, %sabout %s left"
            .formatted(
                progress.step(), progress.steps(), spent, Console.duration(progress.secondsLeft())),
        figures);
    if (Double.isFinite(progress.loss())) {
      console.operatorOnly(
          "training loss %.3f bits a %s (not private: for the operator only)"
              .formatted(progress.loss(), unit));
    }
  }

  @Override
  public boolean hearsLoss() {
    return true;
  }
}
