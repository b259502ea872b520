package org.safesynth.train;

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

  private final Lessons<?> lessons;
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
    this(
        new RecordLessons(decoder, store, firstRecord, plan), plan, checkpoints, listener, workers);
  }

  EmbeddedTrainer(
      Lessons<?> lessons,
      TrainingPlan plan,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    this.lessons = lessons;
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
    int size = Math.toIntExact(lessons.layout().size());
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
      return loop(lessons, start).run(Long.MAX_VALUE);
    }
  }

  /** Trains to a step and stops there, as a process that is killed right after a checkpoint. */
  Checkpoint trainTo(long lastStep) {
    Natives.load();
    try (PointerScope scope = new PointerScope()) {
      Checkpoint start = fresh(Math.toIntExact(lessons.layout().size()));
      return loop(lessons, start).run(lastStep).last();
    }
  }

  /**
   * Speed of training on this machine in records a second, from a few steps whose result is thrown
   * away.
   */
  public double measureSpeed() {
    Natives.load();
    Checkpoint start = fresh(Math.toIntExact(lessons.layout().size()));
    try (PointerScope scope = new PointerScope()) {
      return loop(lessons, start).measure();
    }
  }

  private Checkpoint fresh(int size) {
    RandomGenerator random = streams.stream(Purpose.INITIAL_WEIGHTS);
    float[] parameters = lessons.initialParameters(random);
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
        parameters.clone(),
        0);
  }

  private <B> Loop<B> loop(Lessons<B> of, Checkpoint start) {
    return new Loop<>(of, start);
  }

  /** The state of one run; its tensors live in the scope of {@link #train}. */
  private final class Loop<B> {
    private final Lessons<B> taught;
    private final Tensor parameters; // (P)
    private final Tensor momentum; // (P)
    private final Tensor variance; // (P)
    private final Tensor average; // (P)
    private final Tensor gradient; // (P)
    private final List<B> validation;
    private float[] best;
    private long step;
    private double bestLoss;
    private long bestStep;
    private int evaluationsSinceBest;
    private double lastValidation = Double.NaN;
    private final double secondsBefore;
    private final long startedNanos = System.nanoTime();

    Loop(Lessons<B> taught, Checkpoint start) {
      this.taught = taught;
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
      validation = taught.validation();
    }

    Outcome run(long lastStep) {
      FlatAdamW optimizer =
          new FlatAdamW(
              parameters,
              momentum,
              variance,
              tensor(lessons.layout().decayMask()),
              plan.beta1(),
              plan.beta2(),
              plan.weightDecay());
      String ended = "the schedule is complete";
      try (GradientWorkers<B> pool = new GradientWorkers<>(taught, parameters, workers)) {
        double reportedAt = 0;
        double savedAt = 0;
        long reportedStep = step;
        double lossSince = 0;
        while (step < Math.min(lastStep, plan.steps())) {
          double loss = pool.gradient(taught.batches(step), gradient) / plan.batchSize();
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
      try (GradientWorkers<B> pool = new GradientWorkers<>(taught, parameters, workers)) {
        pool.gradient(taught.batches(step), gradient);
        long from = System.nanoTime();
        int steps = 0;
        do {
          pool.gradient(taught.batches(step), gradient);
          step++;
          steps++;
        } while (System.nanoTime() - from < SPEED_PROBE_NANOS);
        return steps * plan.batchSize() / ((System.nanoTime() - from) / 1e9);
      }
    }

    private double elapsed() {
      return (System.nanoTime() - startedNanos) / 1e9;
    }

    private void evaluate(GradientWorkers<B> pool) {
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
              recordsPerSecond * taught.tokensPerRecord(),
              Math.max(0, Math.min(toGo, allowed)),
              true));
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
          best.clone(),
          0);
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
