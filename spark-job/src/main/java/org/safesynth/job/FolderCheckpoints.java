package org.safesynth.job;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.safesynth.fault.RunFailedException;
import org.safesynth.train.Checkpoint;
import org.safesynth.train.CheckpointStore;
import org.safesynth.train.TrainingPlan;

/**
 * Checkpoints in the run folder: the vectors as one object, then a small manifest with its checksum
 * in a single write. The newest whole manifest wins, and nothing relies on rename.
 */
final class FolderCheckpoints implements CheckpointStore {
  private static final String PLAN = "plan.json";
  private static final String PRIVATE_PLAN = "private-plan.json";
  private static final String ATTEMPT = "attempt.json";
  private static final String PREFIX = "checkpoint-";
  private static final int VECTORS = 5;
  private static final int KEPT = 2;

  private final TextFiles files;
  private final Path folder;
  private String attempt;

  FolderCheckpoints(Configuration hadoop, Path folder) {
    this.files = new TextFiles(hadoop);
    this.folder = folder;
  }

  /** The manifest of one checkpoint; a best loss that was never measured is null. */
  record Manifest(
      long step,
      double seconds,
      int evaluationsSinceBest,
      Double bestLoss,
      long bestStep,
      long planSteps,
      int parameters,
      String sha256,
      double learningRate) {}

  /** The plan of the run, as the first attempt decided it; a resumed run keeps it. */
  Optional<SavedPlan> plan() {
    return files.read(new Path(folder, PLAN)).flatMap(text -> Json.parse(text, SavedPlan.class));
  }

  /**
   * The plan and what it was made for.
   *
   * @param fingerprint digest of the examples
   */
  record SavedPlan(String fingerprint, TrainingPlan plan) {}

  void write(SavedPlan plan) {
    files.write(new Path(folder, PLAN), Json.file(plan));
  }

  /** The plan of a private run, which a resumed one must have too. */
  Optional<PrivateTrainingTask.SavedPlan> privatePlan() {
    Path file = new Path(folder, PRIVATE_PLAN);
    return files
        .read(file)
        .map(
            text ->
                Json.parse(text, PrivateTrainingTask.SavedPlan.class)
                    .orElseThrow(
                        () ->
                            new RunFailedException(file + " is damaged; choose another --run-id")));
  }

  void write(PrivateTrainingTask.SavedPlan plan) {
    files.write(new Path(folder, PRIVATE_PLAN), Json.file(plan));
  }

  /** From now on this attempt alone may save: one that was given up for dead finds out. */
  void fence() {
    attempt = java.util.UUID.randomUUID().toString();
    files.write(new Path(folder, ATTEMPT), Json.file(attempt));
  }

  /**
   * Lets only the newest attempt go on: asked before anything is left that others go by.
   *
   * @throws RunFailedException in one that was given up for dead
   */
  void requireCurrent() {
    if (attempt == null) {
      return;
    }
    Optional<String> newest =
        files.read(new Path(folder, ATTEMPT)).flatMap(text -> Json.parse(text, String.class));
    if (!newest.equals(Optional.of(attempt))) {
      throw new RunFailedException(
          "another attempt has taken over the training in %s; this one ends here"
              .formatted(folder));
    }
  }

  /** Forgets everything, as before the first attempt. */
  void clear() {
    files.delete(folder);
  }

  @Override
  public void save(Checkpoint checkpoint) {
    requireCurrent();
    byte[] data = bytes(checkpoint);
    String name = PREFIX + "%012d".formatted(checkpoint.step());
    Path object = new Path(folder, name + ".bin");
    try (FSDataOutputStream out = files.fileSystem(object).create(object, true)) {
      out.write(data);
    } catch (IOException e) {
      throw Faults.writing(object, e);
    }
    Manifest manifest =
        new Manifest(
            checkpoint.step(),
            checkpoint.seconds(),
            checkpoint.evaluationsSinceBest(),
            Double.isFinite(checkpoint.bestLoss()) ? checkpoint.bestLoss() : null,
            checkpoint.bestStep(),
            checkpoint.planSteps(),
            checkpoint.parameters().length,
            ModelFolder.sha256(data),
            checkpoint.learningRate());
    files.write(new Path(folder, name + ".json"), Json.file(manifest));
    List<Path> manifests = manifests();
    for (Path old : manifests.subList(Math.min(KEPT, manifests.size()), manifests.size())) {
      files.delete(old);
      files.delete(object(old));
    }
  }

  @Override
  public Optional<Checkpoint> newest() {
    for (Path file : manifests()) {
      Optional<Manifest> manifest =
          files.read(file).flatMap(text -> Json.parse(text, Manifest.class));
      if (manifest.isPresent()) {
        byte[] data = ModelFolder.bytes(files, object(file));
        if (ModelFolder.sha256(data).equals(manifest.get().sha256())) {
          return Optional.of(checkpoint(manifest.get(), data));
        }
      }
    }
    return Optional.empty();
  }

  private static Path object(Path manifest) {
    return new Path(manifest.getParent(), manifest.getName().replace(".json", ".bin"));
  }

  /** Manifests, the newest first. */
  private List<Path> manifests() {
    List<Path> found = new ArrayList<>();
    try {
      FileSystem fs = files.fileSystem(folder);
      if (fs.exists(folder)) {
        for (FileStatus status : fs.listStatus(folder)) {
          String name = status.getPath().getName();
          if (name.startsWith(PREFIX) && name.endsWith(".json")) {
            found.add(status.getPath());
          }
        }
      }
    } catch (IOException e) {
      throw Faults.reading(folder, e);
    }
    found.sort(Comparator.comparing(Path::getName).reversed());
    return found;
  }

  private static byte[] bytes(Checkpoint checkpoint) {
    int size = checkpoint.parameters().length;
    ByteBuffer data =
        ByteBuffer.allocate(VECTORS * size * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer()
        .put(checkpoint.parameters())
        .put(checkpoint.momentum())
        .put(checkpoint.variance())
        .put(checkpoint.average())
        .put(checkpoint.best());
    return data.array();
  }

  private static Checkpoint checkpoint(Manifest manifest, byte[] data) {
    int size = manifest.parameters();
    if (data.length != VECTORS * size * Float.BYTES) {
      throw new RunFailedException(
          "the checkpoint of step "
              + manifest.step()
              + " is not whole; remove the run's checkpoints folder to start again");
    }
    float[][] vectors = new float[VECTORS][size];
    var floats = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    for (float[] vector : vectors) {
      floats.get(vector);
    }
    return new Checkpoint(
        manifest.step(),
        manifest.seconds(),
        manifest.evaluationsSinceBest(),
        manifest.bestLoss() == null ? Double.POSITIVE_INFINITY : manifest.bestLoss(),
        manifest.bestStep(),
        manifest.planSteps(),
        vectors[0],
        vectors[1],
        vectors[2],
        vectors[3],
        vectors[4],
        manifest.learningRate());
  }
}
