package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import org.apache.spark.SparkConf;
import org.apache.spark.metrics.MetricsSystem;
import org.apache.spark.metrics.source.Source;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class RunMetricsTest {
  private static Source source(MetricsSystem system) {
    return system.getSourcesByName("safesynth").head();
  }

  @Test
  void figuresOfTrainingAndGenerationAreGaugesThatFollow() {
    MetricsSystem system = MetricsSystem.createMetricsSystem("driver", new SparkConf());
    system.start(false);
    try (RunMetrics metrics = RunMetrics.registerWith(system)) {
      metrics.update("train", Map.of("step", 3L, "loss_bits_per_row", 21.5));
      metrics.update("train", Map.of("step", 4L, "loss_bits_per_row", 20.5));
      metrics.update("generate", Map.of("rows", 100L));
      metrics.update("quality", Map.of("shapes", .9)); // of the real table
      metrics.update("read", Map.of("rows", 12_345L)); // too
      metrics.update("train", Map.of("device", "no number"));
      Source source = source(system);
      assertEquals(
          Set.of("train.step", "train.loss_bits_per_row", "generate.rows"),
          source.metricRegistry().getGauges().keySet());
      assertEquals(4L, source.metricRegistry().getGauges().get("train.step").getValue());
    }
    assertTrue(
        system.getSourcesByName("safesynth").isEmpty(), "a run that has ended shows nothing");
    system.stop();
  }
}
