package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongToDoubleFunction;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.LoraDecoder;
import org.safesynth.model.Natives;
import org.safesynth.model.PackedExamples;
import org.safesynth.random.SeededStreams;

/**
 * Trains an adapter on a frozen decoder as Hugging Face's Trainer does: one pass over the examples
 * in their order, the mean over a step's record tokens, clipping by norm, AdamW.
 *
 * <p>The result depends on the plan, the examples and the seed alone: forward passes are fixed, and
 * their gradients are added in a fixed order, whatever the number of workers.
 */
public final class LoraTrainer {
  private static final double SECONDS_BETWEEN_REPORTS = 2;
  private static final double SECONDS_BETWEEN_CHECKPOINTS = 60;

  private final LoraDecoder decoder;
  private final ExampleSource source;
  private final LoraPlan plan;
  private final LongToDoubleFunction learningRate;
  private final CheckpointStore checkpoints;
  private final TrainingListener listener;
  private final int workers;

  /**
   * Sets a training run up.
   *
   * @param source the training examples, then those for validation
   * @param learningRate of each step, from 0; of the first alone where the plan follows the loss
   * @param workers threads
   */
  public LoraTrainer(
      LoraDecoder decoder,
      ExampleSource source,
      LoraPlan plan,
      LongToDoubleFunction learningRate,
      CheckpointStore checkpoints,
      TrainingListener listener,
      int workers) {
    this.decoder = decoder;
    this.source = source;
    this.plan = plan;
    this.learningRate = learningRate;
    this.checkpoints = checkpoints;
    this.listener = listener;
    this.workers = workers;
  }

  /**
   * What training comes to.
   *
   * @param last the newest state
   * @param losses mean loss in nats a token before each step of this attempt
   * @param firstValidation validation loss of the untrained model in nats a token; NaN without
   *     validation examples or in a resumed attempt
   * @param lastValidation validation loss at the end, likewise
   * @param tokens tokens seen by this attempt, prompts included
   */
  public record Outcome(
      Checkpoint last,
      List<Double> losses,
      double firstValidation,
      double lastValidation,
      long tokens,
      double seconds) {
    /** The trained adapter (P). */
    public float[] adapter() {
      return last.parameters();
    }
  }

  /**
   * Trains to the end, from the newest checkpoint if there is one.
   *
   * @param initial (P) the adapter at the start
   */
  public Outcome train(float[] initial) {
    Checkpoint start = checkpoints.newest().orElseGet(() -> fresh(initial));
    if (start.parameters().length != decoder.layout().size() || start.planSteps() != plan.steps()) {
      throw new RunFailedException(
          "the checkpoint holds %,d parameters of a schedule of %,d steps, and the run has %,d and %,d; resume with the settings of the run or remove its checkpoints folder"
              .formatted(
                  start.parameters().length,
                  start.planSteps(),
                  decoder.layout().size(),
                  plan.steps()));
    }
    return run(start, Long.MAX_VALUE);
  }

  /**
   * Examples a second, from the gradient of one step's first forward passes, as many as there are
   * workers.
   */
  public double measureSpeed(float[] initial) {
    Natives.load();
    try (PointerScope scope = new PointerScope();
        LoraWorkers pool = new LoraWorkers(decoder, plan, workers)) {
      long count =
          Math.min(
              plan.examples(),
              (long) plan.batchSize() * Math.max(1, Math.min(workers, plan.accumulation())));
      List<PackedExamples> passes = passes(0, count);
      Tensor gradient = there(new float[initial.length]); // (P)
      Tensor parameters = there(initial); // (P)
      long begin = System.nanoTime();
      pool.gradient(passes, parameters, gradient);
      return count / ((System.nanoTime() - begin) / 1e9);
    }
  }

  /** Trains to a step and stops there, as a process that is killed right after a checkpoint. */
  Checkpoint trainTo(long lastStep, float[] initial) {
    return run(fresh(initial), lastStep).last();
  }

  /** The adapter that a seed gives at the start (P). */
  public static float[] initial(LoraDecoder decoder, long seed) {
    return decoder.initialParameters(
        new SeededStreams(seed).stream(SeededStreams.Purpose.INITIAL_WEIGHTS));
  }

  private Checkpoint fresh(float[] initial) {
    PlateauRate rate = PlateauRate.start(plan.followsLoss() ? learningRate.applyAsDouble(0) : 0);
    return checkpoint(0, 0, rate, initial, new float[initial.length], new float[initial.length]);
  }

  /** There is no average and no choice of a best state here: the newest stands for both. */
  private Checkpoint checkpoint(
      long step, double seconds, PlateauRate rate, float[] of, float[] momentum, float[] variance) {
    return new Checkpoint(
        step,
        seconds,
        rate.idle(),
        rate.best(),
        step,
        plan.steps(),
        of,
        momentum,
        variance,
        of.clone(),
        of.clone(),
        rate.rate());
  }

  private Outcome run(Checkpoint start, long lastStep) {
    Natives.load();
    try (PointerScope scope = new PointerScope();
        LoraWorkers pool = new LoraWorkers(decoder, plan, workers)) {
      return new Loop(start, pool).run(Math.min(lastStep, plan.steps()));
    }
  }

  /** The examples from one number to another, {@code batchSize} a forward pass. */
  private List<PackedExamples> passes(long from, long to) {
    List<PackedExamples> passes = new ArrayList<>();
    for (long at = from; at < to; at += plan.batchSize()) {
      List<PackedExamples.Example> examples = new ArrayList<>();
      for (long e = at; e < Math.min(to, at + plan.batchSize()); e++) {
        examples.add(source.example(e));
      }
      passes.add(PackedExamples.of(examples));
    }
    return passes;
  }

  /** The state of one attempt; its tensors live in the scope around it. */
  private final class Loop {
    private final LoraWorkers pool;
    private final Tensor parameters; // (P)
    private final Tensor momentum; // (P)
    private final Tensor variance; // (P)
    private final Tensor gradient; // (P)
    private final FlatAdamW optimizer;
    private final double secondsBefore;
    private final long startedNanos = System.nanoTime();
    private final List<Double> losses = new ArrayList<>();
    private long step;
    private long tokens;
    private double validation = Double.NaN;
    private PlateauRate plateau;

    Loop(Checkpoint start, LoraWorkers pool) {
      this.pool = pool;
      parameters = there(start.parameters());
      momentum = there(start.momentum());
      variance = there(start.variance());
      gradient = there(new float[start.parameters().length]);
      optimizer =
          new FlatAdamW(
              parameters,
              momentum,
              variance,
              there(decoder.layout().decayMask()),
              LoraPlan.BETA_1,
              LoraPlan.BETA_2,
              plan.weightDecay());
      step = start.step();
      secondsBefore = start.seconds();
      plateau =
          new PlateauRate(start.learningRate(), start.bestLoss(), start.evaluationsSinceBest());
    }

    Outcome run(long lastStep) {
      if (step == 0) {
        validate();
      }
      double first = validation;
      double reportedAt = 0;
      double savedAt = 0;
      long reportedStep = step;
      long reportedTokens = 0;
      while (step < lastStep) {
        losses.add(oneStep());
        boolean isLast = step == plan.steps();
        if (step % plan.validationSteps() == 0 || isLast) {
          validate();
          plateau = plan.followsLoss() ? plateau.after(validation) : plateau;
        }
        double now = elapsed();
        if (now - reportedAt >= SECONDS_BETWEEN_REPORTS || isLast) {
          report(now - reportedAt, step - reportedStep, tokens - reportedTokens);
          reportedAt = now;
          reportedStep = step;
          reportedTokens = tokens;
        }
        if (now - savedAt >= SECONDS_BETWEEN_CHECKPOINTS && !isLast) {
          checkpoints.save(state());
          savedAt = elapsed();
        }
      }
      return new Outcome(state(), losses, first, validation, tokens, secondsBefore + elapsed());
    }

    private double oneStep() {
      try (PointerScope scope = new PointerScope()) {
        long from = step * plan.stepExamples();
        long to = Math.min(plan.examples(), from + plan.stepExamples());
        double loss = pool.gradient(counted(passes(from, to)), parameters, gradient);
        if (!Double.isFinite(loss)) {
          throw new RunFailedException(
              "training diverged at step %,d (the loss is not a number); lower training.learning_rate"
                  .formatted(step));
        }
        if (Double.isFinite(plan.maxGradientNorm())) {
          double norm = gradient.norm().item_double();
          gradient.mul_(new Scalar(Math.min(1, plan.maxGradientNorm() / (norm + 1e-6))));
        }
        double rate = plan.followsLoss() ? plateau.rate() : learningRate.applyAsDouble(step);
        optimizer.step(gradient, rate, step + 1);
        step++;
        return loss;
      }
    }

    private List<PackedExamples> counted(List<PackedExamples> passes) {
      for (PackedExamples pass : passes) {
        tokens += pass.ids().length;
      }
      return passes;
    }

    private void validate() {
      if (plan.validationExamples() > 0) {
        validation =
            pool.loss(
                passes(plan.examples(), plan.examples() + plan.validationExamples()), parameters);
      }
    }

    private void report(double seconds, long steps, long seen) {
      double mean =
          losses.subList((int) Math.max(0, losses.size() - steps), losses.size()).stream()
              .mapToDouble(d -> d)
              .average()
              .orElse(Double.NaN);
      double perSecond = steps * plan.stepExamples() / Math.max(1e-9, seconds);
      listener.onProgress(
          new TrainingListener.Progress(
              step,
              plan.steps(),
              mean,
              validation,
              perSecond,
              seen / Math.max(1e-9, seconds),
              (plan.steps() - step) * plan.stepExamples() / Math.max(1e-9, perSecond),
              true));
    }

    private double elapsed() {
      return (System.nanoTime() - startedNanos) / 1e9;
    }

    private Checkpoint state() {
      return checkpoint(
          step,
          secondsBefore + elapsed(),
          plateau,
          array(parameters),
          array(momentum),
          array(variance));
    }
  }

  /** A copy of values where the decoder computes. */
  private Tensor there(float[] values) {
    return decoder.device().on(torch.tensor(values).clone());
  }

  private static float[] array(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.numel())];
    tensor.cpu().data_ptr_float().get(values);
    return values;
  }
}
