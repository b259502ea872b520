package org.safesynth.job;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkJobInfo;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.JavaSparkStatusTracker;
import org.safesynth.codec.FieldCodec;
import org.safesynth.config.ClusterConfig;
import org.safesynth.config.EmbeddedConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.TrainingPlan;

/** Trains the model in one designated task and leaves it in the run folder. */
public final class TrainStage {
  private static final int SECONDS_BETWEEN_LOOKS = 2;
  private static final int SECONDS_BETWEEN_COLLECTIONS = 5;
  private static final int MOST_COLLECTIONS = 6;

  private TrainStage() {}

  /**
   * What training left in {@link RunFolder#model}.
   *
   * @param facts for {@code result.json}: checksum, validation loss, passes, parameters
   */
  public record Trained(Map<String, Object> facts) {
    public Trained {
      facts = Map.copyOf(facts);
    }
  }

  /** Trains on the examples behind the split's holdout. */
  public static Trained run(
      RunContext context,
      FrozenSchema schema,
      FieldCodec codec,
      ExamplesManifest examples,
      Split split) {
    ModelFolder.Manifest whole =
        new ModelFolder(context.hadoop(), context.folder().model()).manifest();
    return whole(context, whole, examples.fingerprint())
        .orElseGet(() -> train(context, codec, examples, split));
  }

  /**
   * The model that an earlier attempt finished. Under differential privacy a second training would
   * be a second release of the same rows.
   *
   * @param manifest of the model that is there, or null
   * @param fingerprint of what should be trained
   */
  static Optional<Trained> whole(
      RunContext context, ModelFolder.Manifest manifest, String fingerprint) {
    if (manifest == null || !manifest.fingerprint().equals(fingerprint)) {
      return Optional.empty();
    }
    context.console().info("the model of an earlier attempt is whole: training is skipped");
    new FolderCheckpoints(context.hadoop(), context.folder().checkpoints()).clear();
    return Optional.of(new Trained(Map.of("sha256", manifest.sha256().get(ModelFolder.WEIGHTS))));
  }

  private static Trained train(
      RunContext context, FieldCodec codec, ExamplesManifest examples, Split split) {
    TrainingTask task =
        new TrainingTask(
            context.hadoop(),
            context.folder(),
            examples,
            codec,
            wishes(context.config()),
            split.holdout(),
            context.seed());
    return place(context, task, new ConsoleTeller(context.console()));
  }

  /** Runs a training where the cluster has its cores. */
  static Trained place(RunContext context, Training task, TrainingTask.Teller teller) {
    return place(context, task, teller, "row");
  }

  /**
   * @param unit what is learned: a row or a group
   */
  static Trained place(RunContext context, Training task, TrainingTask.Teller teller, String unit) {
    Placed placed = outcome(context, task, teller);
    Map<String, Object> facts = facts(context, placed.outcome(), unit);
    facts.put("placement", placed.where());
    return new Trained(facts);
  }

  /**
   * What came of a training.
   *
   * @param where it ran, and why there
   */
  record Placed(TrainingTask.Outcome outcome, String where) {}

  /** What comes of a training where the cluster has its cores, or its GPU. */
  static Placed outcome(RunContext context, Training task, TrainingTask.Teller teller) {
    return trainsInDriver(context)
        ? inDriver(context, task, teller)
        : onExecutor(context, task, teller);
  }

  static AutoPlan.Wishes wishes(SafeSynthesizerConfig config) {
    EmbeddedConfig embedded = config.embedded();
    Long records = config.training().numInputRecordsToSample().value();
    return new AutoPlan.Wishes(
        embedded.hiddenSize().value(),
        embedded.numLayers().value(),
        embedded.batchSize().value(),
        embedded.learningRate().value(),
        embedded.validationRatio(),
        records == null ? null : (double) records,
        60 * embedded.resolveMaxMinutes(),
        embedded.randomOrders());
  }

  /** Local mode has no executors; with {@code cluster.placement: driver} none is asked for. */
  static boolean trainsInDriver(RunContext context) {
    return context.spark().sparkContext().isLocal()
        || context.config().cluster().placement() == ClusterConfig.Placement.DRIVER;
  }

  private static Placed inDriver(RunContext context, Training task, TrainingTask.Teller teller) {
    SparkContext spark = context.spark().sparkContext();
    ClusterConfig.Placement wanted = context.config().cluster().placement();
    if (spark.isLocal()
        && (wanted == ClusterConfig.Placement.PROFILE
            || wanted == ClusterConfig.Placement.PINNED)) {
      context
          .console()
          .warn(
              "cluster.placement: %s chooses among executors, and local mode has none"
                  .formatted(wanted.name().toLowerCase(Locale.ROOT)));
    }
    int cores = Math.min(Runtime.getRuntime().availableProcessors(), spark.defaultParallelism());
    String where = "the driver's process with up to %d workers".formatted(cores);
    context.console().info("training in " + where);
    return new Placed(task.run(cores, teller), where);
  }

  private static Placed onExecutor(RunContext context, Training task, TrainingTask.Teller teller) {
    ClusterConfig cluster = context.config().cluster();
    Placement placement = new Placement(context.spark().sparkContext(), cluster.placement());
    Placement.Place place = placement.choose(task.device());
    Optional<TrainingTask.Outcome> outcome = at(context, task, teller, place);
    if (outcome.isPresent()) {
      return new Placed(outcome.get(), place.reason());
    }
    String late =
        "no executor came within %d s (cluster.gpu_timeout) for training on %s"
            .formatted(cluster.gpuTimeout(), place.reason());
    if (cluster.device() == ClusterConfig.Device.CUDA
        || cluster.placement() == ClusterConfig.Placement.PROFILE) {
      throw new BadInputException(
          late
              + "; check that a worker has what the profile asks for and that spark.dynamicAllocation.maxExecutors leaves room, or write cluster.device: cpu or cluster.placement: auto");
    }
    context.console().warn(late + ": training on a CPU instead");
    place = placement.ofCpu();
    return new Placed(at(context, task, teller, place).orElseThrow(), place.reason());
  }

  /**
   * One task on an executor. What it tells comes with the heartbeats; attempts after the first go
   * on from the newest checkpoint.
   *
   * @return empty when the cluster did not give it its place in time
   */
  private static Optional<TrainingTask.Outcome> at(
      RunContext context, Training task, TrainingTask.Teller teller, Placement.Place place) {
    SparkContext spark = context.spark().sparkContext();
    ExecutorShare.Cores cores = ExecutorShare.Cores.of(spark);
    context.console().info("training in one task on " + place.reason());
    ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor();
    try (ToldProgress told = new ToldProgress(spark)) {
      looks.scheduleAtFixedRate(
          () -> told.forEachNew(teller),
          SECONDS_BETWEEN_LOOKS,
          SECONDS_BETWEEN_LOOKS,
          TimeUnit.SECONDS);
      spark.setJobDescription("train the model");
      ToldProgress.Tellings tellings = told.tellings();
      JavaFutureAction<List<TrainingTask.Outcome>> running =
          place.task().map(ignored -> task.run(cores.here(), tellings)).collectAsync();
      int patience = place.mayWait() ? context.config().cluster().gpuTimeout() : Integer.MAX_VALUE;
      Optional<TrainingTask.Outcome> outcome = await(spark, running, patience);
      told.forEachNew(teller);
      return outcome;
    } finally {
      looks.shutdownNow();
      spark.setJobDescription(null);
    }
  }

  /**
   * Waits for the end of a job of one task.
   *
   * <p>With dynamic allocation an executor stays for as long as the driver holds the handles of the
   * shuffles that it wrote ({@code spark.dynamicAllocation.shuffleTracking}). One that read the
   * table could so keep the cores beside the only GPU from the executor that is waited for: while
   * the job has not begun, the handles of finished jobs are collected.
   *
   * @param patience seconds for it to begin; it is cancelled when it has not
   */
  static <T> Optional<T> await(
      SparkContext spark, JavaFutureAction<List<T>> running, int patience) {
    long begin = System.nanoTime();
    boolean hasBegun = false;
    int collections = 0;
    while (true) {
      try {
        return Optional.of(running.get(1, TimeUnit.SECONDS).get(0));
      } catch (TimeoutException e) {
        hasBegun |= hasBegun(spark, running);
        double seconds = (System.nanoTime() - begin) / 1e9;
        if (!hasBegun && seconds > patience) {
          running.cancel(true);
          return Optional.empty();
        }
        if (!hasBegun
            && collections < MOST_COLLECTIONS
            && seconds > (collections + 1) * SECONDS_BETWEEN_COLLECTIONS) {
          collections++;
          System.gc();
        }
      } catch (InterruptedException e) {
        running.cancel(true);
        Thread.currentThread().interrupt();
        throw new IllegalStateException("the run was interrupted", e);
      } catch (ExecutionException e) {
        throw new IllegalStateException("the task failed", e.getCause());
      }
    }
  }

  private static boolean hasBegun(SparkContext spark, JavaFutureAction<?> running) {
    JavaSparkStatusTracker tracker = JavaSparkContext.fromSparkContext(spark).statusTracker();
    for (int job : running.jobIds()) {
      SparkJobInfo info = tracker.getJobInfo(job);
      for (int stage : info == null ? new int[0] : info.stageIds()) {
        SparkStageInfo of = tracker.getStageInfo(stage);
        if (of != null && of.numActiveTasks() + of.numCompletedTasks() + of.numFailedTasks() > 0) {
          return true;
        }
      }
    }
    return false;
  }

  private static Map<String, Object> facts(
      RunContext context, TrainingTask.Outcome outcome, String unit) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", context.folder().model().toString());
    facts.put("sha256", outcome.modelSha256());
    facts.put("parameters", outcome.parameters());
    facts.put("steps", outcome.steps());
    facts.put("passes", round(outcome.passes()));
    facts.put("device", outcome.device());
    facts.put("ended", outcome.ended());
    String loss = "";
    if (outcome.bits() != null) {
      facts.put("validation_bits_per_" + unit, round(outcome.bits()));
      loss = ", validation loss %.3f bits a %s".formatted(outcome.bits(), unit);
    }
    context
        .console()
        .progress(
            "train",
            "trained %.1f passes in %s%s: %s"
                .formatted(
                    outcome.passes(), Console.duration(outcome.seconds()), loss, outcome.ended()),
            Map.of("step", outcome.steps(), "seconds", round(outcome.seconds())));
    return facts;
  }

  private static double round(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  /** Tells the person at the console. */
  static final class ConsoleTeller implements TrainingTask.Teller {
    private final Console console;
    private final String unit;
    private TrainingPlan plan;

    ConsoleTeller(Console console) {
      this(console, "row");
    }

    /**
     * @param unit what is learned: a row or a group
     */
    ConsoleTeller(Console console, String unit) {
      this.console = console;
      this.unit = unit;
    }

    @Override
    public void onPlan(
        TrainingPlan newPlan, long parameters, double recordsPerSecond, boolean resumed) {
      plan = newPlan;
      String time =
          Double.isNaN(recordsPerSecond)
              ? ""
              : ", about %s at %,.0f %ss/s, less if the validation loss stops falling"
                  .formatted(
                      Console.duration(newPlan.steps() * newPlan.batchSize() / recordsPerSecond),
                      recordsPerSecond,
                      unit);
      console.progress(
          "train",
          "%s: %,d parameters, %,d %ss and %,d for validation, batches of %d, at most %.1f passes (%,d steps)%s"
              .formatted(
                  resumed ? "resuming the plan" : "plan",
                  parameters,
                  newPlan.records(),
                  unit,
                  newPlan.validationRecords(),
                  newPlan.batchSize(),
                  newPlan.passes(),
                  newPlan.steps(),
                  time),
          Map.of("parameters", parameters, "steps", newPlan.steps()));
    }

    @Override
    public void onProgress(Progress progress) {
      Map<String, Object> figures = new LinkedHashMap<>();
      figures.put("step", progress.step());
      figures.put("steps", progress.steps());
      figures.put("loss_bits_per_" + unit, round(progress.loss()));
      if (Double.isFinite(progress.validationLoss())) {
        figures.put("validation_bits_per_" + unit, round(progress.validationLoss()));
      }
      figures.put("tokens_per_second", Math.round(progress.tokensPerSecond()));
      figures.put("seconds_left", Math.round(progress.secondsLeft()));
      double pass =
          plan == null ? Double.NaN : (double) progress.step() * plan.batchSize() / plan.records();
      console.progress(
          "train",
          "step %,d of %,d, pass %.1f, loss %.3f%s bits a %s, %,.0f tokens/s, at most %s left"
              .formatted(
                  progress.step(),
                  progress.steps(),
                  pass,
                  progress.loss(),
                  Double.isFinite(progress.validationLoss())
                      ? ", validation %.3f".formatted(progress.validationLoss())
                      : "",
                  unit,
                  progress.tokensPerSecond(),
                  Console.duration(progress.secondsLeft())),
          figures);
    }
  }
}
