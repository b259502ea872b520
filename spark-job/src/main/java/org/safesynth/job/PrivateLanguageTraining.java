package org.safesynth.job;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongToDoubleFunction;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.DomainCells;
import org.safesynth.codec.FieldCodec;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.config.TrainingConfig;
import org.safesynth.example.ContextRules;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.Packing;
import org.safesynth.fault.BadInputException;
import org.safesynth.marginal.Marginals;
import org.safesynth.model.HfConfig;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.PrivateAdapterAutoPlan;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.TrainingPlan;

/**
 * What is a pretrained model's own in a private run: how long a record may be, from the domain
 * alone; the records as text; and the adapter that learns rows of the noisy marginals, then the
 * records.
 */
final class PrivateLanguageTraining {
  private static final int USUAL_RECORD_BYTES = 600;
  private static final int SLACK = 2; // tokens of a column, since joined texts are cut otherwise

  private final RunContext context;
  private final Journal journal;
  private final LanguageBase base;
  private final PrivateSchema.Agreed agreed;
  private final Limits limits;

  /**
   * @param agreed with every column's domain
   * @throws BadInputException when a record of the domain may not fit the model's context
   */
  PrivateLanguageTraining(
      RunContext context, Journal journal, LanguageBase base, PrivateSchema.Agreed agreed) {
    this.context = context;
    this.journal = journal;
    this.base = base;
    this.agreed = agreed;
    this.limits = limits();
  }

  /**
   * How long examples may be, by public facts alone: the domain, the tokenizer, the parameters.
   *
   * @param ropeFactor what the context is stretched by
   * @param mostTokens of a record
   * @param recordsSeen in training where the user says nothing
   */
  record Limits(int ropeFactor, int mostTokens, long recordsSeen) implements Serializable {}

  private Limits limits() {
    FrozenSchema schema = agreed.schema();
    java.nio.file.Path local = base.local(context.hadoop());
    HfConfig model = HfConfig.read(local);
    ExampleFormat format = base.format(local, model, schema);
    int fixed = format.record(new DomainCells(schema).longest(format.codec())).length;
    long longest = fixed + (long) SLACK * schema.columns().size() + textLengths(schema);
    int prompt = format.prompt().length;
    ContextRules rules =
        ContextRules.of(
            base.template(),
            model.maxPositions(),
            prompt + longest + Packing.RESERVE,
            context.config().training().ropeScalingFactor().value());
    int room = new Packing(prompt, rules.tokens(), base.mostRecords()).room();
    if (fixed > room) {
      throw new BadInputException(
          "a record of this domain may have %,d tokens besides its free texts, which do not fit the model's context of %,d, of which the prompt takes %,d; leave columns out, declare shorter values or narrower ranges in data.schema_file, or set training.rope_scaling_factor"
              .formatted(fixed, rules.tokens(), prompt));
    }
    if (longest > room) {
      context
          .console()
          .warn(
              "records may have %,d tokens by the lengths of their texts, and the model's context has room for %,d: the texts of longer ones are cut"
                  .formatted(longest, room));
    }
    return new Limits(
        rules.ropeFactor(), (int) Math.min(longest, room), rules.automaticRecordsSeen());
  }

  /** A token for each character that free texts may have. */
  private static long textLengths(FrozenSchema schema) {
    return schema.columns().stream()
        .filter(column -> column.kind() == ColumnKind.TEXT)
        .mapToLong(ColumnSchema::maxLength)
        .sum();
  }

  /** Records that training sees, in all steps together. */
  private double seen(double trained) {
    long asked = context.config().training().numInputRecordsToSample().orElse(limits.recordsSeen());
    return asked == 0 ? trained : asked;
  }

  /**
   * The work of private steps, of which the budget's noise follows.
   *
   * @param trained public or noisy number of records to train on
   */
  PrivateBudget.Work work(double trained) {
    SafeSynthesizerConfig config = context.config();
    TrainingConfig training = config.training();
    boolean isAsked =
        config.isExplicit("training.batch_size")
            || config.isExplicit("training.gradient_accumulation_steps");
    Integer asked =
        isAsked
            ? Math.multiplyExact(training.batchSize(), training.gradientAccumulationSteps())
            : null;
    double batch = PrivateAdapterAutoPlan.batch(trained, seen(trained), asked);
    long steps = PrivateAdapterAutoPlan.steps(seen(trained), batch);
    return new PrivateBudget.Work(batch, steps, 1, learningRate(), training.weightDecay());
  }

  /** With a rate that the noise allows, unless the user sets one. */
  private PrivatePlan rated(PrivatePlan plan) {
    TrainingConfig training = context.config().training();
    if (plan == null || !training.learningRate().isAuto()) {
      return plan;
    }
    HfConfig model = HfConfig.read(base.local(context.hadoop()));
    long parameters = LanguageTrainingTask.lora(training).layout(model).size();
    return plan.withLearningRate(
        PrivateAdapterAutoPlan.learningRate(learningRate(), plan, parameters));
  }

  private double learningRate() {
    return LanguageTraining.learningRate(context.config().training(), base);
  }

  /** The records as text, beside the encoding that the marginals count. */
  private ExamplesManifest encode(TableSource table, double records) {
    Configuration hadoop = context.hadoop();
    String decides =
        String.join(
            "\n",
            table.name(),
            Long.toString(context.seed()),
            context.config().data().missingValues().toString(),
            base.toString(),
            limits.toString(),
            agreed.schema().toString());
    EncodeStage.Encoding encoding =
        new EncodeStage.Encoding(
            table.rows(),
            agreed.cells(),
            null,
            new RecordIdentity(context.seed()),
            Math.round(records),
            LanguageTraining.digest(decides),
            false);
    PrivateLanguageEncoder encoder =
        new PrivateLanguageEncoder(
            new SerializableConfiguration(hadoop), base, agreed.schema(), limits.mostTokens());
    return EncodeStage.run(encoding, encoder, USUAL_RECORD_BYTES, context.folder().texts());
  }

  /**
   * Trains the adapter.
   *
   * @param codec the domain's encoding
   * @param marginals noisy counts, or null
   * @param planned DP-SGD, or null
   * @param units n̂
   * @param heldOut records that are not trained on
   * @param epsilon what all has cost after so many private steps, or null
   */
  Map<String, Object> train(
      TableSource table,
      FieldCodec codec,
      Marginals marginals,
      PrivatePlan planned,
      PrivateUnits units,
      long heldOut,
      LongToDoubleFunction epsilon) {
    PrivatePlan plan = rated(planned);
    SafeSynthesizerConfig config = context.config();
    ExamplesManifest texts = journal.stage("texts", () -> encode(table, units.records()));
    long formatRows = marginals == null ? 0 : Math.max(1, Math.round(seen(units.trained())));
    PrivateLanguageTask task =
        new PrivateLanguageTask(
            context.hadoop(),
            context.folder(),
            texts,
            base,
            agreed.schema(),
            codec,
            config.training(),
            Devices.forTraining(config),
            limits,
            marginals,
            formatRows,
            learningRate(),
            plan,
            heldOut,
            context.seed());
    ModelFolder.Manifest whole =
        new ModelFolder(context.hadoop(), context.folder().adapter()).manifest();
    if (whole != null && whole.fingerprint().equals(task.fingerprint())) {
      context.console().info("the adapter of an earlier attempt is whole: training is skipped");
      new FolderCheckpoints(context.hadoop(), context.folder().checkpoints()).clear();
      return Map.of(
          "path",
          context.folder().adapter().toString(),
          "sha256",
          whole.sha256().get(LanguageTrainingTask.WEIGHTS));
    }
    Teller teller =
        new Teller(context.console(), new OperatorsTeller(context.console(), "token", epsilon));
    TrainStage.Placed placed =
        journal.stage("train", () -> TrainStage.outcome(context, task, teller));
    TrainingTask.Outcome outcome = placed.outcome();
    context
        .console()
        .progress(
            "train",
            "trained %,d private steps in %s: %s"
                .formatted(outcome.steps(), Console.duration(outcome.seconds()), outcome.ended()),
            Map.of("step", outcome.steps(), "seconds", LanguageTeller.round(outcome.seconds())));
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", context.folder().adapter().toString());
    facts.put("base", base.folder());
    facts.put("sha256", outcome.modelSha256());
    facts.put("parameters", outcome.parameters());
    facts.put("format_rows", formatRows);
    facts.put("steps", outcome.steps());
    facts.put("passes", LanguageTeller.round(outcome.passes()));
    facts.put("learning_rate", learningRate());
    facts.put("private_learning_rate", plan == null ? 0 : plan.learningRate());
    facts.put("device", outcome.device());
    facts.put("ended", outcome.ended());
    facts.put("placement", placed.where());
    return facts;
  }

  /** Tells the first stage's plan too, which depends on what is public alone. */
  private record Teller(Console console, OperatorsTeller steps) implements TrainingTask.Teller {
    @Override
    public void onDevice(String words) {
      console.info("training on " + words);
    }

    @Override
    public void onPlan(TrainingPlan plan, long parameters, double rowsPerSecond, boolean resumed) {
      String time =
          Double.isNaN(rowsPerSecond)
              ? ""
              : ", about %s at %,.2f rows/s"
                  .formatted(Console.duration(plan.records() / rowsPerSecond), rowsPerSecond);
      console.progress(
          "train",
          "%s: an adapter of %,d parameters learns the format from %,d rows of the noisy counts in %,d steps%s; then the private steps"
              .formatted(
                  resumed ? "resuming the plan" : "plan",
                  parameters,
                  plan.records(),
                  plan.steps(),
                  time),
          Map.of("parameters", parameters, "format_steps", plan.steps()));
    }

    @Override
    public void onProgress(Progress progress) {
      steps.onProgress(progress);
    }

    @Override
    public boolean hearsLoss() {
      return steps.hearsLoss();
    }
  }
}
