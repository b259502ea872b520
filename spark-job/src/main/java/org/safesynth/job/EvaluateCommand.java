package org.safesynth.job;

import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.safesynth.config.PicocliOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The command {@code run evaluate}. */
@Command(mixinStandardHelpOptions = true, sortOptions = false, usageHelpAutoWidth = true)
final class EvaluateCommand implements Callable<Integer> {
  private final PrintStream out;
  private final PrintStream err;
  private PicocliOptions parameters;

  @Spec private CommandSpec spec;

  @Mixin private EvaluateOptions options;
  @Mixin private LogOptions log;
  @Mixin private UnsupportedOptions unsupported;

  EvaluateCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /** Where the values of the parameters' own options are. */
  EvaluateCommand with(PicocliOptions parameterOptions) {
    parameters = parameterOptions;
    return this;
  }

  @Override
  public Integer call() {
    Configuration hadoop = HadoopSettings.current();
    try (Console console = log.open(hadoop, out, err)) {
      try {
        return new EvaluateJob(
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
