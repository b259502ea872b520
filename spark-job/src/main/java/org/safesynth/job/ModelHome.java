package org.safesynth.job;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.safesynth.fault.BadInputException;

/**
 * Finds the folder of a base model: a path, or a hub id below {@code cluster.model_home} or in a
 * Hugging Face cache. Never downloads.
 */
final class ModelHome {
  private static final String CONFIG = "config.json";

  private final Configuration hadoop;
  private final String home;
  private final Map<String, String> environment;

  /**
   * @param home {@code cluster.model_home}, or null
   * @param environment the process's variables, which may say where a Hugging Face cache is
   */
  ModelHome(Configuration hadoop, String home, Map<String, String> environment) {
    this.hadoop = hadoop;
    this.home = home;
    this.environment = environment;
  }

  /**
   * The folder of a model.
   *
   * @param model path or id
   */
  Path find(String model) {
    Path direct = new Path(model);
    if (isModel(direct)) {
      return qualified(direct);
    }
    boolean isId = model.matches("[\\w.-]+/[\\w.-]+") || model.matches("[\\w-]+");
    List<Path> tried = new ArrayList<>();
    if (isId) {
      if (home != null) {
        tried.add(new Path(home, model));
      }
      for (String cache : caches()) {
        Path snapshots = new Path(cache, "models--" + model.replace("/", "--") + "/snapshots");
        tried.add(snapshot(snapshots));
      }
    }
    for (Path candidate : tried) {
      if (isModel(candidate)) {
        return qualified(candidate);
      }
    }
    throw missing(model, isId, tried);
  }

  private List<String> caches() {
    List<String> caches = new ArrayList<>();
    if (home != null) {
      caches.add(home);
      caches.add(home + "/hub");
    }
    if (environment.get("HF_HUB_CACHE") != null) {
      caches.add(environment.get("HF_HUB_CACHE"));
    }
    if (environment.get("HF_HOME") != null) {
      caches.add(environment.get("HF_HOME") + "/hub");
    } else if (environment.get("HOME") != null) {
      caches.add(environment.get("HOME") + "/.cache/huggingface/hub");
    }
    return caches;
  }

  /** The snapshot that the cache's main branch names; the folder itself when there is none. */
  private Path snapshot(Path snapshots) {
    Path ref = new Path(snapshots.getParent(), "refs/main");
    return new TextFiles(hadoop)
        .read(ref)
        .map(commit -> new Path(snapshots, commit.strip()))
        .orElse(snapshots);
  }

  private BadInputException missing(String model, boolean isId, List<Path> tried) {
    if (!isId) {
      return new BadInputException(
          "training.pretrained_model: %s is no model folder: it has no %s"
              .formatted(model, CONFIG));
    }
    String places = tried.stream().map(Path::toString).collect(Collectors.joining(", "));
    String where = home == null ? "a folder and name it in cluster.model_home" : home;
    return new BadInputException(
        "training.pretrained_model: the model %s is at none of %s: put its config.json, tokenizer.json and *.safetensors into %s, or on a machine with network run scripts/fetch-model %s FOLDER and set cluster.model_home to FOLDER"
            .formatted(model, places, home == null ? where : new Path(home, model), model));
  }

  private boolean isModel(Path folder) {
    return new TextFiles(hadoop).exists(new Path(folder, CONFIG));
  }

  private Path qualified(Path folder) {
    try {
      FileSystem fs = folder.getFileSystem(hadoop);
      return fs.makeQualified(folder);
    } catch (IOException e) {
      throw Faults.reading(folder, e);
    }
  }
}
