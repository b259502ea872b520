package org.safesynth.job;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.safesynth.codec.DomainCodec;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.RecordEncoder;
import org.safesynth.codec.Roundness;
import org.safesynth.config.PrivacyConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.marginal.Marginals;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaFile;
import org.safesynth.train.PrivateAutoPlan;
import org.safesynth.train.PrivatePlan;

/**
 * The tour of a private run: agree on the domain without looking, buy the number of records, buy
 * noisy counts, write the ledger, and train with what is left of the budget. Nothing else that is
 * computed from the rows decides anything.
 */
final class PrivateStages {
  /** Part of δ for the chance that one record's own value enters a bought domain. */
  private static final double FAILURE_SHARE = 0.05;

  private final RunContext context;
  private final Journal journal;
  private final PrivacyConfig privacy;
  private final PrivateBudget budget;

  PrivateStages(RunContext context, Journal journal) {
    this.context = context;
    this.journal = journal;
    this.privacy = context.config().privacy();
    this.budget = new PrivateBudget(context, PrivateBudget.Unit.RECORD);
  }

  Pipeline.Learned train(TableSource table) {
    LanguageBase base = context.config().isEmbedded() ? null : LanguageTraining.base(context);
    PrivateSchema.Agreed known = journal.stage("schema", () -> PrivateSchema.run(context, table));
    int target = target(known.schema());
    PrivateUnits units =
        journal.stage("count", () -> budget.units(() -> table.reading(() -> table.rows().count())));
    double ofDomain = known.open().isEmpty() ? 0 : privacy.domainEpsilonShare().orElse(0.0);
    PrivateSchema.Agreed agreed =
        ofDomain == 0
            ? known
            : journal.stage("domain", () -> buyDomain(table, known, units, ofDomain));
    FrozenSchema schema = agreed.schema();
    context.folder().write(RunFolder.SCHEMA, SchemaFile.write(schema));
    PrivateLanguageTraining language =
        base == null ? null : new PrivateLanguageTraining(context, journal, base, agreed);
    double share =
        privacy.marginalEpsilonShare().orElse(PrivateAutoPlan.marginalShare(privacy.epsilon()));
    double rho = budget.rho(share * (1 - ofDomain));
    MarginalStage marginalStage =
        new MarginalStage(budget.purchases(), budget.streams(), rho, target >= 0);
    FieldCodec fine = DomainCodec.fine(schema);
    double[][] fineOnes =
        share == 0
            ? null
            : journal.stage(
                "marginals",
                () ->
                    marginalStage.ones(
                        fine.positions(),
                        units.trained(),
                        () -> counted(table, agreed, fine, units)));
    Roundness roundness = new Roundness(schema);
    MarginalStage.Rounds rounds =
        share == 0
            ? null
            : journal.stage(
                "roundness",
                () ->
                    marginalStage.rounds(
                        roundness,
                        units.trained(),
                        () -> counted(table, agreed, roundness, units)));
    int bins = PrivateAutoPlan.bins(units.trained(), privacy.epsilon());
    FieldCodec codec =
        rounds == null
            ? DomainCodec.binned(schema, fineOnes, bins)
            : DomainCodec.binned(
                schema, fineOnes, bins, roundness, rounds.counts(), rounds.sigma());
    ExamplesManifest examples = journal.stage("encode", () -> encode(table, agreed, codec, units));
    Marginals marginals =
        fineOnes == null
            ? null
            : journal.stage(
                "pairs", () -> pairs(marginalStage, schema, codec, fineOnes, units, target));
    PrivatePlan plan =
        language == null ? budget.plan(share) : budget.plan(share, language.work(units.trained()));
    budget.writeLedger(agreed.knownBy(), 1, plan);
    long heldOut = examples().filter(functions.col("id_high").lt(units.threshold())).count();
    journal.model(
        language == null
            ? journal
                .stage("train", () -> train(schema, codec, examples, marginals, plan, heldOut))
                .facts()
            : language.train(
                table, codec, marginals, plan, units, heldOut, budget.epsilonAfter(plan)));
    Split split = new Split(examples.records(), heldOut, 0, List.of());
    return new Pipeline.Learned(schema, codec, split);
  }

  private long[][] counted(
      TableSource table, PrivateSchema.Agreed agreed, RecordEncoder encoder, PrivateUnits units) {
    RecordIdentity identity = new RecordIdentity(context.seed());
    return table.reading(
        () -> TokenCounts.ofTrained(table.rows(), agreed.cells(), encoder, identity, units));
  }

  private PrivateSchema.Agreed buyDomain(
      TableSource table, PrivateSchema.Agreed known, PrivateUnits units, double share) {
    Set<String> missing = SchemaStage.missing(context.config().data(), table);
    DomainStage stage =
        new DomainStage(
            budget.purchases(),
            budget.streams(),
            budget.rho(share),
            FAILURE_SHARE * budget.delta().value());
    FrozenSchema schema = stage.buy(table, table.rows(), missing, known, units.records());
    context
        .console()
        .progress(
            "domain",
            "bought the domain of %d columns: %s"
                .formatted(known.open().size(), SchemaStage.kinds(schema)),
            Map.of("columns", known.open().size()));
    return PrivateSchema.bought(context, table, known, schema);
  }

  private int target(FrozenSchema schema) {
    String name = context.config().evaluation().target();
    List<String> names = schema.columns().stream().map(ColumnSchema::name).toList();
    if (name != null && !names.contains(name)) {
      throw new BadInputException(
          "evaluation.target is '%s', but the table has no such column".formatted(name));
    }
    return name == null ? -1 : names.indexOf(name);
  }

  private ExamplesManifest encode(
      TableSource table, PrivateSchema.Agreed agreed, FieldCodec codec, PrivateUnits units) {
    String fingerprint =
        Fingerprint.of(table, 0, context.config(), agreed.schema(), codec, context.seed());
    EncodeStage.Encoding encoding =
        new EncodeStage.Encoding(
            table.rows(),
            agreed.cells(),
            codec,
            new RecordIdentity(context.seed()),
            Math.round(units.records()),
            fingerprint,
            false);
    return EncodeStage.run(encoding, context.folder().examples());
  }

  private Dataset<Row> examples() {
    return context.spark().read().parquet(context.folder().examples().toString());
  }

  private Marginals pairs(
      MarginalStage stage,
      FrozenSchema schema,
      FieldCodec codec,
      double[][] fineOnes,
      PrivateUnits units,
      int target) {
    double[][] ones = DomainCodec.inBins(schema, codec, fineOnes);
    int[] sizes = new int[codec.positions()];
    Arrays.setAll(sizes, codec::vocabularySize);
    long cells = TokenCounts.cellsOfPairs(sizes);
    if (sizes.length < 2 || cells > MarginalStage.MOST_CELLS) {
      context
          .console()
          .warn(
              "pairs of columns are not counted: %,d cells, and the driver takes 1 to %,d; single columns are, and training learns the rest"
                  .formatted(cells, MarginalStage.MOST_CELLS));
      return new Marginals(ones, 0, List.of(), List.of());
    }
    Dataset<Row> training =
        examples().filter(functions.col("id_high").geq(units.threshold())).select("tokens");
    int position = target < 0 ? -1 : codec.firstPosition(target);
    return stage.pairs(ones, units.trained(), position, () -> TokenCounts.ofPairs(training, sizes));
  }

  private TrainStage.Trained train(
      FrozenSchema schema,
      FieldCodec codec,
      ExamplesManifest examples,
      Marginals marginals,
      PrivatePlan plan,
      long heldOut) {
    int[] sizes = new int[codec.positions()];
    Arrays.setAll(sizes, codec::vocabularySize);
    FieldDecoderConfig shape =
        PrivateAutoPlan.decoder(
            Arrays.stream(sizes).boxed().toList(), TrainStage.wishes(context.config()));
    PrivateTrainingTask task =
        new PrivateTrainingTask(
            context.hadoop(),
            context.folder(),
            examples,
            codec,
            shape,
            plan,
            marginals,
            heldOut,
            context.seed());
    ModelFolder.Manifest whole =
        new ModelFolder(context.hadoop(), context.folder().model()).manifest();
    return TrainStage.whole(context, whole, task.fingerprint())
        .orElseGet(
            () ->
                TrainStage.place(
                    context,
                    task,
                    new OperatorsTeller(context.console(), "row", budget.epsilonAfter(plan))));
  }
}
