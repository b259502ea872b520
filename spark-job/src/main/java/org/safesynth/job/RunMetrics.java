package org.safesynth.job;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.MetricsSystem;
import org.apache.spark.metrics.source.Source;

/**
 * Shows where a run stands to the sinks of Spark's metrics system (Prometheus, Graphite, JMX, CSV,
 * the UI's {@code /metrics/json}) as gauges of the driver: {@code safesynth.train.step}, {@code
 * safesynth.generate.rows} and their like, named as in {@code progress.jsonl}.
 *
 * <p>Training and generation only: what other stages tell is about the real table. The loss of a
 * private training is no figure of its progress, and so reaches no sink.
 */
final class RunMetrics implements Source, AutoCloseable {
  private static final String NAME = "safesynth";

  private final MetricsSystem system;
  private final MetricRegistry registry = new MetricRegistry();
  private final Map<String, Number> values = new ConcurrentHashMap<>();

  private RunMetrics(MetricsSystem system) {
    this.system = system;
  }

  /** Registers the gauges with the session's metrics system; each appears with its first value. */
  static RunMetrics register() {
    return registerWith(SparkEnv.get().metricsSystem());
  }

  static RunMetrics registerWith(MetricsSystem system) {
    RunMetrics metrics = new RunMetrics(system);
    system.registerSource(metrics);
    return metrics;
  }

  void update(String stage, Map<String, ?> figures) {
    if (!stage.equals("train") && !stage.equals("generate")) {
      return;
    }
    figures.forEach(
        (figure, value) -> {
          if (value instanceof Number number) {
            String name = MetricRegistry.name(stage, figure);
            if (values.put(name, number) == null) {
              Gauge<Number> gauge = () -> values.get(name);
              registry.register(name, gauge);
            }
          }
        });
  }

  @Override
  public String sourceName() {
    return NAME;
  }

  @Override
  public MetricRegistry metricRegistry() {
    return registry;
  }

  /** The last values go to the sinks before the gauges vanish. */
  @Override
  public void close() {
    system.report();
    system.removeSource(this);
  }
}
