package org.safesynth.job;

import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.safesynth.fault.BadInputException;
import org.safesynth.privacy.Accountant;
import org.safesynth.privacy.Calibration;
import org.safesynth.privacy.Delta;
import org.safesynth.privacy.Epsilon;
import org.safesynth.privacy.NoiseMultiplier;
import org.safesynth.privacy.PrivacyAnswer;
import org.safesynth.privacy.PrivacyWarnings;
import org.safesynth.privacy.SamplingRate;
import org.safesynth.privacy.SubsampledGaussian;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command {@code privacy}: a calculator that needs neither data nor Spark. */
@Command(
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Says what a private training costs, or how much noise a budget asks for.",
      "",
      "  safe-synthesizer privacy --records 32561 --batch-size 1024 --steps 300 --epsilon 2 --delta auto",
      "  safe-synthesizer privacy --sampling-rate 0.0314 --steps 300 --noise-multiplier 1.9 --delta 1e-5"
    })
final class PrivacyCommand implements Callable<Integer> {
  private final PrintStream out;
  private final PrintStream err;

  @Option(
      names = "--sampling-rate",
      paramLabel = "Q",
      description = "Probability with which a step takes a record (or group).")
  private Double samplingRate;

  @Option(
      names = "--records",
      paramLabel = "N",
      description = "Number of records (or groups); with --batch-size in place of a rate.")
  private Double records;

  @Option(names = "--batch-size", paramLabel = "B", description = "Expected batch size.")
  private Double batchSize;

  @Option(
      names = "--noise-multiplier",
      paramLabel = "SIGMA",
      description = "Noise over the clip norm: asks what it costs.")
  private Double noiseMultiplier;

  @Option(
      names = "--epsilon",
      paramLabel = "E",
      description = "Budget: asks for the least noise multiplier.")
  private Double epsilon;

  @Option(names = "--steps", required = true, paramLabel = "T", description = "Training steps.")
  private long steps;

  @Option(
      names = "--delta",
      required = true,
      paramLabel = "D",
      description = "A number, or auto: n^-1.2 from --records.")
  private String delta;

  @Option(
      names = "--accountant",
      paramLabel = "A",
      defaultValue = "rdp",
      description =
          "With --epsilon: which accountant keeps the budget, rdp or pld (${DEFAULT-VALUE}).")
  private Accountant accountant;

  @Option(names = "--json", description = "Prints one JSON object.")
  private boolean json;

  PrivacyCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public Integer call() {
    SamplingRate rate = rate();
    Delta at = delta();
    if (steps < 1) {
      throw new BadInputException("--steps is %d, but must be at least 1".formatted(steps));
    }
    SubsampledGaussian training = new SubsampledGaussian(rate, noise(rate, at), steps);
    PrivacyAnswer answer = PrivacyAnswer.of(training, at);
    out.print(json ? answer.json() : answer.text());
    if (records != null) {
      double spent = accountant == Accountant.PLD ? answer.pld().epsilon() : answer.rdp().epsilon();
      PrivacyWarnings.of(records, spent, at).forEach(line -> err.println("warning: " + line));
    }
    return 0;
  }

  private SamplingRate rate() {
    if (samplingRate != null && batchSize != null || samplingRate == null && batchSize == null) {
      throw new BadInputException("give either --sampling-rate, or --records and --batch-size");
    }
    if (samplingRate != null) {
      return new SamplingRate(samplingRate);
    }
    if (records == null) {
      throw new BadInputException("--batch-size needs --records, or give --sampling-rate");
    }
    return SamplingRate.of(batchSize, records);
  }

  private Delta delta() {
    if (delta.toLowerCase(Locale.ROOT).equals("auto")) {
      if (records == null) {
        throw new BadInputException(
            "--delta auto needs --records, since it depends on their number; or give a number");
      }
      return Delta.automatic(records);
    }
    try {
      return new Delta(Double.parseDouble(delta));
    } catch (NumberFormatException e) {
      throw new BadInputException("--delta is '%s'; write a number, or auto".formatted(delta), e);
    }
  }

  private NoiseMultiplier noise(SamplingRate rate, Delta at) {
    if (noiseMultiplier == null && epsilon == null || noiseMultiplier != null && epsilon != null) {
      throw new BadInputException("give either --noise-multiplier or --epsilon");
    }
    return noiseMultiplier != null
        ? new NoiseMultiplier(noiseMultiplier)
        : new Calibration(List.of(), rate, steps, at, accountant)
            .noiseMultiplier(new Epsilon(epsilon));
  }
}
