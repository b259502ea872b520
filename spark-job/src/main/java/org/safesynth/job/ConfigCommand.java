package org.safesynth.job;

import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.apache.hadoop.fs.Path;
import org.safesynth.config.Availability;
import org.safesynth.config.ConfigWriter;
import org.safesynth.config.PicocliOptions;
import org.safesynth.config.SafeSynthesizerConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * The commands {@code config validate}, {@code config create} and {@code config modify}: they need
 * no Spark session.
 */
@Command(mixinStandardHelpOptions = true, sortOptions = false, usageHelpAutoWidth = true)
final class ConfigCommand implements Callable<Integer> {
  /** What a command does with the parameters. */
  enum Task {
    VALIDATE,
    CREATE,
    MODIFY
  }

  private final Task task;
  private final PrintStream out;
  private final PrintStream err;
  private PicocliOptions parameters;

  @Spec private CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Parameters as YAML, local or on any file system that Hadoop knows.")
  private String config;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Where create and modify write; default standard output.")
  private String output;

  ConfigCommand(Task task, PrintStream out, PrintStream err) {
    this.task = task;
    this.out = out;
    this.err = err;
  }

  /** Where the values of the parameters' own options are. */
  ConfigCommand with(PicocliOptions parameterOptions) {
    parameters = parameterOptions;
    return this;
  }

  @Override
  public Integer call() {
    TextFiles files = new TextFiles(HadoopSettings.current());
    String source = task == Task.CREATE ? null : config;
    SafeSynthesizerConfig read =
        new Settings(files).read(source, parameters.overrides(spec.commandLine().getParseResult()));
    if (task == Task.VALIDATE) {
      Availability.check(read).forEach(err::println);
      err.println((config == null ? "the parameters are" : config + " is") + " valid");
    } else if (output == null) {
      out.print(ConfigWriter.toYaml(read));
    } else {
      files.write(new Path(output), ConfigWriter.toYaml(read));
    }
    return 0;
  }
}
