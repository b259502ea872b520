package org.safesynth.job;

import java.util.LinkedHashMap;
import java.util.Map;
import org.safesynth.train.TrainingPlan;

/** Tells the person at the console how the training of an adapter goes. */
final class LanguageTeller implements TrainingTask.Teller {
  private final Console console;

  LanguageTeller(Console console) {
    this.console = console;
  }

  @Override
  public void onDevice(String words) {
    console.info("training on " + words);
  }

  @Override
  public void onPlan(
      TrainingPlan plan, long parameters, double examplesPerSecond, boolean resumed) {
    String time =
        Double.isNaN(examplesPerSecond)
            ? ""
            : ", about %s at %,.2f examples/s"
                .formatted(Console.duration(plan.records() / examplesPerSecond), examplesPerSecond);
    console.progress(
        "train",
        "%s: an adapter of %,d parameters, %,d examples and %,d for validation, %d in a step (%,d steps)%s"
            .formatted(
                resumed ? "resuming the plan" : "plan",
                parameters,
                plan.records(),
                plan.validationRecords(),
                plan.batchSize(),
                plan.steps(),
                time),
        Map.of("parameters", parameters, "steps", plan.steps()));
  }

  @Override
  public void onProgress(Progress progress) {
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("step", progress.step());
    figures.put("steps", progress.steps());
    figures.put("loss_nats_per_token", round(progress.loss()));
    boolean isValidated = Double.isFinite(progress.validationLoss());
    if (isValidated) {
      figures.put("validation_nats_per_token", round(progress.validationLoss()));
    }
    figures.put("tokens_per_second", Math.round(progress.tokensPerSecond()));
    figures.put("seconds_left", Math.round(progress.secondsLeft()));
    console.progress(
        "train",
        "step %,d of %,d, loss %.3f%s nats a token, %,.0f tokens/s, about %s left"
            .formatted(
                progress.step(),
                progress.steps(),
                progress.loss(),
                isValidated ? ", validation %.3f".formatted(progress.validationLoss()) : "",
                progress.tokensPerSecond(),
                Console.duration(progress.secondsLeft())),
        figures);
  }

  static double round(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
