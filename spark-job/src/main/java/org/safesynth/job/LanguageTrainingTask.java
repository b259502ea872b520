package org.safesynth.job;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongToIntFunction;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.config.TrainingConfig;
import org.safesynth.example.ContextRules;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.Packing;
import org.safesynth.example.TrainingOrder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.LoraConfig;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.PeftAdapter;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.LearningRateSchedule;
import org.safesynth.train.LoraPlan;
import org.safesynth.train.LoraTrainer;
import org.safesynth.train.PackedRecords;
import org.safesynth.train.RecordTokens;
import org.safesynth.train.TrainingPlan;

/**
 * Training of an adapter in the one process that is designated for it: streams the records to the
 * local disk, packs them into examples, trains from the newest checkpoint and leaves the adapter.
 */
final class LanguageTrainingTask implements Training {
  static final String WEIGHTS = "adapter_model.safetensors";

  /** Hugging Face's default. */
  private static final double MOST_GRADIENT_NORM = 1;

  private static final double MOST_KEPT_BYTES = 4.0 * (1L << 30);
  private static final double MOST_KEPT_BYTES_ON_A_GPU = 16.0 * (1L << 30);

  private final SerializableConfiguration hadoop;
  private final String examplesFolder;
  private final String checkpointsFolder;
  private final String adapterFolder;
  private final ExamplesManifest manifest;
  private final long holdout;
  private final long validation;
  private final LanguageBase base;
  private final FrozenSchema schema;
  private final TrainingConfig training;
  private final ComputeDevice.Wish device;
  private final int contextTokens;
  private final LanguageTraining.Resolved resolved;
  private final Map<String, String> besides; // further files of the adapter
  private final long seed;

  LanguageTrainingTask(
      SerializableConfiguration hadoop,
      RunFolder folder,
      ExamplesManifest manifest,
      Split split,
      LanguageBase base,
      FrozenSchema schema,
      TrainingConfig training,
      ComputeDevice.Wish device,
      ContextRules rules,
      LanguageTraining.Resolved resolved,
      Map<String, String> besides,
      long seed) {
    this.hadoop = hadoop;
    this.examplesFolder = folder.examples().toString();
    this.checkpointsFolder = folder.checkpoints().toString();
    this.adapterFolder = folder.adapter().toString();
    this.manifest = manifest;
    this.holdout = split.holdout();
    this.validation = split.validation();
    this.base = base;
    this.schema = schema;
    this.training = training;
    this.device = device;
    this.contextTokens = rules.tokens();
    this.resolved = resolved;
    this.besides = Map.copyOf(besides);
    this.seed = seed;
  }

  /** Digest of all that decides the adapter. */
  String fingerprint() {
    return LanguageTraining.digest(
        List.of(
            manifest.fingerprint(),
            holdout,
            validation,
            contextTokens,
            resolved,
            new TreeMap<>(besides),
            training.batchSize(),
            training.gradientAccumulationSteps(),
            training.weightDecay(),
            training.warmupRatio(),
            training.lrScheduler(),
            training.validationSteps(),
            lora(training)));
  }

  @Override
  public ComputeDevice.Wish device() {
    return device;
  }

  /** The adapter that is asked for. */
  static LoraConfig lora(TrainingConfig training) {
    return new LoraConfig(
        training.loraR(),
        training.loraAlphaOverR() * training.loraR(),
        true,
        new LinkedHashSet<>(training.loraTargetModules()));
  }

  @Override
  public TrainingTask.Outcome run(int cores, TrainingTask.Teller teller) {
    ComputeDevice device = ComputeDevice.choose(this.device);
    return device.within(() -> run(device, cores, teller));
  }

  private TrainingTask.Outcome run(ComputeDevice device, int cores, TrainingTask.Teller teller) {
    teller.onDevice(device.words());
    int workers = device.isGpu() ? 1 : cores; // one pass fills a GPU
    Configuration configuration = hadoop.value();
    java.nio.file.Path local = base.local(configuration);
    HfConfig config = HfConfig.read(local).stretched(resolved.ropeFactor());
    ExampleFormat format = base.format(local, config, schema);
    LoraDecoder decoder = LoraDecoder.load(config, local, lora(training), device, base.bits());
    FolderCheckpoints checkpoints =
        new FolderCheckpoints(configuration, new Path(checkpointsFolder));
    boolean isResumed =
        checkpoints.plan().filter(p -> p.fingerprint().equals(fingerprint())).isPresent();
    if (!isResumed) {
      checkpoints.clear();
      checkpoints.write(new FolderCheckpoints.SavedPlan(fingerprint(), null));
    }
    try (RecordTokens records = records(configuration)) {
      PackedRecords source = packed(records, format);
      LoraPlan plan = plan(config, source, workers, device);
      LearningRateSchedule schedule =
          LearningRateSchedule.named(training.lrScheduler()).orElseThrow();
      long warmup = LearningRateSchedule.warmupSteps(training.warmupRatio(), plan.steps());
      LoraTrainer trainer =
          new LoraTrainer(
              decoder,
              source,
              plan,
              step -> schedule.rate(resolved.learningRate(), step, warmup, plan.steps()),
              checkpoints,
              teller,
              workers);
      float[] initial = LoraTrainer.initial(decoder, seed);
      double speed = isResumed ? Double.NaN : trainer.measureSpeed(initial);
      teller.onPlan(told(plan), decoder.layout().size(), speed, isResumed);
      checkpoints.fence();
      LoraTrainer.Outcome outcome = trainer.train(initial);
      checkpoints.requireCurrent();
      ModelFolder.Manifest written = write(configuration, decoder, outcome.adapter());
      checkpoints.clear();
      return outcome(outcome, written, plan, decoder);
    }
  }

  private RecordTokens records(Configuration configuration) {
    Path folder = new Path(examplesFolder);
    try (RecordTokens.Writer writer = RecordTokens.create(TrainingTask.localFolder())) {
      ExamplesReader.readUneven(configuration, folder, manifest, writer::add);
      return writer.finish();
    } catch (IOException e) {
      throw Faults.reading(folder, e);
    }
  }

  /** The first records are held out, the next validate, and the rest are seen in training. */
  private PackedRecords packed(RecordTokens records, ExampleFormat format) {
    PackedRecords.Units units = resolved.units();
    // Windows of series are not packed: what primes one is read without loss.
    int most = units == PackedRecords.Units.WINDOWS ? 1 : base.mostRecords();
    Packing packing = new Packing(format.prompt().length, contextTokens, most);
    long first = holdout + validation;
    TrainingOrder order = TrainingOrder.of(records.records() - first, resolved.unitsSeen(), seed);
    int marks = units == PackedRecords.Units.RECORDS ? 0 : format.marks(); // an example's are free
    LongToIntFunction length = record -> records.length(record) + marks;
    List<long[]> examples =
        new ArrayList<>(packing.pack(order.stream().map(r -> first + r), length));
    int seen = examples.size();
    examples.addAll(packing.pack(LongStream.range(holdout, first), length));
    return new PackedRecords(records, format, examples, seen, units);
  }

  private LoraPlan plan(HfConfig config, PackedRecords source, int workers, ComputeDevice device) {
    int passes = Math.min(workers, training.gradientAccumulationSteps());
    long tokens = (long) source.mostTokens() * training.batchSize() * passes;
    return new LoraPlan(
        source.training(),
        source.validation(),
        training.batchSize(),
        training.gradientAccumulationSteps(),
        training.weightDecay(),
        MOST_GRADIENT_NORM,
        training.validationSteps(),
        LearningRateSchedule.named(training.lrScheduler()).orElseThrow().followsLoss(),
        recomputes(config, tokens, device));
  }

  /**
   * Whether blocks are computed again on the way back, since what they keep would be too much.
   *
   * @param tokens under way at a time
   */
  static boolean recomputes(HfConfig config, long tokens, ComputeDevice device) {
    // What a token keeps in a block on the way forward: some twenty vectors of the hidden size and
    // eight of the intermediate one, by the resident memory of a model of 135 million parameters.
    double tokenBytes =
        4.0 * config.numLayers() * (20.0 * config.hiddenSize() + 8.0 * config.intermediateSize());
    return tokenBytes * tokens > (device.isGpu() ? MOST_KEPT_BYTES_ON_A_GPU : MOST_KEPT_BYTES);
  }

  /** The plan in the terms in which training tells how it goes. */
  private TrainingPlan told(LoraPlan plan) {
    return new TrainingPlan(
        plan.examples(),
        plan.validationExamples(),
        (int) plan.stepExamples(),
        plan.batchSize(),
        plan.steps(),
        plan.validationSteps(),
        0,
        resolved.learningRate(),
        0,
        plan.weightDecay(),
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
        Json.file(
                new LanguageTraining.Trained(
                    resolved.ropeFactor(), resolved.longestRecord(), resolved.groups()))
            .getBytes(StandardCharsets.UTF_8));
    besides.forEach((name, text) -> files.put(name, text.getBytes(StandardCharsets.UTF_8)));
    return new ModelFolder(configuration, new Path(adapterFolder)).write(files, fingerprint());
  }

  private TrainingTask.Outcome outcome(
      LoraTrainer.Outcome outcome,
      ModelFolder.Manifest written,
      LoraPlan plan,
      LoraDecoder decoder) {
    double after = outcome.lastValidation();
    double before = outcome.firstValidation();
    String losses =
        Double.isFinite(before) && Double.isFinite(after)
            ? "; validation loss %.3f nats a token before and %.3f after".formatted(before, after)
            : "";
    double passes = (double) resolved.unitsSeen() / (manifest.records() - holdout - validation);
    return new TrainingTask.Outcome(
        written.sha256().get(WEIGHTS),
        Double.isFinite(after) ? after : null,
        plan.steps(),
        resolved.unitsSeen() == 0 ? 1 : passes,
        outcome.seconds(),
        decoder.layout().size(),
        decoder.device().words(),
        "all examples were seen" + losses);
  }
}
