package org.safesynth.job;

import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.safesynth.config.PicocliOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The commands {@code run}, {@code run train}, {@code run generate} and {@code run impute}. */
@Command(mixinStandardHelpOptions = true, sortOptions = false, usageHelpAutoWidth = true)
final class RunCommand implements Callable<Integer> {
  private final RunJob.Stages stages;
  private final PrintStream out;
  private final PrintStream err;
  private PicocliOptions parameters;

  @Spec private CommandSpec spec;

  @Mixin private RunOptions options;
  @Mixin private LogOptions log;
  @Mixin private UnsupportedOptions unsupported;

  RunCommand(RunJob.Stages stages, PrintStream out, PrintStream err) {
    this.stages = stages;
    this.out = out;
    this.err = err;
  }

  /** Where the values of the parameters' own options are. */
  RunCommand with(PicocliOptions parameterOptions) {
    parameters = parameterOptions;
    return this;
  }

  @Override
  public Integer call() {
    Configuration hadoop = HadoopSettings.current();
    try (Console console = log.open(hadoop, out, err)) {
      try {
        return new RunJob(
                stages,
                options,
                parameters.overrides(spec.commandLine().getParseResult()),
                console,
                log.isVerbose(),
                hadoop)
            .run();
      } catch (RuntimeException fault) {
        console.error(Faults.sentence(fault));
        console.trace(fault);
        return Faults.exitCode(fault);
      }
    }
  }
}
