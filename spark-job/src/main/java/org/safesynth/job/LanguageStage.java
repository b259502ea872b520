package org.safesynth.job;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.config.GenerationConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.example.ContextRules;
import org.safesynth.example.PromptTemplate;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaFile;
import org.safesynth.tokenizer.TokenizerFolder;

/**
 * Samples a pretrained model with the run's adapter on all executors: rows are cut into shards by
 * record number, each with a random stream of its own.
 */
final class LanguageStage {
  private final RunContext context;
  private final FrozenSchema schema;
  private final CollectionAccumulator<RejectedRecords> rejected;

  LanguageStage(RunContext context, FrozenSchema schema) {
    this.context = context;
    this.schema = schema;
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
    int size = LanguageShardSampler.ROWS;
    long shards = (rows + size - 1) / size;
    LanguageShardSampler sampler =
        new LanguageShardSampler(
            new SerializableConfiguration(context.hadoop()),
            source(),
            schema,
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

  private LanguageModels.Source source() {
    SafeSynthesizerConfig config = context.config();
    GenerationConfig generation = config.generation();
    String model = config.training().pretrainedModel();
    Path base =
        new ModelHome(context.hadoop(), config.cluster().modelHome(), System.getenv()).find(model);
    TextFiles files = new TextFiles(context.hadoop());
    if (!files.exists(new Path(base, TokenizerFolder.FILE))) {
      throw new BadInputException(
          "the model folder %s has no %s: copy it there from where the model came from"
              .formatted(base, TokenizerFolder.FILE));
    }
    PromptTemplate template =
        PromptTemplate.choose(config.training().promptTemplate(), model, architecture(files, base));
    Integer factor = config.training().ropeScalingFactor().value();
    String warning = ContextRules.of(template, ContextRules.CAP, 0, factor).warning();
    if (warning != null) {
      context.console().warn(warning);
    }
    Path adapter = context.folder().adapter();
    byte[] weights = ModelFolder.bytes(files, new Path(adapter, "adapter_model.safetensors"));
    return new LanguageModels.Source(
        base.toString(),
        adapter.toString(),
        ModelFolder.sha256(weights),
        template,
        maxLengths(files, config.data().schemaFile()),
        factor,
        mostRecords(config),
        generation.useStructuredGeneration(),
        config.temperature(),
        generation.topP(),
        generation.repetitionPenalty(),
        generation.patience(),
        generation.invalidFractionThreshold());
  }

  private static int mostRecords(SafeSynthesizerConfig config) {
    var wanted = config.data().maxSequencesPerExample();
    return ContextRules.mostRecords(
        wanted != null && wanted.isAuto(),
        wanted == null ? null : wanted.value(),
        config.privacy().dpEnabled());
  }

  private static String architecture(TextFiles files, Path base) {
    return files
        .read(new Path(base, "config.json"))
        .flatMap(text -> Json.parse(text, Map.class))
        .map(json -> String.valueOf(json.get("model_type")))
        .orElse("");
  }

  /** Lengths that the user declared; the longest text of a private column is private. */
  private static Map<String, Integer> maxLengths(TextFiles files, String schemaFile) {
    Map<String, Integer> lengths = new HashMap<>();
    if (schemaFile != null) {
      files
          .read(new Path(schemaFile))
          .map(json -> SchemaFile.read(json, schemaFile))
          .ifPresent(
              declared -> {
                for (DeclaredColumn column : declared.values()) {
                  if (column.maxLength() != null && column.maxLength() > 0) {
                    lengths.put(column.name(), column.maxLength());
                  }
                }
              });
    }
    return lengths;
  }
}
