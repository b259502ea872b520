package org.safesynth.job;

import org.safesynth.fault.BadInputException;
import picocli.CommandLine.Option;

/** Options of the reference's command line that this job refuses by name instead of as unknown. */
final class UnsupportedOptions {
  @Option(
      names = {"--wandb-mode", "--wandb-project", "--wandb-resume-job-id"},
      hidden = true,
      paramLabel = "VALUE")
  void wandb(String value) {
    throw new BadInputException(
        "Weights & Biases is not supported: leave out the --wandb options; progress.jsonl in the run folder has the figures");
  }

  @Option(names = "--dataset-registry", hidden = true, paramLabel = "VALUE")
  void registry(String value) {
    throw new BadInputException(
        "--dataset-registry is not supported: name the table with --data-source, or a catalog's with --data-source table:NAME");
  }

  @Option(names = "--auto-discover-adapter", hidden = true)
  void discover(boolean value) {
    throw new BadInputException(
        "--auto-discover-adapter is not supported: name the run with --run-path or --run-id");
  }

  @Option(
      names = {"--log-color", "--no-log-color"},
      hidden = true)
  void color(boolean value) {
    throw new BadInputException(
        "--log-color and --no-log-color are not supported: lines are never coloured");
  }
}
