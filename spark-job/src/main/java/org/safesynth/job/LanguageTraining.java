package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.max;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.Protection;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.config.TrainingConfig;
import org.safesynth.example.ContextRules;
import org.safesynth.example.ExampleFormat;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.HfConfig;
import org.safesynth.model.HfWeights;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.PackedRecords;

/**
 * The stages that teach a pretrained model the table: records as JSON lines, packed behind the
 * prompt, and an adapter that learns them; leaves {@code adapter/} in PEFT's layout.
 */
final class LanguageTraining {
  /** Beside PEFT's own files. */
  static final String CONTEXT = "context.json";

  /** Beside PEFT's own files: what value protection lets the model write. */
  static final String ENCODING = "encoding.json";

  /** Beside PEFT's own files where values are not protected: what the table holds. */
  static final String DOMAIN = "domain.json";

  private static final int USUAL_RECORD_BYTES = 600;

  private final RunContext context;
  private final Journal journal;

  LanguageTraining(RunContext context, Journal journal) {
    this.context = context;
    this.journal = journal;
  }

  /**
   * What the adapter was trained with and {@code adapter_config.json} has no place for.
   *
   * @param ropeScalingFactor what the context is stretched by
   * @param longestRecord tokens of the longest record
   * @param groups what was seen of groups; null where records stand on their own
   */
  record Trained(int ropeScalingFactor, int longestRecord, Grouping groups) {}

  /** What an adapter was trained with; empty for one made elsewhere. */
  static Optional<Trained> trained(TextFiles files, Path adapter) {
    return files.read(new Path(adapter, CONTEXT)).flatMap(text -> Json.parse(text, Trained.class));
  }

  /**
   * What an adapter may write; empty where values are not protected, or for one made elsewhere.
   *
   * @throws RunFailedException when it was written with the adapter and is damaged or gone:
   *     sampling without it would not be protected
   */
  static Optional<FieldCodec> writes(Configuration hadoop, Path adapter) {
    return codec(hadoop, adapter, ENCODING);
  }

  /** The values of the table that an adapter learned; empty for one made elsewhere. */
  static Optional<FieldCodec> domain(Configuration hadoop, Path adapter) {
    return writes(hadoop, adapter).or(() -> codec(hadoop, adapter, DOMAIN));
  }

  private static Optional<FieldCodec> codec(Configuration hadoop, Path adapter, String name) {
    Path file = new Path(adapter, name);
    ModelFolder folder = new ModelFolder(hadoop, adapter);
    ModelFolder.Manifest manifest = folder.manifest();
    Optional<String> json =
        manifest != null && manifest.sha256().containsKey(name)
            ? Optional.of(new String(folder.checked(manifest, name), StandardCharsets.UTF_8))
            : new TextFiles(hadoop).read(file);
    return json.map(text -> FieldCodec.fromJson(text, file.toString()));
  }

  /** The base model, checked before the table is read: its configuration and all its weights. */
  static LanguageBase base(RunContext context) {
    LanguageBase base = LanguageBase.of(context);
    java.nio.file.Path local = base.local(context.hadoop());
    HfConfig.read(local);
    HfWeights.ofFolder(local);
    return base;
  }

  Pipeline.Learned train(
      TableSource table, SchemaStage.Inferred inferred, Split split, LanguageBase base) {
    CodecStage.Fitted fitted =
        journal.stage(
            "codec", () -> CodecStage.fit(context, inferred.schema(), inferred.profile()));
    journal.protection(fitted.protection());
    ExamplesManifest examples = journal.stage("encode", () -> encode(table, inferred, base));
    int longest = longest();
    learn(new Lesson(inferred, fitted.codec(), base, examples, split, longest, longest, null));
    return learned(table, inferred, split);
  }

  static Pipeline.Learned learned(TableSource table, SchemaStage.Inferred inferred, Split split) {
    FieldCodec codec = FieldCodec.fit(inferred.schema(), inferred.profile(), Protection.OFF);
    return new Pipeline.Learned(inferred.schema(), codec, split, null, table.rows());
  }

  /**
   * What an adapter is to learn.
   *
   * @param codec the columns' values
   * @param examples the encoded records, or groups
   * @param split of them
   * @param longestRecord tokens of a record
   * @param longest tokens of a record or group
   * @param groups null where records stand on their own
   */
  record Lesson(
      SchemaStage.Inferred inferred,
      FieldCodec codec,
      LanguageBase base,
      ExamplesManifest examples,
      Split split,
      int longestRecord,
      int longest,
      Grouping groups) {}

  /** Trains the adapter, and saves with the configuration what {@code auto} became. */
  void learn(Lesson lesson) {
    LanguageBase base = lesson.base();
    java.nio.file.Path local = base.local(context.hadoop());
    HfConfig model = HfConfig.read(local);
    ExampleFormat format = base.format(local, model, lesson.inferred().schema());
    Integer wanted = context.config().training().ropeScalingFactor().value();
    ContextRules rules =
        ContextRules.of(
            base.template(),
            model.maxPositions(),
            format.prompt().length + lesson.longest() + 2,
            wanted);
    Resolved resolved = resolve(rules, lesson);
    journal.model(journal.stage("train", () -> train(lesson, rules, resolved)));
    save(resolved);
  }

  /** Digest of what decides the tokens of records. */
  static String encoding(
      RunContext context,
      TableSource table,
      long rows,
      LanguageBase base,
      FrozenSchema schema,
      String grouping) {
    return digest(
        String.join(
            "\n",
            table.name(),
            Long.toString(rows),
            Long.toString(context.seed()),
            context.config().data().missingValues().toString(),
            base.toString(),
            schema.toString(),
            grouping));
  }

  private ExamplesManifest encode(
      TableSource table, SchemaStage.Inferred inferred, LanguageBase base) {
    Integer factor = context.config().training().ropeScalingFactor().value();
    long rows = inferred.profile().rows();
    LanguageEncoder encoder =
        new LanguageEncoder(
            new SerializableConfiguration(context.hadoop()), base, inferred.schema(), factor);
    EncodeStage.Encoding encoding =
        new EncodeStage.Encoding(
            table.rows(),
            inferred.cells(),
            null,
            new RecordIdentity(context.seed()),
            rows,
            encoding(context, table, rows, base, inferred.schema(), ""));
    return EncodeStage.run(encoding, encoder, USUAL_RECORD_BYTES, context.folder().examples());
  }

  /** Tokens of the longest record. */
  private int longest() {
    return context
            .spark()
            .read()
            .parquet(context.folder().examples().toString())
            .agg(max(length(col("tokens"))))
            .first()
            .getInt(0)
        / Integer.BYTES;
  }

  /**
   * What {@code auto} became.
   *
   * @param mostRecords records, or groups, of an example; null fills the context
   * @param longestRecord tokens of the longest record
   * @param groups null where records stand on their own
   */
  record Resolved(
      int ropeFactor,
      long recordsSeen,
      double learningRate,
      Integer mostRecords,
      int longestRecord,
      Grouping groups)
      implements Serializable {
    PackedRecords.Units units() {
      if (groups == null) {
        return PackedRecords.Units.RECORDS;
      }
      return groups.series() == null ? PackedRecords.Units.GROUPS : PackedRecords.Units.WINDOWS;
    }

    /** Records, or groups, that are seen in training: of groups as many as have so many records. */
    long unitsSeen() {
      return groups == null
          ? recordsSeen
          : (long) Math.ceil((double) recordsSeen * groups.units() / groups.rows());
    }
  }

  private Resolved resolve(ContextRules rules, Lesson lesson) {
    LanguageBase base = lesson.base();
    TrainingConfig training = context.config().training();
    return new Resolved(
        rules.ropeFactor(),
        training.numInputRecordsToSample().orElse(rules.automaticRecordsSeen()),
        learningRate(training, base),
        base.mostRecords() == 0 ? null : base.mostRecords(),
        lesson.longestRecord(),
        lesson.groups());
  }

  /** The highest rate; of its own for Mistral, as in the reference. */
  static double learningRate(TrainingConfig training, LanguageBase base) {
    boolean isMistral = base.template().name().equals("mistral");
    return training.learningRate().orElse(isMistral ? 1e-4 : 5e-4);
  }

  private Map<String, Object> train(Lesson lesson, ContextRules rules, Resolved resolved) {
    SafeSynthesizerConfig config = context.config();
    LanguageBase base = lesson.base();
    LanguageTrainingTask task =
        new LanguageTrainingTask(
            new SerializableConfiguration(context.hadoop()),
            context.folder(),
            lesson.examples(),
            lesson.split(),
            base,
            lesson.inferred().schema(),
            config.training(),
            Devices.forTraining(config),
            rules,
            resolved,
            besides(lesson.codec()),
            context.seed());
    ModelFolder.Manifest whole =
        new ModelFolder(context.hadoop(), context.folder().adapter()).manifest();
    if (whole != null && whole.fingerprint().equals(task.fingerprint())) {
      context.console().info("the adapter of an earlier attempt is whole: training is skipped");
      return Map.of(
          "path",
          context.folder().adapter().toString(),
          "sha256",
          whole.sha256().get(LanguageTrainingTask.WEIGHTS));
    }
    LanguageTeller teller = new LanguageTeller(context.console());
    TrainStage.Placed placed = TrainStage.outcome(context, task, teller);
    Map<String, Object> facts = facts(placed.outcome(), base);
    facts.put("placement", placed.where());
    return facts;
  }

  /** What is written beside the adapter of the values that it has seen. */
  private Map<String, String> besides(FieldCodec codec) {
    if (context.config().privacy().dpEnabled()) {
      return Map.of();
    }
    return Map.of(context.config().protectsValues() ? ENCODING : DOMAIN, codec.toJson());
  }

  private Map<String, Object> facts(TrainingTask.Outcome outcome, LanguageBase base) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", context.folder().adapter().toString());
    facts.put("base", base.folder());
    facts.put("sha256", outcome.modelSha256());
    facts.put("parameters", outcome.parameters());
    facts.put("steps", outcome.steps());
    facts.put("passes", LanguageTeller.round(outcome.passes()));
    facts.put("device", outcome.device());
    facts.put("ended", outcome.ended());
    if (outcome.bits() != null) {
      facts.put("validation_nats_per_token", LanguageTeller.round(outcome.bits()));
    }
    context
        .console()
        .progress(
            "train",
            "trained %,d steps in %s: %s"
                .formatted(outcome.steps(), Console.duration(outcome.seconds()), outcome.ended()),
            Map.of("step", outcome.steps(), "seconds", LanguageTeller.round(outcome.seconds())));
    return facts;
  }

  /** Writes into the run's configuration what {@code auto} became. */
  private void save(Resolved resolved) {
    Map<String, String> became = new LinkedHashMap<>();
    became.put("training.rope_scaling_factor", String.valueOf(resolved.ropeFactor()));
    became.put("training.num_input_records_to_sample", String.valueOf(resolved.recordsSeen()));
    became.put("training.learning_rate", String.valueOf(resolved.learningRate()));
    became.put("data.max_sequences_per_example", String.valueOf(resolved.mostRecords()));
    String yaml = context.folder().read(RunFolder.CONFIG).orElseThrow();
    context
        .folder()
        .write(RunFolder.CONFIG, Settings.saved(ConfigReader.read(yaml, RunFolder.CONFIG, became)));
  }

  static String digest(String text) {
    return ModelFolder.sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Of what decides the adapter. */
  static String digest(List<?> parts) {
    return digest(parts.toString());
  }
}
