package org.safesynth.config;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.safesynth.fault.BadInputException;

/**
 * Refuses what this version does not have, before any work, and names the stages that are off. A
 * later version takes lines out of the table.
 */
public final class Availability {
  /** What is not there: when it is asked for, and what to do instead. */
  private record Missing(
      String parameter, Predicate<SafeSynthesizerConfig> isAsked, String sentence) {}

  private static final List<Missing> MISSING =
      List.of(
          new Missing(
              "privacy.dp_enabled",
              config -> config.privacy().dpEnabled(),
              "differential privacy is not in this version; set it to false (data.value_protection is no substitute for it)"),
          new Missing(
              "replace_pii",
              config -> config.replacePii() != null,
              "the replacement of personal data is not in this version; set it to null and remove such columns before"),
          new Missing(
              "data.group_training_examples_by",
              config -> config.data().groupTrainingExamplesBy() != null,
              "grouped rows are not in this version; remove it to learn each row by itself"),
          new Missing(
              "time_series.is_timeseries",
              config -> config.timeSeries().isTimeseries(),
              "time series are not in this version; set it to false to learn each row by itself"),
          new Missing(
              "training.pretrained_model",
              config -> !config.isEmbedded(),
              "pretrained language models are not in this version; remove it to train the embedded model"),
          new Missing(
              "training.quantize_model",
              config -> config.training().quantizeModel(),
              "quantised models are not in this version; remove it"),
          new Missing(
              "data.parent",
              config -> config.data().parent() != null,
              "related tables are not in this version; join the tables before"),
          new Missing(
              "generation.num_groups",
              config -> config.generation().numGroups() != null,
              "grouped rows are not in this version; use generation.num_records"),
          new Missing(
              "generation.conditions",
              config -> config.generation().conditions() != null,
              "completing given rows is not in this version; remove it"),
          new Missing(
              "generation.rebalance",
              config -> isGiven(config.generation().rebalance()),
              "rebalancing is not in this version; remove it and sample from the output"),
          new Missing(
              "generation.constraints",
              config -> !config.generation().constraints().isEmpty(),
              "row constraints are not in this version; remove them and filter the output"),
          new Missing(
              "cluster.device",
              config -> config.cluster().device() == ClusterConfig.Device.CUDA,
              "this build computes on the CPU; set it to cpu or auto"),
          new Missing(
              "cluster.generation_device",
              config -> config.cluster().generationDevice() == ClusterConfig.Device.CUDA,
              "this build computes on the CPU; set it to cpu or auto"),
          new Missing(
              "cluster.placement",
              config ->
                  config.cluster().placement() == ClusterConfig.Placement.PROFILE
                      || config.cluster().placement() == ClusterConfig.Placement.PINNED,
              "placing the training by profile or probe is not in this version; set it to auto or driver"),
          new Missing(
              "evaluation.target",
              config -> config.evaluation().target() != null,
              "the evaluation is not in this version; remove it"),
          new Missing(
              "evaluation.fail_below",
              config -> isGiven(config.evaluation().failBelow()),
              "the evaluation is not in this version; remove it"));

  private Availability() {}

  private static boolean isGiven(java.util.Map<?, ?> map) {
    return map != null && !map.isEmpty();
  }

  /**
   * Stages that are off, a line each.
   *
   * @throws BadInputException when the user asks for what is not there
   */
  public static List<String> check(SafeSynthesizerConfig config) {
    for (Missing missing : MISSING) {
      if (missing.isAsked().test(config)) {
        throw new BadInputException(missing.parameter() + ": " + missing.sentence());
      }
    }
    List<String> notices = new ArrayList<>();
    notices.add("off in this version: replacement of personal data, differential privacy");
    if (config.evaluation().enabled()) {
      notices.add(
          "the evaluation report is off in this version: a short comparison is made at the end");
    }
    return notices;
  }
}
