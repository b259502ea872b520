package org.safesynth.config;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.safesynth.fault.BadInputException;

/** Checks what concerns several parameters, or the form of a text. */
final class CrossRules {
  /** Directives of C and Python, and glibc's "-" and "^"; which of them are read is known later. */
  private static final Pattern STRFTIME =
      Pattern.compile("(?s)(?:[^%]|%[-^]?[aAbBcCdDeFfGgHhIjklmMnpPrRsStTuUVwWxXyYzZ]|%:z|%%)*");

  private CrossRules() {}

  static void check(SafeSynthesizerConfig config) {
    checkData(config.data());
    checkThresholds(config.evaluation());
    checkTimeSeries(config.timeSeries());
    checkOrder(config);
    checkSpan(config);
    checkTimesOfDay(config);
    if (config.privacy().dpEnabled()) {
      checkPrivate(config);
    }
    checkGeneration(config.generation());
    checkSingleSeries(config);
    checkChosenRows(config);
    checkSchedule(config);
    if (config.privacy().assumePublicDomain()
        && config.privacy().domainEpsilonShare().orElse(0.0) > 0) {
      throw new BadInputException(
          "privacy.domain_epsilon_share pays for a domain that privacy.assume_public_domain: true"
              + " calls public; keep one of them");
    }
    if (config.replacePii() != null) {
      ReplacePiiRules.check(config.replacePii());
    }
  }

  private static void checkData(DataConfig data) {
    data.parentTable(); // refuses what is none
    if (data.orderTrainingExamplesBy() != null && data.groupColumn() == null) {
      throw new BadInputException(
          "data.order_training_examples_by needs data.group_training_examples_by; name the column"
              + " whose equal values make a group, or remove the order");
    }
    checkCoordinates(data);
    double holdout = data.holdout();
    if (holdout >= 1 && holdout != Math.rint(holdout)) {
      throw new BadInputException(
          String.format(
              "data.holdout is %s, but from 1 on it counts rows; write a whole number, or a share"
                  + " below 1",
              YamlText.number(holdout)));
    }
  }

  private static void checkCoordinates(DataConfig data) {
    Set<String> named = new HashSet<>();
    if (data.coordinates() != null) {
      data.coordinates()
          .forEach(
              (latitude, longitude) -> {
                for (String name : List.of(latitude, longitude)) {
                  if (!named.add(name)) {
                    throw new BadInputException(
                        "data.coordinates names '%s' twice; a column is one coordinate of one place"
                            .formatted(name));
                  }
                }
              });
    }
  }

  private static void checkGeneration(GenerationConfig generation) {
    generation.shares(); // refuses what are no shares
    if (generation.conditions() != null && generation.rebalance() != null) {
      throw new BadInputException(
          "generation.conditions already says what each row holds, so generation.rebalance cannot"
              + " go with it; remove one of them");
    }
  }

  private static void checkSchedule(SafeSynthesizerConfig config) {
    TrainingConfig training = config.training();
    if (!config.isEmbedded()
        && training.lrScheduler().equals("reduce_lr_on_plateau")
        && training.validationRatio() == 0) {
      throw new BadInputException(
          "training.lr_scheduler: reduce_lr_on_plateau follows the validation loss, but"
              + " training.validation_ratio is 0; write a share such as 0.05, or cosine");
    }
  }

  /** A validation loss would tell of the records without noise. */
  private static void checkWithoutValidation(TrainingConfig training) {
    if (training.lrScheduler().equals("reduce_lr_on_plateau")) {
      throw new BadInputException(
          "training.lr_scheduler: reduce_lr_on_plateau follows the validation loss, which"
              + " privacy.dp_enabled: true does not have; write another course, such as cosine");
    }
    if (training.validationRatio() > 0) {
      throw new BadInputException(
          String.format(
              "training.validation_ratio is %s, but privacy.dp_enabled: true trains without"
                  + " validation records, whose loss would tell of them without noise; write 0",
              YamlText.number(training.validationRatio())));
    }
  }

  private static void checkThresholds(EvaluationConfig evaluation) {
    evaluation
        .failBelow()
        .forEach(
            (name, least) -> {
              if (!EvaluationConfig.SCORES.containsKey(name)) {
                throw new BadInputException(
                    String.format(
                        "evaluation.fail_below names '%s', which is no score; it may name %s",
                        name, String.join(", ", EvaluationConfig.SCORES.keySet())));
              }
              if (!(least >= 0 && least <= 10)) {
                throw new BadInputException(
                    String.format(
                        "evaluation.fail_below.%s is %s, but scores go from 0 to 10",
                        name, YamlText.number(least)));
              }
            });
  }

  private static void checkTimeSeries(TimeSeriesConfig series) {
    String format = series.timestampFormat();
    if (format != null && !isTimestampFormat(format)) {
      throw new BadInputException(
          String.format(
              "time_series.timestamp_format is '%s', but must be strftime codes such as"
                  + " \"%%Y-%%m-%%d %%H:%%M:%%S\", or elapsed_seconds",
              format));
    }
    if (series.isTimeseries()
        && series.timestampColumn() == null
        && series.timestampIntervalSeconds() == null) {
      throw new BadInputException(
          "time_series.is_timeseries: true needs time_series.timestamp_column or"
              + " time_series.timestamp_interval_seconds; give one of them");
    }
    if (series.isNumbered() && format != null && !format.equals(TimeSeriesConfig.ELAPSED_SECONDS)) {
      throw new BadInputException(
          String.format(
              "time_series.timestamp_format is '%s', but rows without time_series.timestamp_column"
                  + " are numbered in seconds; name the column, or remove the format",
              format));
    }
    if (!series.isTimeseries() && series.timestampColumn() != null) {
      throw new BadInputException(
          "time_series.timestamp_column needs time_series.is_timeseries: true; add it, or remove"
              + " the column");
    }
  }

  private static void checkOrder(SafeSynthesizerConfig config) {
    String order = config.data().orderTrainingExamplesBy();
    if (config.timeSeries().isTimeseries()
        && order != null
        && !order.equals(config.timeSeries().timestampColumn())) {
      throw new BadInputException(
          String.format(
              "data.order_training_examples_by is '%s', but the rows of a time series are ordered by"
                  + " %s; remove the order",
              order,
              config.timeSeries().isNumbered()
                  ? "their position in the table where time_series.timestamp_column is not given"
                  : "time_series.timestamp_column"));
    }
  }

  private static void checkSpan(SafeSynthesizerConfig config) {
    TimeSeriesConfig series = config.timeSeries();
    GenerationConfig generation = config.generation();
    boolean isAsked = series.startTimestamp() != null || series.stopTimestamp() != null;
    boolean isBound =
        config.isEmbedded()
            || generation.useStructuredGeneration()
            || generation.enforceTimeseriesFidelity();
    if (config.isSingleSeries() && !isBound) {
      throw new BadInputException(
          "a time series without data.group_training_examples_by is written from its start to its"
              + " stop, which a pretrained model keeps only with"
              + " generation.use_structured_generation or generation.enforce_timeseries_fidelity;"
              + " set one of them to true");
    }
    if (series.isTimeseries() && isAsked && !isBound) {
      throw new BadInputException(
          "time_series.start_timestamp and stop_timestamp bind a pretrained model only with"
              + " generation.use_structured_generation or generation.enforce_timeseries_fidelity;"
              + " set one of them to true");
    }
  }

  private static void checkTimesOfDay(SafeSynthesizerConfig config) {
    TimeSeriesConfig series = config.timeSeries();
    boolean isLearned = !config.privacy().dpEnabled() && !config.isSingleSeries();
    if (series.isTimeseries() && series.isOfDay() && !isLearned) {
      throw new BadInputException(
          String.format(
              "time_series.timestamp_format is '%s', but times of day are learned only without"
                  + " privacy.dp_enabled and with data.group_training_examples_by; write the column with dates, or as"
                  + " elapsed_seconds",
              series.timestampFormat()));
    }
  }

  private static void checkSingleSeries(SafeSynthesizerConfig config) {
    GenerationConfig generation = config.generation();
    boolean choosesRows =
        generation.conditions() != null
            || generation.rebalance() != null
            || !generation.constraints().isEmpty();
    if (config.isSingleSeries() && choosesRows) {
      throw new BadInputException(
          "a time series without data.group_training_examples_by is written as one whole, from its"
              + " start to its stop; remove generation.conditions, generation.rebalance and"
              + " generation.constraints, which choose rows");
    }
  }

  private static void checkChosenRows(SafeSynthesizerConfig config) {
    GenerationConfig generation = config.generation();
    boolean isGiven = generation.conditions() != null || generation.rebalance() != null;
    if (isGiven && config.data().groupColumn() != null) {
      throw new BadInputException(
          "generation.conditions and generation.rebalance complete single rows, and a model of"
              + " groups writes whole ones; remove them, or train a model without"
              + " data.group_training_examples_by, data.parent and time_series");
    }
    if (isGiven && !generation.constraints().isEmpty()) {
      throw new BadInputException(
          "generation.constraints choose among rows that are sampled freely; remove them, or the"
              + " generation.conditions or generation.rebalance that go with them");
    }
  }

  private static boolean isTimestampFormat(String format) {
    return format.equals(TimeSeriesConfig.ELAPSED_SECONDS)
        || (format.indexOf('%') >= 0 && STRFTIME.matcher(format).matches());
  }

  private static void checkPrivate(SafeSynthesizerConfig config) {
    Auto<Integer> sequences = config.data().maxSequencesPerExample();
    if (sequences != null && sequences.orElse(1) != 1) {
      throw new BadInputException(
          String.format(
              "data.max_sequences_per_example is %s, but with privacy.dp_enabled an example holds"
                  + " one privacy unit; write 1 or auto",
              sequences));
    }
    if (config.training().useUnsloth().orElse(false)) {
      throw new BadInputException(
          "training.use_unsloth: true asks for the backend without differential privacy, but"
              + " privacy.dp_enabled is true; write auto or false");
    }
    if (!config.isEmbedded()) {
      checkWithoutValidation(config.training());
    }
    if (config.data().valueProtection() && config.isExplicit("data.value_protection")) {
      throw new BadInputException(
          "data.value_protection: true counts rare values outside the privacy budget, so it cannot"
              + " go with privacy.dp_enabled: true; remove one of them");
    }
    if (config.timeSeries().isTimeseries() && config.data().groupTrainingExamplesBy() == null) {
      throw new BadInputException(
          "a time series without data.group_training_examples_by is one privacy unit, which"
              + " privacy.dp_enabled: true would hide altogether; name the column of the series");
    }
  }
}
