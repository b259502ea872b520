package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.Natives;
import org.safesynth.random.KeyedPermutation;
import org.safesynth.random.SeededStreams;
import org.safesynth.random.SeededStreams.Purpose;

/**
 * Trains the embedded decoder: AdamW with warm-up and cosine, input masking, an exponential moving
 * average of the weights, and an end when the average's validation loss no longer falls.
 *
 * <p>The result depends on the plan, the records' order and the seed alone: batches are cut from a
 * keyed permutation of each pass, masks are keyed by step and micro-batch, and gradients are added
 * in a fixed order. Only a time limit that cuts training short lets the machine's speed in.
 */
public final class EmbeddedTrainer {
  private static final double NATS_PER_BIT = Math.log(2);
  private static final double SECONDS_BETWEEN_REPORTS = 2;
  private static final double SECONDS_BETWEEN_CHECKPOINTS = 60;
  private static final long SPEED_PROBE_NANOS = 1_000_000_000L;
  private static final int VALIDATION_MICRO_BATCH = 256;

  private final FieldDecoder decoder;
  private final TokenStore store;
  private final long firstRecord;
  private final TrainingPlan plan;
  private final SeededStreams streams;
  private final CheckpointStore checkpoints;
  private final TrainingListener listener;
  private final int workers;

  /**
   * Sets a training run up.
   *
   * @param store holds the holdout, then the validation records, then the training records
   * @param firstRecord number of the first validation record
   * @param workers threads
   */
  public EmbeddedTrainer(
      FieldDecoder decoder,
      TokenStore store,
      long firstRecord,
      TrainingPlan plan,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    this.decoder = decoder;
    this.store = store;
    this.firstRecord = firstRecord;
    this.plan = plan;
    this.streams = new SeededStreams(plan.seed());
    this.checkpoints = checkpoints;
    this.listener = listener;
    this.workers = workers;
  }

  /** What training comes to: the last checkpoint, and why it ended. */
  public record Outcome(Checkpoint last, String ended, double seconds) {
    /** The weights to sample from (P). */
    public float[] weights() {
      return last.best();
    }

    /** Least validation loss in bits a record; infinite without validation records. */
    public double bestBits() {
      return last.bestLoss() / NATS_PER_BIT;
    }
  }

  /** Trains to the end, from the newest checkpoint if there is one. */
  public Outcome train() {
    Natives.load();
    int size = Math.toIntExact(decoder.layout().size());
    Optional<Checkpoint> newest = checkpoints.newest();
    Checkpoint start = newest.orElseGet(() -> fresh(size));
    if (start.parameters().length != size) {
      throw new RunFailedException(
          "the checkpoint holds "
              + start.parameters().length
              + " parameters and the model has "
              + size
              + "; remove the run's checkpoints folder to start again");
    }
    if (start.planSteps() != plan.steps()) {
      throw new RunFailedException(
          "the checkpoint belongs to a schedule of "
              + start.planSteps()
              + " steps and this one has "
              + plan.steps()
              + "; resume with the settings of the run or remove its checkpoints folder");
    }
    try (PointerScope scope = new PointerScope()) {
      return new Loop(start).run(Long.MAX_VALUE);
    }
  }

  /** Trains to a step and stops there, as a process that is killed right after a checkpoint. */
  Checkpoint trainTo(long lastStep) {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      Checkpoint start = fresh(Math.toIntExact(decoder.layout().size()));
      return new Loop(start).run(lastStep).last();
    }
  }

  /**
   * Speed of training on this machine in records a second, from a few steps whose result is thrown
   * away.
   */
  public double measureSpeed() {
    Natives.load();
    Checkpoint start = fresh(Math.toIntExact(decoder.layout().size()));
    try (PointerScope scope = new PointerScope()) {
      return new Loop(start).measure();
    }
  }

  private Checkpoint fresh(int size) {
    long[] counts = new long[decoder.config().totalVocabulary()];
    int[] offsets = decoder.config().headOffsets();
    int[] tokens = new int[store.positions()];
    long from = firstRecord + plan.validationRecords();
    for (long record = from; record < from + plan.records(); record++) {
      store.read(record, tokens);
      for (int t = 0; t < tokens.length; t++) {
        counts[offsets[t] + tokens[t]]++;
      }
    }
    RandomGenerator random = streams.stream(Purpose.INITIAL_WEIGHTS);
    float[] parameters = decoder.initialParameters(counts, plan.records(), random);
    return new Checkpoint(
        0,
        0,
        0,
        Double.POSITIVE_INFINITY,
        0,
        plan.steps(),
        parameters,
        new float[size],
        new float[size],
        parameters.clone(),
        parameters.clone());
  }

  /** The state of one run; its tensors live in the scope of {@link #train}. */
  private final class Loop {
    private final Tensor parameters; // (P)
    private final Tensor momentum; // (P)
    private final Tensor variance; // (P)
    private final Tensor average; // (P)
    private final Tensor gradient; // (P)
    private final List<FieldBatch> validation;
    private float[] best;
    private long step;
    private double bestLoss;
    private long bestStep;
    private int evaluationsSinceBest;
    private double lastValidation = Double.NaN;
    private final double secondsBefore;
    private final long startedNanos = System.nanoTime();
    private KeyedPermutation order;
    private long orderPass = -1;

    Loop(Checkpoint start) {
      parameters = tensor(start.parameters());
      momentum = tensor(start.momentum());
      variance = tensor(start.variance());
      average = tensor(start.average());
      gradient = torch.zeros(start.parameters().length);
      best = start.best();
      step = start.step();
      bestLoss = start.bestLoss();
      bestStep = start.bestStep();
      evaluationsSinceBest = start.evaluationsSinceBest();
      secondsBefore = start.seconds();
      validation = validationBatches();
    }

    Outcome run(long lastStep) {
      FlatAdamW optimizer =
          new FlatAdamW(
              parameters,
              momentum,
              variance,
              tensor(decoder.layout().decayMask()),
              plan.beta1(),
              plan.beta2(),
              plan.weightDecay());
      String ended = "the schedule is complete";
      try (GradientWorkers pool =
          new GradientWorkers(decoder, parameters, workers, microBatches())) {
        double reportedAt = 0;
        double savedAt = 0;
        long reportedStep = step;
        double lossSince = 0;
        while (step < Math.min(lastStep, plan.steps())) {
          double loss = pool.gradient(batches(), gradient) / plan.batchSize();
          if (!Double.isFinite(loss)) {
            throw new RunFailedException(
                "training diverged at step "
                    + step
                    + " (the loss is not a number); lower embedded.learning_rate");
          }
          gradient.mul_(new Scalar(1.0 / plan.batchSize()));
          optimizer.step(gradient, plan.learningRateAt(step), step + 1);
          double decay = plan.averageDecayAt(step);
          average.mul_(new Scalar(decay)).add_(parameters, new Scalar(1 - decay));
          step++;
          lossSince += loss;
          boolean last = step == plan.steps();
          if (step % plan.evaluationSteps() == 0 || last) {
            evaluate(pool);
          }
          double now = elapsed();
          if (now - reportedAt >= SECONDS_BETWEEN_REPORTS || last) {
            report(now - reportedAt, step - reportedStep, lossSince);
            reportedAt = now;
            reportedStep = step;
            lossSince = 0;
          }
          if (evaluationsSinceBest >= plan.patience() && !validation.isEmpty()) {
            ended = "the validation loss no longer falls";
            break;
          }
          if (secondsBefore + now >= plan.maxSeconds() && !last) {
            evaluate(pool);
            ended = "embedded.max_minutes is over";
            break;
          }
          if (now - savedAt >= SECONDS_BETWEEN_CHECKPOINTS && !last) {
            checkpoints.save(checkpoint());
            savedAt = elapsed();
          }
        }
        if (validation.isEmpty()) {
          best = array(average);
          bestStep = step;
        }
      }
      Checkpoint last = checkpoint();
      return new Outcome(last, ended, last.seconds());
    }

    double measure() {
      try (GradientWorkers pool =
          new GradientWorkers(decoder, parameters, workers, microBatches())) {
        pool.gradient(batches(), gradient);
        long from = System.nanoTime();
        int steps = 0;
        do {
          pool.gradient(batches(), gradient);
          step++;
          steps++;
        } while (System.nanoTime() - from < SPEED_PROBE_NANOS);
        return steps * plan.batchSize() / ((System.nanoTime() - from) / 1e9);
      }
    }

    private int microBatches() {
      return (plan.batchSize() + plan.microBatchSize() - 1) / plan.microBatchSize();
    }

    private double elapsed() {
      return (System.nanoTime() - startedNanos) / 1e9;
    }

    private List<FieldBatch> batches() {
      List<FieldBatch> batches = new ArrayList<>();
      long from = step * plan.batchSize();
      for (int done = 0; done < plan.batchSize(); done += plan.microBatchSize()) {
        int count = Math.min(plan.microBatchSize(), plan.batchSize() - done);
        long[] records = new long[count];
        for (int i = 0; i < count; i++) {
          records[i] = record(from + done + i);
        }
        RandomGenerator random = streams.stream(Purpose.INPUT_MASK, step, done);
        batches.add(FieldBatch.read(store, decoder.config(), records, plan.mostMasked(), random));
      }
      return batches;
    }

    /** The record that is seen as the {@code seen}-th of all passes. */
    private long record(long seen) {
      long pass = seen / plan.records();
      if (pass != orderPass) {
        order = new KeyedPermutation(plan.records(), streams.key(Purpose.EPOCH_ORDER, pass));
        orderPass = pass;
      }
      return firstRecord + plan.validationRecords() + order.apply(seen % plan.records());
    }

    private List<FieldBatch> validationBatches() {
      List<FieldBatch> batches = new ArrayList<>();
      for (long done = 0; done < plan.validationRecords(); done += VALIDATION_MICRO_BATCH) {
        int count = (int) Math.min(VALIDATION_MICRO_BATCH, plan.validationRecords() - done);
        long[] records = new long[count];
        for (int i = 0; i < count; i++) {
          records[i] = firstRecord + done + i;
        }
        batches.add(FieldBatch.read(store, decoder.config(), records, 0, null));
      }
      return batches;
    }

    private void evaluate(GradientWorkers pool) {
      if (validation.isEmpty()) {
        return;
      }
      double loss = pool.loss(validation, average) / plan.validationRecords();
      lastValidation = loss;
      if (loss < bestLoss) {
        bestLoss = loss;
        bestStep = step;
        best = array(average);
        evaluationsSinceBest = 0;
      } else {
        evaluationsSinceBest++;
      }
    }

    private void report(double seconds, long steps, double lossSince) {
      double recordsPerSecond = steps * plan.batchSize() / Math.max(1e-9, seconds);
      double toGo = (plan.steps() - step) * plan.batchSize() / Math.max(1e-9, recordsPerSecond);
      double allowed = plan.maxSeconds() - secondsBefore - elapsed();
      listener.onProgress(
          new TrainingListener.Progress(
              step,
              plan.steps(),
              lossSince / Math.max(1, steps) / NATS_PER_BIT,
              lastValidation / NATS_PER_BIT,
              recordsPerSecond,
              recordsPerSecond * store.positions(),
              Math.max(0, Math.min(toGo, allowed))));
    }

    private Checkpoint checkpoint() {
      return new Checkpoint(
          step,
          secondsBefore + elapsed(),
          evaluationsSinceBest,
          bestLoss,
          bestStep,
          plan.steps(),
          array(parameters),
          array(momentum),
          array(variance),
          array(average),
          best.clone());
    }
  }

  private static Tensor tensor(float[] values) {
    return torch.tensor(values).clone();
  }

  private static float[] array(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.numel())];
    tensor.data_ptr_float().get(values);
    return values;
  }
}
