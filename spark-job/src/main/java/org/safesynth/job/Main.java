package org.safesynth.job;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Map;
import org.safesynth.config.PicocliOptions;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command line: {@code safe-synthesizer run …}, {@code config …} and {@code privacy …}. */
public final class Main {
  /** Defaults that the environment gives, by option. */
  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "--config", "NSS_CONFIG",
          "--artifact-path", "NSS_ARTIFACTS_PATH",
          "--log-format", "NSS_LOG_FORMAT",
          "--log-level", "NSS_LOG_LEVEL",
          "--log-file", "NSS_LOG_FILE");

  private Main() {}

  /** Exit codes: 0 done, 1 failed, 2 wrong usage or bad input. */
  public static void main(String[] arguments) {
    int code = execute(arguments, System.out, System.err, System.getenv());
    if (code == 0) {
      return; // System.exit(0) would look like a crash to YARN in cluster mode
    }
    if (isOnDatabricks()) {
      throw new RunFailedException("the command ended with code " + code);
    }
    System.exit(code);
  }

  /** Databricks takes an exit for a crash of the cluster, and an exception for a failed job. */
  private static boolean isOnDatabricks() {
    return System.getenv("DATABRICKS_RUNTIME_VERSION") != null
        || System.getProperties().stringPropertyNames().stream()
            .anyMatch(name -> name.startsWith("spark.databricks."));
  }

  /** Runs a command and returns its exit code. */
  static int execute(
      String[] arguments, PrintStream out, PrintStream err, Map<String, String> environment) {
    CommandLine line = new CommandLine(new Root());
    line.addSubcommand("privacy", new PrivacyCommand(out, err));
    if (arguments.length == 0 || !arguments[0].equals("privacy")) {
      addPipeline(line, out, err); // a calculator should not wait for hundreds of options
    }
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setDefaultValueProvider(argument -> fromEnvironment(argument, environment));
    line.setParameterExceptionHandler((e, unused) -> wrongUsage(e, err));
    line.setExecutionExceptionHandler(
        (e, unused, parsed) -> {
          err.println("error: " + Faults.sentence(e));
          return Faults.exitCode(e);
        });
    return line.execute(arguments);
  }

  private static void addPipeline(CommandLine line, PrintStream out, PrintStream err) {
    CommandLine run = addRun(line, "run", RunJob.Stages.ALL, out, err);
    addRun(run, "train", RunJob.Stages.TRAIN, out, err);
    addRun(run, "generate", RunJob.Stages.GENERATE, out, err);
    addRun(run, "impute", RunJob.Stages.IMPUTE, out, err);
    addEvaluate(run, out, err);
    CommandLine config = new CommandLine(new ConfigGroup());
    line.addSubcommand("config", config);
    for (ConfigCommand.Task task : ConfigCommand.Task.values()) {
      addConfig(config, task, out, err);
    }
  }

  @Command(
      name = "safe-synthesizer",
      mixinStandardHelpOptions = true,
      versionProvider = JarVersion.class,
      synopsisSubcommandLabel = "COMMAND",
      description = "Learns a private table and writes a synthetic one.")
  private static final class Root implements Runnable {
    @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
      throw new ParameterException(spec.commandLine(), "name a command: run, config or privacy");
    }
  }

  @Command(
      mixinStandardHelpOptions = true,
      synopsisSubcommandLabel = "COMMAND",
      description = "Checks and writes files of parameters.")
  private static final class ConfigGroup implements Runnable {
    @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

    @Override
    public void run() {
      throw new ParameterException(
          spec.commandLine(), "name a command: config validate, config create or config modify");
    }
  }

  /** What {@code --version} prints. */
  private static final class JarVersion implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"Safe Synthesizer for Spark " + Version.ofThisLibrary()};
    }
  }

  private static CommandLine addRun(
      CommandLine parent, String name, RunJob.Stages stages, PrintStream out, PrintStream err) {
    RunCommand command = new RunCommand(stages, out, err);
    CommandLine line = new CommandLine(command);
    line.getCommandSpec()
        .usageMessage()
        .description(
            switch (stages) {
              case ALL -> "Learns the table and writes a synthetic one.";
              case TRAIN -> "Learns the table; run generate samples the model later.";
              case GENERATE -> "Samples the model of an earlier run.";
              case IMPUTE ->
                  "Fills the missing values of a table with the model of an earlier run.";
            });
    command.with(PicocliOptions.addTo(line.getCommandSpec()));
    parent.addSubcommand(name, line);
    return line;
  }

  private static void addEvaluate(CommandLine run, PrintStream out, PrintStream err) {
    EvaluateCommand command = new EvaluateCommand(out, err);
    CommandLine line = new CommandLine(command);
    line.getCommandSpec()
        .usageMessage()
        .description(
            "Judges the synthetic table of an earlier run, or any table against the one that it imitates.");
    command.with(PicocliOptions.addTo(line.getCommandSpec()));
    run.addSubcommand("evaluate", line);
  }

  private static void addConfig(
      CommandLine parent, ConfigCommand.Task task, PrintStream out, PrintStream err) {
    ConfigCommand command = new ConfigCommand(task, out, err);
    CommandLine line = new CommandLine(command);
    line.getCommandSpec()
        .usageMessage()
        .description(
            switch (task) {
              case VALIDATE -> "Checks a file of parameters.";
              case CREATE -> "Writes the default parameters.";
              case MODIFY -> "Writes a file's parameters with those of the command line.";
            });
    command.with(PicocliOptions.addTo(line.getCommandSpec()));
    parent.addSubcommand(task.name().toLowerCase(java.util.Locale.ROOT), line);
  }

  private static String fromEnvironment(
      CommandLine.Model.ArgSpec argument, Map<String, String> environment) {
    if (argument instanceof OptionSpec option) {
      for (String name : option.names()) {
        String variable = ENVIRONMENT.get(name);
        if (variable != null && environment.get(variable) != null) {
          return environment.get(variable);
        }
      }
    }
    return null;
  }

  private static int wrongUsage(ParameterException fault, PrintStream err) {
    Throwable cause = fault.getCause();
    err.println("error: " + (cause instanceof BadInputException ? cause : fault).getMessage());
    if (fault instanceof UnmatchedArgumentException) {
      UnmatchedArgumentException.printSuggestions(fault, new PrintWriter(err, true));
    }
    err.println(
        "see '%s --help'".formatted(fault.getCommandLine().getCommandSpec().qualifiedName(" ")));
    return 2;
  }
}
