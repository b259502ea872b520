package org.safesynth.job;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Clock;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.fault.BadInputException;
import picocli.CommandLine.Option;

/** The options that say how the job talks. */
final class LogOptions {
  @Option(
      names = "--log-format",
      paramLabel = "plain|json",
      defaultValue = "plain",
      description = "Progress as sentences or as JSON lines; default ${DEFAULT-VALUE}.")
  Console.Format format;

  @Option(names = "--log-file", paramLabel = "FILE", description = "Write every line there too.")
  String file;

  @Option(
      names = {"-v", "--verbose"},
      description = "Spark's warnings and stack traces too.")
  boolean[] verbose = {};

  @Option(
      names = "--log-level",
      hidden = true,
      defaultValue = "INFO",
      description = "From the environment: NSS_LOG_LEVEL.")
  String level;

  boolean isVerbose() {
    return verbose.length > 0 || level().equals(Console.Level.DEBUG);
  }

  private Console.Level level() {
    return switch (level.toUpperCase(Locale.ROOT)) {
      case "DEBUG", "DEBUG_DEPENDENCIES", "TRACE" -> Console.Level.DEBUG;
      case "INFO" -> Console.Level.INFO;
      case "WARN", "WARNING" -> Console.Level.WARN;
      case "ERROR", "CRITICAL" -> Console.Level.ERROR;
      default ->
          throw new BadInputException(
              "the log level '%s' is none of DEBUG, INFO, WARNING, ERROR".formatted(level));
    };
  }

  Console open(Configuration hadoop, PrintStream out, PrintStream err) {
    OutputStream logFile = null;
    if (file != null) {
      Path path = new Path(file);
      try {
        logFile = new TextFiles(hadoop).fileSystem(path).create(path, true);
      } catch (IOException e) {
        throw Faults.writing(path, e);
      }
    }
    Console.Level least = isVerbose() ? Console.Level.DEBUG : level();
    return new Console(format, least, out, err, logFile, Clock.systemUTC());
  }
}
