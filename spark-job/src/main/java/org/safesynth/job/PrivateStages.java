package org.safesynth.job;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.safesynth.codec.DomainCodec;
import org.safesynth.codec.FieldCodec;
import org.safesynth.config.PrivacyConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.marginal.Marginals;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.privacy.Accountant;
import org.safesynth.privacy.BoundedLoss;
import org.safesynth.privacy.Calibration;
import org.safesynth.privacy.Delta;
import org.safesynth.privacy.DiscreteLaplace;
import org.safesynth.privacy.Epsilon;
import org.safesynth.privacy.Gaussian;
import org.safesynth.privacy.LedgerEntry;
import org.safesynth.privacy.Mechanism;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.PrivacyLedger;
import org.safesynth.privacy.PrivacyLedger.UnitsKnownBy;
import org.safesynth.privacy.PrivacyLedgerBuilder;
import org.safesynth.privacy.RdpAccountant;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.privacy.SecretStreams.Purpose;
import org.safesynth.privacy.SubsampledGaussian;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaFile;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.PrivateAutoPlan;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.TrainingPlan;

/**
 * The tour of a private run: agree on the domain without looking, buy the number of records, buy
 * noisy counts, write the ledger, and train with what is left of the budget. Nothing else that is
 * computed from the rows decides anything.
 */
final class PrivateStages {
  /** Part of ε for the number of records, where it is not public. */
  private static final double COUNT_SHARE = 0.02;

  /** Part of δ for the chance that one record's own value enters a bought domain. */
  private static final double FAILURE_SHARE = 0.05;

  /** With fewer, the noise of training is all there is. */
  private static final int LEAST_RECORDS = 100;

  /** A noisy count that is not this many times its noise's scale is not known: 10 miss by e^-10. */
  private static final int LEAST_SCALES = 10;

  private static final int MICRO_BATCH = 64;
  private static final double WEIGHT_DECAY = 0.01;
  private static final double AVERAGE_DECAY = 0.95;
  private static final double WARMUP = 0.05;

  private final RunContext context;
  private final Journal journal;
  private final PrivacyConfig privacy;
  private final Purchases purchases;
  private final SecretStreams streams = SecretStreams.secure();

  PrivateStages(RunContext context, Journal journal) {
    this.context = context;
    this.journal = journal;
    this.privacy = context.config().privacy();
    this.purchases = new Purchases(context.hadoop(), context.folder().bought());
  }

  Pipeline.Learned train(TableSource table) {
    PrivateSchema.Agreed known = journal.stage("schema", () -> PrivateSchema.run(context, table));
    int target = target(known.schema());
    PrivateUnits units = journal.stage("count", () -> units(table));
    Delta delta =
        privacy.delta().isAuto()
            ? Delta.automatic(units.records())
            : new Delta(privacy.delta().value());
    double ofDomain = known.open().isEmpty() ? 0 : privacy.domainEpsilonShare().orElse(0.0);
    PrivateSchema.Agreed agreed =
        ofDomain == 0
            ? known
            : journal.stage("domain", () -> buyDomain(table, known, units, delta, ofDomain));
    FrozenSchema schema = agreed.schema();
    context.folder().write(RunFolder.SCHEMA, SchemaFile.write(schema));
    double share =
        privacy.marginalEpsilonShare().orElse(PrivateAutoPlan.marginalShare(privacy.epsilon()));
    double rho = rho(share * (1 - ofDomain), delta);
    MarginalStage marginalStage = new MarginalStage(purchases, streams, rho, target >= 0);
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
                        () ->
                            table.reading(
                                () ->
                                    TokenCounts.ofPositions(table.rows(), agreed.cells(), fine))));
    int bins = PrivateAutoPlan.bins(units.trained(), privacy.epsilon());
    FieldCodec codec = DomainCodec.binned(schema, fineOnes, bins);
    ExamplesManifest examples = journal.stage("encode", () -> encode(table, agreed, codec, units));
    Marginals marginals =
        fineOnes == null
            ? null
            : journal.stage(
                "pairs", () -> pairs(marginalStage, schema, codec, fineOnes, units, target));
    PrivatePlan plan = plan(units, delta, share);
    writeLedger(agreed, units, delta, plan);
    long heldOut = examples().filter(functions.col("id_high").lt(units.threshold())).count();
    TrainStage.Trained trained =
        journal.stage("train", () -> train(schema, codec, examples, marginals, plan, heldOut));
    journal.model(trained.facts());
    Split split = new Split(examples.records(), heldOut, 0, List.of());
    return new Pipeline.Learned(schema, codec, split);
  }

  private PrivateSchema.Agreed buyDomain(
      TableSource table,
      PrivateSchema.Agreed known,
      PrivateUnits units,
      Delta delta,
      double share) {
    Set<String> missing = SchemaStage.missing(context.config().data(), table);
    DomainStage stage =
        new DomainStage(purchases, streams, rho(share, delta), FAILURE_SHARE * delta.value());
    FrozenSchema schema = stage.buy(table, missing, known, units.records());
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

  private PrivateUnits units(TableSource table) {
    double records;
    double least = LEAST_RECORDS;
    if (privacy.publicCount()) {
      records = table.reading(() -> table.rows().count());
    } else {
      Epsilon epsilon = new Epsilon(COUNT_SHARE * privacy.epsilon());
      LedgerEntry entry =
          LedgerEntry.of("count", "noisy number of records", BoundedLoss.pure(epsilon.value()));
      double[][] noisy =
          purchases.once(
              entry,
              () -> {
                long exact = table.reading(() -> table.rows().count());
                long noise =
                    DiscreteLaplace.hiding(1, epsilon).draw(streams.stream(Purpose.UNIT_COUNT));
                return new double[][] {{exact + noise}};
              });
      records = noisy[0][0];
      least = Math.max(least, LEAST_SCALES * DiscreteLaplace.hiding(1, epsilon).scale());
    }
    if (records < least) {
      throw new BadInputException(
          "about %,.0f records (%s) are too few for privacy.epsilon %s, which needs %,.0f or more: its noise would leave nothing of them; raise epsilon%s"
              .formatted(
                  records,
                  privacy.publicCount() ? "a number declared public" : "a noisy count",
                  privacy.epsilon(),
                  least,
                  privacy.publicCount()
                      ? ""
                      : ", or set privacy.public_count: true if the number of records is public"));
    }
    PrivateUnits units = PrivateUnits.of(records, context.config().data());
    context
        .console()
        .progress(
            "read",
            "about %,.0f records (%s); a record is held out with probability %.3f"
                .formatted(
                    records,
                    privacy.publicCount() ? "the number is declared public" : "a noisy count",
                    units.heldOutShare()),
            Map.of("records", records));
    return units;
  }

  /** The zero-concentrated budget that would alone cost the share at the same δ. */
  private double rho(double share, Delta delta) {
    if (share == 0) {
      return 0;
    }
    double spentOnCount = privacy.publicCount() ? 0 : COUNT_SHARE * privacy.epsilon();
    double allowed = share * (privacy.epsilon() - spentOnCount);
    double low = 1e-3;
    double high = 1e6;
    for (int i = 0; i < 200 && high / low > 1 + 1e-9; i++) {
      double middle = Math.sqrt(low * high);
      Gaussian alone = new Gaussian(new NoiseMultiplier(middle), 1);
      if (RdpAccountant.spent(List.of(alone), delta).epsilon() > allowed) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return 1 / (2 * high * high);
  }

  private ExamplesManifest encode(
      TableSource table, PrivateSchema.Agreed agreed, FieldCodec codec, PrivateUnits units) {
    String fingerprint =
        Fingerprint.of(table, 0, context.config().data(), agreed.schema(), codec, context.seed());
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

  /** DP-SGD with what is left; null where the marginals have all of it. */
  private PrivatePlan plan(PrivateUnits units, Delta delta, double share) {
    if (share >= 1) {
      return null;
    }
    AutoPlan.Wishes wishes = TrainStage.wishes(context.config());
    double batch = PrivateAutoPlan.batch(units.trained(), wishes);
    long steps = PrivateAutoPlan.steps(privacy.epsilon(), batch, wishes);
    SamplingRate rate = SamplingRate.of(batch, units.trained());
    Calibration calibration =
        new Calibration(purchases.history(), rate, steps, delta, accountant());
    NoiseMultiplier noise = calibration.noiseMultiplier(new Epsilon(privacy.epsilon()));
    context
        .console()
        .progress(
            "train",
            "plan: %d steps of %,.0f records on average, noise multiplier %.4f, for epsilon %s at delta %.2g"
                .formatted(steps, batch, noise.value(), privacy.epsilon(), delta.value()),
            Map.of("steps", steps, "noise_multiplier", noise.value()));
    return new PrivatePlan(
        rate,
        batch,
        noise,
        privacy.perSampleMaxGradNorm(),
        steps,
        MICRO_BATCH,
        PrivateAutoPlan.learningRate(wishes),
        Math.max(1, Math.round(WARMUP * steps)),
        WEIGHT_DECAY,
        AVERAGE_DECAY);
  }

  private Accountant accountant() {
    return privacy.accountant() == PrivacyConfig.Accountant.PLD ? Accountant.PLD : Accountant.RDP;
  }

  /** Written before training: no step is taken that is not on the ledger. */
  private void writeLedger(
      PrivateSchema.Agreed agreed, PrivateUnits units, Delta delta, PrivatePlan plan) {
    PrivacyLedgerBuilder builder =
        PrivacyLedger.builder()
            .streams(streams)
            .unit("record")
            .mostRowsPerUnit(1)
            .units(
                units.records(),
                privacy.publicCount() ? UnitsKnownBy.DECLARED_PUBLIC : UnitsKnownBy.NOISY_COUNT)
            .domain(agreed.knownBy())
            .budget(new Epsilon(privacy.epsilon()), delta, accountant())
            .notCovered("a run that stops because the input file itself is malformed");
    for (LedgerEntry entry : purchases.entries()) {
      Mechanism mechanism = entry.mechanism();
      builder.release(entry.name(), entry.what(), mechanism);
    }
    if (plan == null) {
      builder.noTraining();
    } else {
      builder.training(
          new SubsampledGaussian(plan.samplingRate(), plan.noiseMultiplier(), plan.steps()),
          plan.clipNorm(),
          plan.expectedBatch());
    }
    PrivacyLedger ledger = builder.build();
    context.folder().write(RunFolder.PRIVACY, Json.file(ledger));
    context.console().info(ledger.statement());
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
    return TrainStage.place(context, task, new OperatorsTeller(context.console()));
  }

  /** Shows the loss on the console, marked, and stores it nowhere. */
  private record OperatorsTeller(Console console) implements TrainingTask.Teller {
    @Override
    public void onPlan(
        TrainingPlan plan, long parameters, double recordsPerSecond, boolean resumed) {
      // private plans are told before the task starts
    }

    @Override
    public void onProgress(Progress progress) {
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("step", progress.step());
      figures.put("steps", progress.steps());
      console.progress(
          "train",
          "step %,d of %,d, about %s left"
              .formatted(
                  progress.step(), progress.steps(), Console.duration(progress.secondsLeft())),
          figures);
      if (Double.isFinite(progress.loss())) {
        console.operatorOnly(
            "training loss %.3f bits a row (not private: for the operator only)"
                .formatted(progress.loss()));
      }
    }

    @Override
    public boolean hearsLoss() {
      return true;
    }
  }
}
