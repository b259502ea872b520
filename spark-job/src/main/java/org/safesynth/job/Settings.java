package org.safesynth.job;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.hadoop.fs.Path;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.ConfigWriter;
import org.safesynth.config.DataConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;

/**
 * The parameters of a command: the file's and the command line's, and what a run folder says of an
 * earlier attempt.
 */
final class Settings {
  private static final String SEED = "data.random_state";
  private static final int SEEDS = 1_000_000;

  private final TextFiles files;

  Settings(TextFiles files) {
    this.files = files;
  }

  /**
   * The parameters of a file with the command line's over them.
   *
   * @param file local or remote, or null for the defaults
   */
  SafeSynthesizerConfig read(String file, Map<String, String> overrides) {
    if (file == null) {
      return ConfigReader.read("", "defaults", overrides);
    }
    String yaml =
        files
            .read(new Path(file))
            .orElseThrow(
                () -> new BadInputException("the configuration " + file + " does not exist"));
    return ConfigReader.read(yaml, file, overrides);
  }

  /**
   * The parameters of a run that begins or goes on: with a seed, and as they were when it began.
   */
  SafeSynthesizerConfig forRun(RunFolder folder, String file, Map<String, String> overrides) {
    String earlier = folder.read(RunFolder.CONFIG).orElse("");
    if (earlier.isEmpty()) {
      return withSeed(file, overrides, Math.floorMod(UUID.randomUUID().hashCode(), SEEDS));
    }
    SafeSynthesizerConfig begun = ConfigReader.read(earlier, RunFolder.CONFIG, Map.of());
    if (file == null && overrides.isEmpty()) {
      requireCredentials(begun);
      return begun;
    }
    SafeSynthesizerConfig now = withSeed(file, overrides, begun.data().randomState());
    if (folder.hasCheckpoints() || folder.hasBought()) {
      requireSame(folder, begun, now);
    }
    return now;
  }

  private SafeSynthesizerConfig withSeed(String file, Map<String, String> overrides, long seed) {
    SafeSynthesizerConfig config = read(file, overrides);
    if (config.data().randomState() != null) {
      return config;
    }
    Map<String, String> seeded = new HashMap<>(overrides);
    seeded.keySet().removeIf(path -> path.replace("__", ".").equals(SEED));
    seeded.put(SEED, String.valueOf(seed));
    return read(file, seeded);
  }

  private static void requireCredentials(SafeSynthesizerConfig begun) {
    boolean isMasked = begun.data().options().values().stream().anyMatch(Settings::isMasked);
    Map<String, Object> parent = begun.data().parent();
    if (isMasked || (parent != null && isMasked(Json.line(parent)))) {
      throw new BadInputException(
          "the run's configuration has no credentials in it: give --config again to resume");
    }
  }

  /** What was learned so far was learned with the old settings. */
  private static void requireSame(
      RunFolder folder, SafeSynthesizerConfig begun, SafeSynthesizerConfig now) {
    SafeSynthesizerConfig old = comparable(saved(begun));
    SafeSynthesizerConfig fresh = comparable(saved(now));
    require(folder, "data", old.data().equals(fresh.data()));
    require(folder, "training", old.training().equals(fresh.training()));
    require(folder, "embedded", old.embedded().equals(fresh.embedded()));
    require(folder, "privacy", old.privacy().equals(fresh.privacy()));
  }

  private static SafeSynthesizerConfig comparable(String yaml) {
    return ConfigReader.read(
        yaml,
        RunFolder.CONFIG,
        Map.of("training.resume", "false", "data.keep_intermediate", "false"));
  }

  private static void require(RunFolder folder, String section, boolean isSame) {
    if (!isSame) {
      throw new BadInputException(
          "the unfinished run %s was begun with other parameters of %s: resume it with those in its %s, or choose another --run-id"
              .formatted(folder.path(), section, RunFolder.CONFIG));
    }
  }

  /**
   * The parameters for sampling a run's model: the run's own, with the generation, evaluation and
   * cluster parameters of the command.
   */
  SafeSynthesizerConfig forGeneration(
      RunFolder folder, String file, Map<String, String> overrides) {
    String yaml = folder.read(RunFolder.CONFIG).orElseThrow();
    return forTrained(yaml, file, overrides, "run generate");
  }

  /** The parameters for judging a run's synthetic table, likewise; the real one is read again. */
  SafeSynthesizerConfig forEvaluation(
      RunFolder folder, String file, Map<String, String> overrides) {
    return forTrained(
        withCredentials(folder, file, "run evaluate"), file, overrides, "run evaluate");
  }

  /** The parameters for filling a table with a run's model, likewise. */
  SafeSynthesizerConfig forImputation(
      RunFolder folder, String file, Map<String, String> overrides) {
    return forTrained(withCredentials(folder, file, "run impute"), file, overrides, "run impute");
  }

  /** The run's parameters with those secrets that were not saved, from the given file. */
  private String withCredentials(RunFolder folder, String file, String command) {
    String yaml = folder.read(RunFolder.CONFIG).orElseThrow();
    DataConfig begun = ConfigReader.read(yaml, RunFolder.CONFIG, Map.of()).data();
    DataConfig given = file == null ? null : read(file, Map.of()).data();
    Map<String, String> filled = new TreeMap<>(begun.options());
    Map<String, String> secrets = given == null ? Map.of() : given.options();
    filled.replaceAll((name, value) -> isMasked(value) ? secrets.getOrDefault(name, value) : value);
    Map<String, String> overrides = new HashMap<>();
    if (!filled.equals(begun.options())) {
      overrides.put("data.options", Json.line(filled));
    }
    Map<String, Object> parent = begun.parent();
    if (parent != null && isMasked(Json.line(parent)) && given != null && given.parent() != null) {
      parent = given.parent();
      overrides.put("data.parent", Json.line(parent));
    }
    boolean isMissing = filled.values().stream().anyMatch(Settings::isMasked);
    if (isMissing || (parent != null && isMasked(Json.line(parent)))) {
      throw new BadInputException(
          "the run's configuration has no credentials in it, and %s reads the table again: give --config with data.options and data.parent as the run had them"
              .formatted(command));
    }
    return overrides.isEmpty()
        ? yaml
        : ConfigWriter.toYaml(ConfigReader.read(yaml, RunFolder.CONFIG, overrides));
  }

  private static boolean isMasked(String text) {
    return text.contains("***");
  }

  private SafeSynthesizerConfig forTrained(
      String yaml, String file, Map<String, String> overrides, String command) {
    for (String path : overrides.keySet()) {
      if (!isOfGeneration(path.replace("__", "."))) {
        throw new BadInputException(
            "%s cannot be set for %s: the model is trained; what can be are parameters of generation, evaluation and cluster, and the span of a time series"
                .formatted(path, command));
      }
    }
    if (file == null) {
      return ConfigReader.read(yaml, RunFolder.CONFIG, overrides);
    }
    SafeSynthesizerConfig trained = ConfigReader.read(yaml, RunFolder.CONFIG, Map.of());
    SafeSynthesizerConfig asked = read(file, overrides);
    Set<String> explicit = new LinkedHashSet<>(trained.explicit());
    explicit.removeIf(Settings::isOfGeneration);
    asked.explicit().stream().filter(Settings::isOfGeneration).forEach(explicit::add);
    return new SafeSynthesizerConfig(
        trained.data(),
        trained.training(),
        trained.embedded(),
        asked.generation(),
        trained.privacy(),
        trained.timeSeries().within(asked.timeSeries()),
        asked.evaluation(),
        trained.replacePii(),
        asked.cluster(),
        explicit);
  }

  private static boolean isOfGeneration(String path) {
    return path.startsWith("generation.")
        || path.startsWith("evaluation.")
        || path.startsWith("cluster.")
        || path.equals("time_series.start_timestamp")
        || path.equals("time_series.stop_timestamp");
  }

  /** The text of {@code config.yaml}: all parameters, without credentials. */
  static String saved(SafeSynthesizerConfig config) {
    String yaml = ConfigWriter.toYaml(config);
    Map<String, String> options = config.data().options();
    Map<String, String> masked = Credentials.masked(options);
    Map<String, String> overrides = new HashMap<>();
    if (!masked.equals(options)) {
      overrides.put("data.options", Json.line(masked));
    }
    Map<String, Object> parent = config.data().parent();
    if (parent != null && !maskedParent(config.data()).equals(parent)) {
      overrides.put("data.parent", Json.line(maskedParent(config.data())));
    }
    return overrides.isEmpty()
        ? yaml
        : ConfigWriter.toYaml(ConfigReader.read(yaml, RunFolder.CONFIG, overrides));
  }

  private static Map<String, Object> maskedParent(DataConfig data) {
    Map<String, Object> masked = new LinkedHashMap<>(data.parent());
    masked.computeIfPresent("path", (name, path) -> Credentials.masked(String.valueOf(path)));
    masked.computeIfPresent(
        "options", (name, options) -> Credentials.masked(data.parentTable().options()));
    return masked;
  }
}
