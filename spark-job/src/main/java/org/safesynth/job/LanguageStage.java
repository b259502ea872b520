package org.safesynth.job;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.config.GenerationConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples a pretrained model with the run's adapter on all executors: rows are cut into shards by
 * record number, each with a random stream of its own.
 */
final class LanguageStage {
  private final RunContext context;
  private final FrozenSchema schema;
  private final FieldCodec writes; // null where any value may be written
  private final CollectionAccumulator<RejectedRecords> rejected;

  LanguageStage(RunContext context, FrozenSchema schema) {
    this.context = context;
    this.schema = schema;
    this.writes =
        LanguageTraining.writes(context.hadoop(), context.folder().adapter()).orElse(null);
    if (writes == null && context.config().protectsValues()) {
      context
          .console()
          .warn(
              "the adapter has no %s, which would tell what data.value_protection lets it write: rare values and extreme numbers may be written"
                  .formatted(LanguageTraining.ENCODING));
    }
    this.rejected = context.spark().sparkContext().collectionAccumulator("rejected records");
  }

  /**
   * The synthetic table; made when it is written.
   *
   * @param rowsDone tasks add the rows of each finished shard
   */
  Dataset<Row> table(LongAccumulator rowsDone) {
    SparkSession spark = context.spark();
    long rows = context.config().generation().numRecords();
    int size = LanguageShardSampler.size(rows);
    long shards = (rows + size - 1) / size;
    LanguageShardSampler sampler =
        new LanguageShardSampler(
            new SerializableConfiguration(context.hadoop()),
            source(),
            writes == null ? schema : writes.writable(schema),
            writes,
            rows,
            context.config().generationSeed(),
            Boolean.parseBoolean(spark.conf().get("spark.sql.datetime.java8API.enabled")),
            rowsDone,
            rejected);
    int partitions = (int) Math.max(1, Math.min(shards, spark.sparkContext().defaultParallelism()));
    return spark
        .range(0, shards, 1, partitions)
        .mapPartitions(sampler, Encoders.row(GenerateStage.type(schema)));
  }

  /** What was rejected, once the table is written. */
  Map<String, Object> rejected() {
    return RejectedRecords.summary(List.copyOf(rejected.value()));
  }

  /** Where it was sampled, in words, once the table is written. */
  String devices() {
    return rejected.value().stream()
        .map(RejectedRecords::device)
        .distinct()
        .sorted()
        .collect(Collectors.joining("; "));
  }

  private LanguageModels.Source source() {
    SafeSynthesizerConfig config = context.config();
    GenerationConfig generation = config.generation();
    LanguageBase base = LanguageBase.of(context);
    TextFiles files = new TextFiles(context.hadoop());
    Path adapter = context.folder().adapter();
    Optional<LanguageTraining.Trained> trained = LanguageTraining.trained(files, adapter);
    byte[] weights = ModelFolder.bytes(files, new Path(adapter, "adapter_model.safetensors"));
    return new LanguageModels.Source(
        base,
        adapter.toString(),
        ModelFolder.sha256(weights),
        trained
            .map(LanguageTraining.Trained::ropeScalingFactor)
            .orElse(config.training().ropeScalingFactor().value()),
        trained.map(LanguageTraining.Trained::longestRecord).orElse(0),
        Devices.forGeneration(config),
        generation.useStructuredGeneration(),
        config.temperature(),
        generation.topP(),
        generation.repetitionPenalty(),
        generation.patience(),
        generation.invalidFractionThreshold());
  }
}
