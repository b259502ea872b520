package org.safesynth.train;

import java.util.concurrent.CompletableFuture;
import java.util.function.LongToDoubleFunction;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleArrayRef;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.Natives;
import org.safesynth.model.ParameterLayout;
import org.safesynth.privacy.GaussianNoise;
import org.safesynth.privacy.PoissonSampler;
import org.safesynth.privacy.SecretStreams;

/**
 * DP-SGD (Abadi et al. 2016, algorithm 1): each privacy unit, a record or a whole group of them,
 * enters each step by itself with probability q, its gradient is clipped to C, one draw of noise of
 * deviation σC (and a little more, {@link PrivatePlan#sensitivity}) is added to the sum, and the
 * result is divided by the expected number of units. Steps that draw nobody take noise too. How a
 * model's gradients are clipped is for its {@link PrivateLessons}.
 *
 * <p>All that follows is post-processing of the noisy gradient and costs no privacy: Adam's
 * moments, weight decay, the learning-rate schedule, the moving average that is the result. Nothing
 * else reads the data: no validation, no early stop, no choice among checkpoints, no input masks
 * (see {@link RecordClipping}).
 *
 * <p>The loss goes to the listener alone, who may show it to the operator and must not store it: it
 * is a statistic of the records without noise.
 *
 * <p>Checkpoints hold what the noisy steps made and nothing of the draws. A process that resumes
 * has another secret key, so its further steps draw afresh: the lineage that ends in the result
 * took each step once.
 */
public final class PrivateTrainer {
  private static final double NATS_PER_BIT = Math.log(2);
  private static final double SECONDS_BETWEEN_REPORTS = 2;
  private static final double SECONDS_BETWEEN_CHECKPOINTS = 60;
  private static final double BETA_1 = 0.9;
  private static final double BETA_2 = 0.98;

  private final PrivateLessons lessons;
  private final PrivatePlan plan;
  private final LongToDoubleFunction learningRate;
  private final SecretStreams streams;
  private final CheckpointStore checkpoints;
  private final TrainingListener listener;
  private final int workers;

  /**
   * Sets a training run on records up.
   *
   * @param store holds the records held out, then those to train on
   * @param firstRecord number of the first record to train on
   * @param streams of this process alone
   * @param workers threads
   */
  public PrivateTrainer(
      FieldDecoder decoder,
      TokenStore store,
      long firstRecord,
      PrivatePlan plan,
      SecretStreams streams,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    this(
        new RecordClipping(decoder, store, firstRecord, plan.clipNorm(), plan.microBatchSize()),
        decoder.layout(),
        store.records() - firstRecord,
        store.positions(),
        plan,
        streams,
        checkpoints,
        listener,
        workers);
  }

  /**
   * @param clipping gradients of units 0 to units - 1, clipped to the plan's norm
   */
  PrivateTrainer(
      Clipping clipping,
      ParameterLayout layout,
      long units,
      double tokensPerUnit,
      PrivatePlan plan,
      SecretStreams streams,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    this(
        new PrivateLessons.OfMicroBatches(clipping, layout, units, tokensPerUnit),
        plan,
        plan::learningRateAt,
        streams,
        checkpoints,
        listener,
        workers);
  }

  /**
   * Sets a training run up.
   *
   * @param learningRate of each step, from 0
   * @param streams of this process alone
   * @param workers threads
   */
  public PrivateTrainer(
      PrivateLessons lessons,
      PrivatePlan plan,
      LongToDoubleFunction learningRate,
      SecretStreams streams,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    this.lessons = lessons;
    this.plan = plan;
    this.learningRate = learningRate;
    this.streams = streams;
    this.checkpoints = checkpoints;
    this.listener = listener;
    this.workers = workers;
  }

  /**
   * Trains to the last step, from the newest checkpoint if there is one.
   *
   * @param initial (P) weights that no private record decided, unless on the privacy ledger
   */
  public Checkpoint train(float[] initial) {
    return trainTo(plan.steps(), initial);
  }

  /** Trains to a step and stops there, as a process that is killed right after a checkpoint. */
  Checkpoint trainTo(long step, float[] initial) {
    Natives.load();
    Checkpoint start = checkpoints.newest().orElseGet(() -> fresh(initial));
    if (start.parameters().length != initial.length || start.planSteps() != plan.steps()) {
      throw new RunFailedException(
          "the checkpoint belongs to another model or plan (%,d parameters and %,d steps instead of %,d and %,d); resume with the settings of the run or choose another --run-id"
              .formatted(
                  start.parameters().length, start.planSteps(), initial.length, plan.steps()));
    }
    try (PointerScope scope = new PointerScope()) {
      return new Loop(start).run(step);
    }
  }

  private Checkpoint fresh(float[] initial) {
    return new Checkpoint(
        0,
        0,
        0,
        Double.POSITIVE_INFINITY,
        0,
        plan.steps(),
        initial,
        new float[initial.length],
        new float[initial.length],
        initial.clone(),
        initial.clone(),
        0);
  }

  /** The state of one run; its tensors live in the scope of {@link #train}. */
  private final class Loop {
    private final Tensor parameters; // (P)
    private final Tensor momentum; // (P)
    private final Tensor variance; // (P)
    private final Tensor average; // (P)
    private final Tensor sum; // (P) float64
    private final double[] noisy; // (P)
    private final double secondsBefore;
    private final long startedNanos = System.nanoTime();
    private long step;

    Loop(Checkpoint start) {
      parameters = there(start.parameters());
      momentum = there(start.momentum());
      variance = there(start.variance());
      average = there(start.average());
      noisy = new double[start.parameters().length];
      sum = lessons.device().on(torch.zeros(noisy.length).to(ScalarType.Double));
      secondsBefore = start.seconds();
      step = start.step();
    }

    Checkpoint run(long until) {
      PoissonSampler sampler = new PoissonSampler(streams, plan.samplingRate(), lessons.units());
      GaussianNoise noise =
          new GaussianNoise(streams, plan.noiseMultiplier(), plan.sensitivity(), noisy.length);
      FlatAdamW optimizer =
          new FlatAdamW(
              parameters,
              momentum,
              variance,
              there(lessons.layout().decayMask()),
              BETA_1,
              BETA_2,
              plan.weightDecay());
      try (PrivateLessons.ClippedSum clipped = lessons.begin(parameters, noise.grid(), workers)) {
        double reportedAt = elapsed();
        double savedAt = elapsed();
        while (step < until) {
          double loss = step(clipped, sampler, noise, optimizer);
          double now = elapsed();
          boolean last = step == plan.steps();
          if (now - reportedAt >= SECONDS_BETWEEN_REPORTS || last) {
            report(loss);
            reportedAt = now;
          }
          if (now - savedAt >= SECONDS_BETWEEN_CHECKPOINTS && !last) {
            checkpoints.save(checkpoint());
            savedAt = elapsed();
          }
        }
      }
      return checkpoint();
    }

    /** One step; returns the loss of the expected unit in nats. */
    private double step(
        PrivateLessons.ClippedSum clipped,
        PoissonSampler sampler,
        GaussianNoise noise,
        FlatAdamW optimizer) {
      try (PointerScope scope = new PointerScope()) {
        CompletableFuture<double[]> drawn = noise.drawAhead(step, clipped.threads());
        long[] drawnUnits = sampler.sample(step);
        sum.zero_();
        double loss = clipped.addTo(sum, drawnUnits);
        sum.cpu().data_ptr_double().get(noisy);
        noise.addTo(noisy, drawn.join());
        Tensor wide = // (P) float64
            lessons
                .device()
                .on(torch.tensor(new DoubleArrayRef(new DoublePointer(noisy), noisy.length)));
        Tensor gradient = wide.div(new Scalar(plan.expectedBatch())).to(ScalarType.Float); // (P)
        optimizer.step(gradient, learningRate.applyAsDouble(step), step + 1);
        average.lerp_(parameters, new Scalar(1 - plan.averageDecayAt(step)));
        step++;
        return loss / plan.expectedBatch();
      }
    }

    private double elapsed() {
      return (System.nanoTime() - startedNanos) / 1e9;
    }

    private void report(double loss) {
      double seconds = secondsBefore + elapsed();
      double recordsPerSecond = step * plan.expectedBatch() / Math.max(1e-9, seconds);
      listener.onProgress(
          new TrainingListener.Progress(
              step,
              plan.steps(),
              loss / NATS_PER_BIT,
              Double.NaN,
              recordsPerSecond,
              recordsPerSecond * lessons.tokensPerUnit(),
              (plan.steps() - step) * plan.expectedBatch() / Math.max(1e-9, recordsPerSecond),
              true));
    }

    private Checkpoint checkpoint() {
      float[] weights = array(average);
      return new Checkpoint(
          step,
          secondsBefore + elapsed(),
          0,
          Double.POSITIVE_INFINITY,
          step,
          plan.steps(),
          array(parameters),
          array(momentum),
          array(variance),
          weights,
          weights.clone(),
          0);
    }
  }

  /** A copy of values where the model computes. */
  private Tensor there(float[] values) {
    return lessons.device().on(torch.tensor(values).clone());
  }

  private static float[] array(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.numel())];
    tensor.cpu().data_ptr_float().get(values);
    return values;
  }
}
