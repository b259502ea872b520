package org.safesynth.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.safesynth.config.ClusterConfig.Device;
import org.safesynth.fault.BadInputException;

/**
 * Knows what this version does not have: an explicit request for it is refused, a stage that is
 * simply off gets a line.
 */
public final class Availability {
  /**
   * What is missing, each a line that goes when it comes.
   *
   * @param asked whether the configuration asks for it
   * @param instead what to write to go without
   */
  private record Missing(
      String path, Predicate<SafeSynthesizerConfig> asked, String reason, String instead) {}

  /**
   * A stage that this version does not have, whose section may still be written.
   *
   * @param wanted whether its absence is worth a line
   */
  private record MissingStage(
      String section, Predicate<SafeSynthesizerConfig> wanted, String notice) {}

  private static final String REMOVE = "remove it";

  private static final List<MissingStage> MISSING_STAGES =
      List.of(
          new MissingStage(
              "replace_pii",
              c -> true,
              "PII replacement is off: this version does not have it; personal data in the table"
                  + " is learned like any other."));

  private static final List<Missing> MISSING =
      List.of(
          new Missing(
              "replace_pii",
              c -> c.replacePii() != null,
              "does not replace personal data",
              "write null, or --no-replace-pii, and remove such columns first"),
          new Missing(
              "data.group_training_examples_by",
              c ->
                  c.data().groupTrainingExamplesBy() != null
                      && c.privacy().dpEnabled()
                      && !c.isEmbedded(),
              "learns groups with differential privacy with the embedded model only",
              "remove it, or set privacy.dp_enabled: false or training.pretrained_model: embedded"),
          new Missing(
              "data.coordinates",
              c ->
                  c.data().coordinates() != null
                      && !c.data().coordinates().isEmpty()
                      && (!c.isEmbedded()
                          || c.privacy().dpEnabled()
                          || c.timeSeries().isTimeseries()
                          || c.data().groupColumn() != null),
              "learns places with the embedded model only, of single rows and without differential"
                  + " privacy",
              REMOVE),
          new Missing(
              "data.parent",
              c ->
                  c.data().parent() != null
                      && (!c.isEmbedded()
                          || c.privacy().dpEnabled()
                          || c.timeSeries().isTimeseries()),
              "learns related tables with the embedded model only, without differential privacy"
                  + " or time series",
              REMOVE),
          new Missing(
              "embedded.random_orders",
              c ->
                  c.embedded().randomOrders()
                      && (!c.isEmbedded()
                          || c.privacy().dpEnabled()
                          || c.timeSeries().isTimeseries()
                          || c.data().groupColumn() != null),
              "learns columns in random orders with the embedded model only, of single rows and"
                  + " without differential privacy",
              "write false"),
          new Missing(
              "generation.num_groups",
              c -> c.generation().numGroups() != null && c.data().groupColumn() == null,
              "counts groups only where data.group_training_examples_by or data.parent makes them",
              "write generation.num_records"),
          new Missing(
              "cluster.device",
              c -> c.cluster().device() == Device.CUDA && c.isEmbedded(),
              "trains the embedded model on the CPU only",
              "write auto or cpu"),
          new Missing(
              "cluster.generation_device",
              c -> c.cluster().generationDevice() == Device.CUDA && c.isEmbedded(),
              "samples the embedded model on the CPU only",
              "write auto or cpu"));

  private Availability() {}

  /**
   * Checks a configuration before any work.
   *
   * @return a line for each stage that is off
   * @throws BadInputException if the user asked for something that this version does not have
   */
  public static List<String> check(SafeSynthesizerConfig config) {
    for (Missing missing : MISSING) {
      if (missing.asked().test(config)) {
        throw new BadInputException(
            String.format(
                "%s is %s, but this version %s; %s",
                missing.path(),
                shown(config, missing.path()),
                missing.reason(),
                missing.instead()));
      }
    }
    List<String> notices = new ArrayList<>();
    for (MissingStage stage : MISSING_STAGES) {
      if (stage.wanted().test(config)) {
        notices.add(stage.notice());
      }
    }
    if (!config.privacy().dpEnabled()) {
      notices.add(
          "Differential privacy is off (privacy.dp_enabled): the synthetic rows carry no"
              + " mathematical guarantee.");
    }
    return notices;
  }

  /** Whether the stage of a section is one that this version does not have. */
  static boolean isMissing(String section) {
    return MISSING_STAGES.stream().anyMatch(stage -> stage.section().equals(section));
  }

  /** Why asking for a parameter is refused, if it is. */
  static Optional<String> reason(String path) {
    return MISSING.stream()
        .filter(missing -> path.equals(missing.path()) || path.startsWith(missing.path() + "."))
        .map(Missing::reason)
        .findFirst();
  }

  private static String shown(SafeSynthesizerConfig config, String path) {
    Object value = ConfigTree.at(ConfigTree.of(config), path);
    return path.equals("replace_pii") ? "given" : YamlText.flow(value);
  }
}
