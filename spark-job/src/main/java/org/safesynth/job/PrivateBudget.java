package org.safesynth.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongToDoubleFunction;
import java.util.function.Supplier;
import org.safesynth.config.PrivacyConfig;
import org.safesynth.fault.BadInputException;
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
import org.safesynth.privacy.PrivacyWarnings;
import org.safesynth.privacy.RdpAccountant;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.privacy.SecretStreams.Purpose;
import org.safesynth.privacy.SubsampledGaussian;
import org.safesynth.train.AutoPlan;
import org.safesynth.train.PrivateAutoPlan;
import org.safesynth.train.PrivatePlan;

/**
 * The one budget of a private run: buys the number of privacy units, hands out shares, plans DP-SGD
 * with what is left, and writes the ledger. Everything is counted in units, whatever they are.
 */
final class PrivateBudget {
  /** Part of ε for the number of units, where it is not public. */
  private static final double COUNT_SHARE = 0.02;

  /** With fewer, the noise of training is all there is. */
  private static final int LEAST_UNITS = 100;

  /** A noisy count that is not this many times its noise's scale is not known: 10 miss by e^-10. */
  private static final int LEAST_SCALES = 10;

  private static final int MICRO_BATCH = 64;
  private static final double WEIGHT_DECAY = 0.01;
  private static final double AVERAGE_DECAY = 0.95;
  private static final double WARMUP = 0.05;

  private final RunContext context;
  private final PrivacyConfig privacy;
  private final Unit unit;
  private final Purchases purchases;
  private final SecretStreams streams = SecretStreams.secure();
  private PrivateUnits units;
  private Delta delta;

  /**
   * Whose presence is hidden.
   *
   * @param name in messages: a record, a group
   * @param onLedger what the ledger calls it
   */
  record Unit(String name, String onLedger) {
    static final Unit RECORD = new Unit("record", "record");

    /** All rows of one value of a column. */
    static Unit group(String column) {
      return new Unit("group", "group (all rows with one value of '%s')".formatted(column));
    }
  }

  PrivateBudget(RunContext context, Unit unit) {
    this.context = context;
    this.privacy = context.config().privacy();
    this.unit = unit;
    this.purchases = new Purchases(context.hadoop(), context.folder().bought());
  }

  Purchases purchases() {
    return purchases;
  }

  /** Streams of the driver alone. */
  SecretStreams streams() {
    return streams;
  }

  /** The δ of the claim; once the number of units is known. */
  Delta delta() {
    return delta;
  }

  /**
   * Buys the number of units, or takes the exact one where it is public.
   *
   * @param exact counts them when that is needed
   */
  PrivateUnits units(Supplier<Long> exact) {
    double count = privacy.publicCount() ? exact.get() : noisyCount(exact);
    double least = LEAST_UNITS;
    if (!privacy.publicCount()) {
      least = Math.max(least, LEAST_SCALES * countNoise().scale());
    }
    if (count < least) {
      throw new BadInputException(
          "about %,.0f %ss (%s) are too few for privacy.epsilon %s, which needs %,.0f or more: its noise would leave nothing of them; raise epsilon%s"
              .formatted(
                  count,
                  unit.name(),
                  privacy.publicCount() ? "a number declared public" : "a noisy count",
                  privacy.epsilon(),
                  least,
                  privacy.publicCount()
                      ? ""
                      : ", or set privacy.public_count: true if the number of %ss is public"
                          .formatted(unit.name())));
    }
    units = PrivateUnits.of(count, context.config().data());
    delta = privacy.delta().isAuto() ? Delta.automatic(count) : new Delta(privacy.delta().value());
    PrivacyWarnings.of(count, privacy.epsilon(), delta).forEach(context.console()::warn);
    context
        .console()
        .progress(
            "read",
            "about %,.0f %ss (%s); a %s is held out with probability %.3f"
                .formatted(
                    count,
                    unit.name(),
                    privacy.publicCount() ? "the number is declared public" : "a noisy count",
                    unit.name(),
                    units.heldOutShare()),
            Map.of(unit.name() + "s", count));
    return units;
  }

  private Epsilon ofCount() {
    return new Epsilon(COUNT_SHARE * privacy.epsilon());
  }

  private DiscreteLaplace countNoise() {
    return DiscreteLaplace.hiding(1, ofCount());
  }

  private double noisyCount(Supplier<Long> exact) {
    LedgerEntry entry =
        LedgerEntry.of(
            "count",
            "noisy number of %ss".formatted(unit.name()),
            BoundedLoss.pure(ofCount().value()));
    double[][] noisy =
        purchases.once(
            entry,
            () -> {
              long noise = countNoise().draw(streams.stream(Purpose.UNIT_COUNT));
              return new double[][] {{exact.get() + noise}};
            });
    return noisy[0][0];
  }

  /** The zero-concentrated budget that would alone cost the share at the same δ. */
  double rho(double share) {
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

  /**
   * DP-SGD with what is left.
   *
   * @param shareOfMarginals what noisy counts have taken; null is returned where that is all
   */
  PrivatePlan plan(double shareOfMarginals) {
    if (shareOfMarginals >= 1) {
      return null;
    }
    AutoPlan.Wishes wishes = TrainStage.wishes(context.config());
    double batch = PrivateAutoPlan.batch(units.trained(), wishes);
    return plan(
        shareOfMarginals,
        new Work(
            batch,
            PrivateAutoPlan.steps(privacy.epsilon(), batch, wishes),
            MICRO_BATCH,
            PrivateAutoPlan.learningRate(wishes),
            WEIGHT_DECAY));
  }

  /**
   * What DP-SGD does, but for the noise.
   *
   * @param batch expected units of a step
   * @param steps number of steps
   * @param microBatch units that a worker takes at a time
   * @param learningRate greatest learning rate
   * @param weightDecay of matrices
   */
  record Work(double batch, long steps, int microBatch, double learningRate, double weightDecay) {}

  /** The same for work that is already decided. */
  PrivatePlan plan(double shareOfMarginals, Work work) {
    if (shareOfMarginals >= 1) {
      return null;
    }
    double batch = work.batch();
    long steps = work.steps();
    SamplingRate rate = SamplingRate.of(batch, units.trained());
    Calibration calibration =
        new Calibration(purchases.history(), rate, steps, delta, accountant());
    NoiseMultiplier noise = calibration.noiseMultiplier(new Epsilon(privacy.epsilon()));
    context
        .console()
        .progress(
            "train",
            "plan: %d steps of %,.0f %ss on average, noise multiplier %.4f, for epsilon %s at delta %.2g"
                .formatted(
                    steps, batch, unit.name(), noise.value(), privacy.epsilon(), delta.value()),
            Map.of("steps", steps, "noise_multiplier", noise.value()));
    return new PrivatePlan(
        rate,
        batch,
        noise,
        privacy.perSampleMaxGradNorm(),
        steps,
        work.microBatch(),
        work.learningRate(),
        Math.max(1, Math.round(WARMUP * steps)),
        work.weightDecay(),
        AVERAGE_DECAY);
  }

  /**
   * What everything on the ledger and the first steps of a plan cost together at most, as ε by the
   * accountant of the claim.
   *
   * @return null without private steps
   */
  LongToDoubleFunction epsilonAfter(PrivatePlan plan) {
    if (plan == null) {
      return null;
    }
    List<Mechanism> before = purchases.entries().stream().map(LedgerEntry::mechanism).toList();
    LongToDoubleFunction epsilon =
        steps -> {
          List<Mechanism> history = new ArrayList<>(before);
          if (steps > 0) {
            history.add(new SubsampledGaussian(plan.samplingRate(), plan.noiseMultiplier(), steps));
          }
          return accountant().epsilon(history, delta);
        };
    if (accountant() == Accountant.RDP) {
      return epsilon;
    }
    // Grids of losses differ by the history, so that a part may seem to cost more than the whole.
    double whole = epsilon.applyAsDouble(plan.steps());
    return byTenths(
        steps -> steps == plan.steps() ? whole : Math.min(whole, epsilon.applyAsDouble(steps)),
        plan.steps());
  }

  /**
   * A function of steps that rises, from above, by few calls of it: each tenth of the steps is
   * taken for its end. Loss distributions take a second to compose.
   */
  static LongToDoubleFunction byTenths(LongToDoubleFunction rising, long steps) {
    long tenth = (steps + 9) / 10;
    Map<Long, Double> known = new ConcurrentHashMap<>();
    return step -> {
      long end = Math.min(steps, (step + tenth - 1) / tenth * tenth);
      return known.computeIfAbsent(end, rising::applyAsDouble);
    };
  }

  private Accountant accountant() {
    return privacy.accountant() == PrivacyConfig.Accountant.PLD ? Accountant.PLD : Accountant.RDP;
  }

  /**
   * Written before training: no step is taken that is not on the ledger.
   *
   * @param domain by column, how it became known
   * @param mostRows of one unit
   * @param plan null where nothing is trained on the units
   * @param notCovered what else the claim is not about
   */
  void writeLedger(
      Map<String, String> domain, long mostRows, PrivatePlan plan, String... notCovered) {
    PrivacyLedgerBuilder builder =
        PrivacyLedger.builder()
            .streams(streams)
            .unit(unit.onLedger())
            .mostRowsPerUnit(mostRows)
            .units(
                units.records(),
                privacy.publicCount() ? UnitsKnownBy.DECLARED_PUBLIC : UnitsKnownBy.NOISY_COUNT)
            .domain(domain)
            .budget(new Epsilon(privacy.epsilon()), delta, accountant())
            .notCovered("a run that stops because the input file itself is malformed");
    for (String words : notCovered) {
      builder.notCovered(words);
    }
    for (LedgerEntry entry : purchases.entries()) {
      builder.release(entry.name(), entry.what(), entry.mechanism());
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
}
