package org.safesynth.job;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongToDoubleFunction;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.config.TrainingConfig;
import org.safesynth.example.ExampleFormat;
import org.safesynth.marginal.Marginals;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.PackedExamples;
import org.safesynth.model.PeftAdapter;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.ExampleSource;
import org.safesynth.train.LearningRateSchedule;
import org.safesynth.train.LoraPlan;
import org.safesynth.train.LoraTrainer;
import org.safesynth.train.PackedRecords;
import org.safesynth.train.PrivateExamples;
import org.safesynth.train.PrivatePlan;
import org.safesynth.train.PrivateTrainer;
import org.safesynth.train.RecordTokens;
import org.safesynth.train.TrainingListener;
import org.safesynth.train.TrainingPlan;

/**
 * Private training of an adapter in the one process that is designated for it: the adapter learns
 * the format, and what the noisy marginals tell, from rows drawn from them, which is free; then the
 * real records by DP-SGD, one record an example.
 *
 * <p>The secret key is made here, in the memory of the process that draws, and never leaves it. The
 * first stage repeats exactly and has checkpoints of its own; those of DP-SGD hold what noisy steps
 * made.
 */
final class PrivateLanguageTask implements Training {
  private static final int FORMAT_PASS = 8; // rows of a forward pass
  private static final int FORMAT_PASSES = 4; // of a step
  private static final long MOST_ROWS = 200_000; // drawn; more are seen again
  private static final double MOST_GRADIENT_NORM = 1;
  private static final String FORMAT_CHECKPOINTS = "format";

  private final SerializableConfiguration hadoop;
  private final String textsFolder;
  private final String checkpointsFolder;
  private final String adapterFolder;
  private final ExamplesManifest texts;
  private final LanguageBase base;
  private final FrozenSchema schema;
  private final FieldCodec codec;
  private final TrainingConfig training;
  private final ComputeDevice.Wish device;
  private final PrivateLanguageTraining.Limits limits;
  private final Marginals marginals;
  private final long formatRows;
  private final double learningRate;
  private final PrivatePlan plan;
  private final long heldOut;
  private final long seed;

  /**
   * @param texts the records' ids, those held out first
   * @param codec the domain's encoding: of rows from the marginals, and of what may be written
   * @param marginals noisy counts, or null to begin with the pretrained model as it is
   * @param formatRows rows drawn from the marginals
   * @param learningRate greatest one of the first stage
   * @param plan DP-SGD, or null to learn rows from the marginals alone
   * @param heldOut records that are not trained on
   * @param seed of what is not private: weights at the start, rows from the marginals
   */
  PrivateLanguageTask(
      Configuration hadoop,
      RunFolder folder,
      ExamplesManifest texts,
      LanguageBase base,
      FrozenSchema schema,
      FieldCodec codec,
      TrainingConfig training,
      ComputeDevice.Wish device,
      PrivateLanguageTraining.Limits limits,
      Marginals marginals,
      long formatRows,
      double learningRate,
      PrivatePlan plan,
      long heldOut,
      long seed) {
    this.hadoop = new SerializableConfiguration(hadoop);
    this.textsFolder = folder.texts().toString();
    this.checkpointsFolder = folder.checkpoints().toString();
    this.adapterFolder = folder.adapter().toString();
    this.texts = texts;
    this.base = base;
    this.schema = schema;
    this.codec = codec;
    this.training = training;
    this.device = device;
    this.limits = limits;
    this.marginals = marginals;
    this.formatRows = formatRows;
    this.learningRate = learningRate;
    this.plan = plan;
    this.heldOut = heldOut;
    this.seed = seed;
  }

  /** Digest of all that decides the adapter, but for the draws. */
  String fingerprint() {
    return LanguageTraining.digest(
        List.of(
            texts.fingerprint(),
            limits,
            codec.toJson(),
            marginals == null ? "" : LanguageTraining.digest(Json.line(marginals)),
            formatRows,
            learningRate,
            String.valueOf(plan),
            training.weightDecay(),
            training.warmupRatio(),
            training.lrScheduler(),
            LanguageTrainingTask.lora(training),
            seed));
  }

  @Override
  public ComputeDevice.Wish device() {
    return device;
  }

  @Override
  public TrainingTask.Outcome run(int cores, TrainingTask.Teller teller) {
    ComputeDevice chosen = ComputeDevice.chooseForPrivateTraining(device);
    return chosen.within(() -> run(chosen, cores, teller));
  }

  private TrainingTask.Outcome run(ComputeDevice on, int cores, TrainingTask.Teller teller) {
    long begin = System.nanoTime();
    teller.onDevice(on.words());
    int workers = on.isGpu() ? 1 : cores; // one pass after the other on a GPU
    Configuration configuration = hadoop.value();
    FolderCheckpoints checkpoints =
        new FolderCheckpoints(configuration, new Path(checkpointsFolder));
    PrivateTrainingTask.requireSame(
        checkpoints,
        checkpointsFolder,
        new PrivateTrainingTask.SavedPlan(
            PrivateTrainingTask.SavedPlan.DP_SGD_OF_AN_ADAPTER, fingerprint(), plan));
    java.nio.file.Path local = base.local(configuration);
    HfConfig config = HfConfig.read(local).stretched(limits.ropeFactor());
    ExampleFormat format = base.format(local, config, schema);
    LoraDecoder decoder =
        LoraDecoder.load(config, local, LanguageTrainingTask.lora(training), on, base.bits());
    Optional<Checkpoint> newest = checkpoints.newest();
    float[] adapter =
        newest.isPresent()
            ? newest.get().parameters()
            : initial(configuration, decoder, format, workers, teller);
    if (plan != null) {
      checkpoints.fence();
      adapter =
          trainPrivately(configuration, decoder, format, adapter, checkpoints, workers, teller);
    }
    ModelFolder.Manifest written = write(configuration, decoder, adapter);
    checkpoints.clear();
    return new TrainingTask.Outcome(
        written.sha256().get(LanguageTrainingTask.WEIGHTS),
        null,
        plan == null ? 0 : plan.steps(),
        plan == null ? 0 : plan.steps() * plan.samplingRate().value(),
        (System.nanoTime() - begin) / 1e9,
        decoder.layout().size(),
        on.words(),
        "all planned steps were taken");
  }

  private float[] trainPrivately(
      Configuration configuration,
      LoraDecoder decoder,
      ExampleFormat format,
      float[] adapter,
      FolderCheckpoints checkpoints,
      int workers,
      TrainingTask.Teller teller) {
    TrainingListener listener =
        teller.hearsLoss() ? teller : PrivateTrainingTask.withoutLoss(teller);
    try (RecordTokens records = records(configuration)) {
      ExampleSource source = number -> example(format, records.read(heldOut + number));
      PrivateExamples lessons =
          new PrivateExamples(
              decoder,
              source,
              records.records() - heldOut,
              plan.clipNorm(),
              plan.expectedBatch(),
              recomputes(decoder, format, workers));
      return new PrivateTrainer(
              lessons,
              plan,
              rate(plan.learningRate(), plan.steps()),
              SecretStreams.secure(),
              checkpoints,
              listener,
              workers)
          .train(adapter)
          .best();
    }
  }

  private LongToDoubleFunction rate(double highest, long steps) {
    LearningRateSchedule schedule =
        LearningRateSchedule.named(training.lrScheduler()).orElseThrow();
    long rising = LearningRateSchedule.warmupSteps(training.warmupRatio(), steps);
    long warmup = Math.min(rising, steps - 1); // a single step must not have the rate 0
    return step -> schedule.rate(highest, step, warmup, steps);
  }

  private boolean recomputes(LoraDecoder decoder, ExampleFormat format, int passes) {
    long tokens = format.samplingPrompt().length + 1L + limits.mostTokens();
    return LanguageTrainingTask.recomputes(decoder.config(), tokens * passes, decoder.device());
  }

  private static PackedExamples.Example example(ExampleFormat format, int[] record) {
    ExampleFormat.Example example = format.example(List.of(record));
    return new PackedExamples.Example(example.ids(), example.promptTokens());
  }

  private RecordTokens records(Configuration configuration) {
    Path folder = new Path(textsFolder);
    try (RecordTokens.Writer writer = RecordTokens.create(TrainingTask.localFolder())) {
      ExamplesReader.readUneven(configuration, folder, texts, writer::add);
      return writer.finish();
    } catch (IOException e) {
      throw Faults.reading(folder, e);
    }
  }

  /** An adapter that no private record decided except through the noisy marginals. */
  private float[] initial(
      Configuration configuration,
      LoraDecoder decoder,
      ExampleFormat format,
      int workers,
      TrainingTask.Teller teller) {
    float[] start = LoraTrainer.initial(decoder, seed);
    if (marginals == null) {
      return start;
    }
    FolderCheckpoints checkpoints =
        new FolderCheckpoints(configuration, new Path(checkpointsFolder, FORMAT_CHECKPOINTS));
    MarginalTexts drawn = new MarginalTexts(marginals, codec, schema, limits.mostTokens());
    try (RecordTokens rows = drawn.draw(format, Math.min(MOST_ROWS, formatRows), seed)) {
      List<long[]> alone =
          LongStream.range(0, formatRows).mapToObj(i -> new long[] {i % rows.records()}).toList();
      PackedRecords source =
          new PackedRecords(rows, format, alone, alone.size(), PackedRecords.Units.RECORDS);
      int passes = Math.min(workers, FORMAT_PASSES) * FORMAT_PASS;
      LoraPlan first =
          new LoraPlan(
              alone.size(),
              0,
              FORMAT_PASS,
              FORMAT_PASSES,
              training.weightDecay(),
              MOST_GRADIENT_NORM,
              Integer.MAX_VALUE,
              false,
              recomputes(decoder, format, passes));
      LoraTrainer trainer =
          new LoraTrainer(
              decoder,
              source,
              first,
              rate(learningRate, first.steps()),
              checkpoints,
              PrivateTrainingTask.ofDrawnRows(teller),
              workers);
      boolean isResumed = checkpoints.newest().isPresent();
      double speed = isResumed ? Double.NaN : trainer.measureSpeed(start);
      teller.onPlan(told(first), decoder.layout().size(), speed, isResumed);
      LoraTrainer.Outcome outcome = trainer.train(start);
      checkpoints.save(outcome.last());
      return outcome.adapter();
    }
  }

  /** The first stage's plan in the terms in which training tells how it goes. */
  private TrainingPlan told(LoraPlan first) {
    return new TrainingPlan(
        first.examples(),
        0,
        (int) first.stepExamples(),
        first.batchSize(),
        first.steps(),
        first.validationSteps(),
        0,
        learningRate,
        0,
        first.weightDecay(),
        0,
        0,
        seed,
        Double.POSITIVE_INFINITY);
  }

  private ModelFolder.Manifest write(
      Configuration configuration, LoraDecoder decoder, float[] adapter) {
    Map<String, byte[]> files =
        new LinkedHashMap<>(
            PeftAdapter.files(decoder.lora(), decoder.layout(), adapter, base.folder()));
    files.put(
        LanguageTraining.CONTEXT,
        Json.file(new LanguageTraining.Trained(limits.ropeFactor(), limits.mostTokens(), null))
            .getBytes(StandardCharsets.UTF_8));
    files.put(LanguageTraining.ENCODING, codec.toJson().getBytes(StandardCharsets.UTF_8));
    return new ModelFolder(configuration, new Path(adapterFolder)).write(files, fingerprint());
  }
}
