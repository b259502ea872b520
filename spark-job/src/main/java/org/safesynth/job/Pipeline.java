package org.safesynth.job;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.evaluate.EvaluationResult;
import org.safesynth.schema.FrozenSchema;

/**
 * The tour of a run: a table goes in, and stage by stage, each from what the one before left in the
 * run folder, a synthetic table comes out. No stage reaches back.
 */
final class Pipeline {
  private static final int SECONDS_BETWEEN_PROGRESS = 2;

  private final RunContext context;
  private final Journal journal;
  private volatile long toldRows; // of the table that is being written

  Pipeline(RunContext context, Journal journal) {
    this.context = context;
    this.journal = journal;
  }

  /**
   * What training knows of the real table, for a comparison at the end.
   *
   * @param groups of a table of groups; else null
   * @param rows the table itself where a pretrained model learned it; else null
   */
  record Learned(
      FrozenSchema schema, FieldCodec codec, Split split, GroupCodec groups, Dataset<Row> rows) {
    Learned(FrozenSchema schema, FieldCodec codec, Split split) {
      this(schema, codec, split, null);
    }

    Learned(FrozenSchema schema, FieldCodec codec, Split split, GroupCodec groups) {
      this(schema, codec, split, groups, null);
    }
  }

  /** Reads and learns; leaves {@code schema.json} and {@code model/}. */
  Learned train(TableSource.Address address) {
    TableSource table = journal.stage("open", () -> open(address));
    if (context.generates()) {
      GenerationWishes.requireColumns(context, table);
    }
    Devices.require(context);
    if (context.config().privacy().dpEnabled()) {
      return GroupStages.isAsked(context)
          ? new PrivateGroupStages(context, journal).train(table)
          : new PrivateStages(context, journal).train(table);
    }
    LanguageBase base = context.config().isEmbedded() ? null : LanguageTraining.base(context);
    if (GroupStages.isAsked(context)) {
      return base == null
          ? new GroupStages(context, journal).train(table)
          : new LanguageGroups(context, journal).train(table, base);
    }
    SchemaStage.Inferred inferred =
        journal.stage("schema", () -> table.reading(() -> SchemaStage.run(context, table)));
    Split split = split(inferred);
    if (base != null) {
      return new LanguageTraining(context, journal).train(table, inferred, split, base);
    }
    CodecStage.Fitted fitted =
        journal.stage(
            "codec", () -> CodecStage.run(context, inferred.schema(), inferred.profile()));
    journal.protection(fitted.protection());
    FieldCodec codec =
        journal.stage(
            "places", () -> new PlaceStage(context, table, inferred).placed(fitted.codec()));
    ExamplesManifest examples = journal.stage("encode", () -> encode(table, inferred, codec));
    TrainStage.Trained trained =
        journal.stage(
            "train", () -> TrainStage.run(context, inferred.schema(), codec, examples, split));
    journal.model(trained.facts());
    return new Learned(inferred.schema(), codec, split);
  }

  private TableSource open(TableSource.Address address) {
    return NumberedRows.of(context.config(), TableSource.open(context.spark(), address));
  }

  /** Samples the model in the run folder; leaves {@code synthetic/}, and one file if asked for. */
  void generate(String outputFile) {
    FrozenSchema schema = SchemaStage.read(context.folder());
    Path table = context.folder().synthetic();
    LanguageStage language =
        context.config().isEmbedded() ? null : new LanguageStage(context, schema);
    long rows = journal.stage("generate", () -> write(schema, table, language));
    journal.count("generated", rows);
    if (language != null) {
      context.folder().write(RunFolder.REJECTED, Json.file(language.rejected()));
      journal.fact("sampled_on", language.devices());
      context.console().info("sampled on " + language.devices());
    }
    Path copy = outputFile == null ? null : journal.stage("copy", () -> copy(table, outputFile));
    journal.output(table.toString(), copy == null ? null : copy.toString());
    if (context.config().data().parent() != null) {
      Path parents = context.folder().syntheticParent();
      Path parentCopy =
          outputFile == null ? null : copy(parents, OutputWriter.ofParent(outputFile));
      context
          .console()
          .result(
              "their synthetic parents in %s%s"
                  .formatted(parents, parentCopy == null ? "" : " and " + parentCopy));
    }
    context
        .console()
        .result(
            "%,d synthetic rows in %s%s"
                .formatted(rows, table, copy == null ? "" : " and " + copy));
  }

  /** Fills the missing cells of a table; leaves {@code imputed/}, and one file if asked for. */
  void impute(TableSource.Address address, String outputFile) {
    FrozenSchema schema = SchemaStage.read(context.folder());
    Path folder = context.folder().imputed();
    TableSource table = journal.stage("open", () -> TableSource.open(context.spark(), address));
    RowCompleter model = RowCompleter.of(context, schema);
    long rows =
        journal.stage(
            "impute",
            () -> {
              try (CompletionStage completion =
                  CompletionStage.ofTable(context, schema, model, table, false)) {
                return write(completion.rows(), folder, completion::table);
              }
            });
    journal.count("imputed", rows);
    Path copy = outputFile == null ? null : journal.stage("copy", () -> copy(folder, outputFile));
    journal.output(folder.toString(), copy == null ? null : copy.toString());
    context
        .console()
        .result(
            "%,d rows without missing values in %s%s"
                .formatted(rows, folder, copy == null ? "" : " and " + copy));
  }

  /** Compares what was generated with what was learned. */
  void compare(Learned learned) {
    Dataset<Row> synthetic =
        context.spark().read().parquet(context.folder().synthetic().toString());
    journal
        .stage(
            "compare",
            () -> {
              MapFunction<Row, Object[]> cells =
                  SchemaStage.cells(learned.schema(), synthetic.schema());
              if (learned.rows() != null) {
                return QualityStage.ofTable(
                    context, learned.schema(), learned.codec(), learned.rows(), synthetic, cells);
              }
              if (context.config().data().parent() != null) {
                return QualityStage.ofRelated(context, learned.schema(), learned.groups());
              }
              return learned.groups() == null
                  ? QualityStage.run(context, learned.schema(), learned.codec(), synthetic, cells)
                  : QualityStage.ofGroups(
                      context, learned.schema(), learned.groups(), synthetic, cells);
            })
        .ifPresent(journal::quality);
    if (context.config().privacy().dpEnabled()) {
      context
          .console()
          .info(
              "that comparison looked at the real rows without noise: it is for the operator and no part of what privacy.json covers");
    }
  }

  /**
   * Judges what was generated against the data source; leaves {@code metrics.json} and {@code
   * report.html}.
   *
   * @return the exit code: 1 when a score is below its threshold
   */
  int evaluate(TableSource.Address address, Learned learned, boolean hasReferenceLayout) {
    if (!context.config().evaluation().enabled()) {
      return 0;
    }
    List<EvaluationResult> found =
        journal.stage(
            "evaluate",
            () -> {
              return EvaluateStage.ofRun(
                  context,
                  open(address),
                  learned.schema(),
                  learned.split(),
                  journal.facts(),
                  hasReferenceLayout);
            });
    context.console().result("report in " + new Path(context.folder().path(), RunFolder.REPORT));
    return EvaluateStage.verdict(context, found);
  }

  private Split split(SchemaStage.Inferred inferred) {
    long rows = inferred.profile().rows();
    Split split = Split.of(rows, context.config());
    context
        .console()
        .progress(
            "read",
            "%,d rows of %d columns: %,d to learn, %,d to validate, %,d held out"
                .formatted(
                    rows,
                    inferred.schema().columns().size(),
                    split.training(),
                    split.validation(),
                    split.holdout()),
            Map.of("rows", rows, "columns", inferred.schema().columns().size()));
    split.notes().forEach(context.console()::warn);
    journal.count("rows", rows);
    journal.count("training", split.training());
    journal.count("validation", split.validation());
    journal.count("holdout", split.holdout());
    return split;
  }

  private ExamplesManifest encode(
      TableSource table, SchemaStage.Inferred inferred, FieldCodec codec) {
    RecordIdentity identity = new RecordIdentity(context.seed());
    long rows = inferred.profile().rows();
    EncodeStage.Encoding encoding =
        new EncodeStage.Encoding(
            table.rows(),
            inferred.cells(),
            codec,
            identity,
            rows,
            Fingerprint.of(
                table, rows, context.config(), inferred.schema(), codec, context.seed()));
    return EncodeStage.run(encoding, context.folder().examples());
  }

  private long write(FrozenSchema schema, Path folder, LanguageStage language) {
    boolean isConstrained = !context.config().generation().constraints().isEmpty();
    if (isConstrained && language == null && !GroupStages.isAsked(context)) {
      return writeConstrained(schema, folder);
    }
    if (GroupStages.isAsked(context)) {
      Path scratch = new Path(context.folder().work(), "groups");
      if (language != null) {
        return write(folder, language);
      }
      GroupGeneration groups = new GroupGeneration(context, schema);
      long rows = write(groups.rows(), folder, done -> groups.table(scratch, done));
      if (groups.rejected() != null) {
        tellRejected(groups.rejected());
      }
      if (groups.hasParents()) {
        Path parents = context.folder().syntheticParent();
        OutputWriter.writeTable(groups.parents(scratch), parents);
        journal.count(
            "generated_parents", context.spark().read().parquet(parents.toString()).count());
      }
      return rows;
    }
    if (CompletionStage.isAsked(context.config())) {
      RowCompleter model =
          language == null ? RowCompleter.ofEmbedded(context) : language.completer();
      try (CompletionStage completion = CompletionStage.of(context, schema, model)) {
        return write(completion.rows(), folder, completion::table);
      }
    }
    if (language != null) {
      return write(folder, language);
    }
    return write(
        context.config().generation().numRecords(),
        folder,
        rows -> GenerateStage.run(context, schema, rows));
  }

  private long write(Path folder, LanguageStage language) {
    Path scratch = new Path(context.folder().work(), "sampled");
    long rows = write(language.rows(), folder, done -> language.table(scratch, done));
    if (language.thrownAway() != null) {
      tellThrownAway(language.thrownAway());
    }
    return rows;
  }

  private long writeConstrained(FrozenSchema schema, Path folder) {
    ConstrainedStage constrained = ConstrainedStage.ofEmbedded(context, schema);
    Path scratch = new Path(context.folder().work(), "candidates");
    long rows =
        write(
            context.config().generation().numRecords(),
            folder,
            done -> constrained.table(scratch, done));
    tellRejected(constrained.rejected());
    return rows;
  }

  private void tellRejected(Map<String, Object> rejected) {
    context.folder().write(RunFolder.REJECTED, Json.file(rejected));
    tellThrownAway(rejected);
  }

  private void tellThrownAway(Map<String, Object> rejected) {
    context
        .console()
        .info(
            "%,d rows were sampled and thrown away for generation.constraints (rejected.json)"
                .formatted((Long) rejected.get("rejected")));
  }

  private long write(long asked, Path folder, Function<LongAccumulator, Dataset<Row>> source) {
    SparkSession spark = context.spark();
    ScheduledExecutorService ticker = Executors.newSingleThreadScheduledExecutor();
    try (RunningTotal rows = new RunningTotal(spark.sparkContext(), "synthetic rows")) {
      long begin = System.nanoTime();
      toldRows = 0;
      ticker.scheduleAtFixedRate(
          () -> progress(rows.value(), asked, begin),
          SECONDS_BETWEEN_PROGRESS,
          SECONDS_BETWEEN_PROGRESS,
          TimeUnit.SECONDS);
      spark.sparkContext().setJobDescription("generate " + asked + " rows");
      Dataset<Row> table = source.apply(rows.accumulator());
      if (folder.equals(context.folder().synthetic())) {
        replaceSynthetic();
      }
      OutputWriter.writeTable(table, folder);
      ticker.shutdownNow();
      long written = spark.read().parquet(folder.toString()).count();
      progress(written, asked, begin);
      return written;
    } finally {
      ticker.shutdownNow();
      spark.sparkContext().setJobDescription(null);
    }
  }

  /**
   * What is bad input was refused by now: an earlier table and its report are lost from here on.
   */
  private void replaceSynthetic() {
    journal.replaces();
    context.folder().forgetEvaluation();
    // The embedded model's grammar admits valid records only: there is nothing to reject.
    context.folder().write(RunFolder.REJECTED, Json.file(Map.of("rejected", 0)));
  }

  private void progress(long sampled, long asked, long begin) {
    double seconds = (System.nanoTime() - begin) / 1e9;
    // How many rows groups have, or how many do not meet conditions, is known at the end only.
    boolean isOpen =
        GroupStages.isAsked(context) || !context.config().generation().constraints().isEmpty();
    long rows = isOpen ? sampled : Math.min(asked, sampled);
    if (rows > toldRows) {
      toldRows = rows;
      double rate = rows / seconds;
      String of = isOpen ? "" : "of %,d ".formatted(asked);
      context
          .console()
          .progress(
              "generate",
              "generated %,d %srows, %,.0f rows/s".formatted(rows, of, rate),
              Map.of("rows", rows, "rows_per_second", Math.round(rate)));
    }
  }

  private Path copy(Path table, String file) {
    Path scratch = new Path(context.folder().work(), "output");
    return OutputWriter.copyToFile(context.spark(), table, file, scratch);
  }
}
