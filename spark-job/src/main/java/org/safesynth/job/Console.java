package org.safesynth.job;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Tells the person at the terminal what the run is doing: sentences, or JSON objects for machines.
 * Progress goes to the error stream, results to the output stream, both to the log file if there is
 * one; progress with figures also to the run's {@code progress.jsonl}.
 */
public final class Console implements AutoCloseable {
  /** How lines are written. */
  public enum Format {
    PLAIN,
    JSON
  }

  /** What is shown: lines of this level and the graver ones. */
  public enum Level {
    DEBUG,
    INFO,
    WARN,
    ERROR
  }

  private final Format format;
  private final Level least;
  private final PrintStream out;
  private final PrintStream err;
  private final OutputStream logFile;
  private final Clock clock;
  private ProgressLog progressLog;
  private RunMetrics metrics;

  /**
   * @param logFile takes every line too, or null
   */
  public Console(
      Format format,
      Level least,
      PrintStream out,
      PrintStream err,
      OutputStream logFile,
      Clock clock) {
    this.format = format;
    this.least = least;
    this.out = out;
    this.err = err;
    this.logFile = logFile;
    this.clock = clock;
  }

  /** A console on the process's own streams. */
  public static Console plain() {
    return new Console(Format.PLAIN, Level.INFO, System.out, System.err, null, Clock.systemUTC());
  }

  /** From now on progress is kept with the run. */
  synchronized void recordTo(ProgressLog log) {
    progressLog = log;
  }

  /** From now on progress is shown to Spark's metrics sinks. */
  synchronized void recordTo(RunMetrics gauges) {
    metrics = gauges;
  }

  public void info(String sentence) {
    line(Level.INFO, err, null, sentence, Map.of());
  }

  public void warn(String sentence) {
    line(Level.WARN, err, null, "warning: " + sentence, Map.of());
  }

  public void error(String sentence) {
    line(Level.ERROR, err, null, "error: " + sentence, Map.of());
  }

  /**
   * What must not be stored: shown on the terminal, and in no log file and no record of the run.
   */
  public synchronized void operatorOnly(String sentence) {
    if (format == Format.PLAIN && Level.INFO.compareTo(least) >= 0) {
      err.println(sentence);
      err.flush();
    }
  }

  /** What the run was made for: shown whatever the level. */
  public void result(String sentence) {
    line(Level.ERROR, out, null, sentence, Map.of());
  }

  /**
   * Where a stage stands.
   *
   * @param stage its name, such as {@code train}
   * @param sentence for people
   * @param figures for machines: names in snake_case and numbers; never a cell of a real row
   */
  public void progress(String stage, String sentence, Map<String, ?> figures) {
    line(Level.INFO, err, stage, sentence, figures);
    record(stage, figures);
  }

  /** The stack trace, for {@code --verbose} only. */
  public void trace(Throwable fault) {
    if (least == Level.DEBUG) {
      synchronized (this) {
        fault.printStackTrace(err);
      }
    }
  }

  private synchronized void record(String stage, Map<String, ?> figures) {
    if (progressLog != null) {
      progressLog.add(object(null, stage, null, figures));
    }
    if (metrics != null) {
      metrics.update(stage, figures);
    }
  }

  private synchronized void line(
      Level level, PrintStream stream, String stage, String sentence, Map<String, ?> figures) {
    if (level.compareTo(least) < 0) {
      return;
    }
    String line = format == Format.PLAIN ? sentence : object(level, stage, sentence, figures);
    stream.println(line);
    stream.flush();
    if (logFile != null) {
      try {
        logFile.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        logFile.flush();
      } catch (IOException e) {
        throw new UncheckedIOException("the log file cannot be written: " + e.getMessage(), e);
      }
    }
  }

  private String object(Level level, String stage, String sentence, Map<String, ?> figures) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("time", clock.instant().truncatedTo(ChronoUnit.MILLIS).toString());
    if (level != null) {
      object.put("level", level.name().toLowerCase(Locale.ROOT));
    }
    if (stage != null) {
      object.put("stage", stage);
    }
    if (sentence != null) {
      object.put("message", sentence);
    }
    object.putAll(figures);
    return Json.line(object);
  }

  /** A time span as people say it: {@code 45 s}, {@code 3 min 20 s}, {@code 1 h 05 min}. */
  public static String duration(double seconds) {
    long whole = Math.max(0, Math.round(seconds));
    if (whole < 60) {
      return whole + " s";
    }
    if (whole < 3600) {
      return "%d min %02d s".formatted(whole / 60, whole % 60);
    }
    return "%d h %02d min".formatted(whole / 3600, whole % 3600 / 60);
  }

  @Override
  public void close() {
    try {
      if (logFile != null) {
        logFile.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the log file cannot be written: " + e.getMessage(), e);
    }
  }
}
