package org.safesynth.config;

import java.io.Serializable;

/** Where on the cluster the model is trained and sampled. */
@Section("Where on the cluster the model is trained and sampled")
public record ClusterConfig(
    @Parameter(
            meaning = "Who trains: an executor of a resource profile, a probed one, or the driver",
            byDefault = "auto")
        Placement placement,
    @Parameter(
            meaning = "Device of training; auto takes a GPU where there is one",
            byDefault = "auto")
        Device device,
    @Parameter(
            meaning =
                "Seconds to wait for an executor of a resource profile; then auto takes a CPU, and cuda is an error",
            byDefault = "300",
            min = 0)
        int gpuTimeout,
    @Parameter(
            meaning = "Device of generation; auto takes a GPU where there is one",
            byDefault = "auto")
        Device generationDevice,
    @Parameter(
            meaning = "Folder (local, HDFS or s3a) in which base models are looked up by id",
            byDefault = "null",
            usedByEmbedded = false)
        String modelHome)
    implements Serializable {

  /** Who runs the training. */
  public enum Placement {
    /** The first of the others that the cluster allows. */
    AUTO,
    /** An executor that a Spark resource profile asks for. */
    PROFILE,
    /** An executor found by a probe and preferred by location. */
    PINNED,
    /** The driver's own process. */
    DRIVER
  }

  /** What computes. */
  public enum Device {
    AUTO,
    CPU,
    CUDA
  }
}
