package org.safesynth.job;

import java.util.List;
import java.util.Locale;
import org.apache.spark.api.java.JavaSparkContext;
import org.safesynth.config.ClusterConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.model.ComputeDevice;

/** What the configuration asks of the devices that a pretrained model is computed on. */
final class Devices {
  private Devices() {}

  /** The embedded model is computed on the processor. */
  static ComputeDevice.Wish forTraining(SafeSynthesizerConfig config) {
    return wish(config.isEmbedded() ? ClusterConfig.Device.CPU : config.cluster().device(), config);
  }

  static ComputeDevice.Wish forGeneration(SafeSynthesizerConfig config) {
    return wish(config.cluster().generationDevice(), config);
  }

  private static ComputeDevice.Wish wish(
      ClusterConfig.Device device, SafeSynthesizerConfig config) {
    return new ComputeDevice.Wish(
        device.name().toLowerCase(Locale.ROOT), config.training().maxVramFraction());
  }

  /**
   * Asks, before the table is read, for what is demanded by name: a place and a GPU for training,
   * and a GPU on the executor that a first task comes to, since any of them may sample.
   *
   * @throws BadInputException when one is not there
   */
  static void require(RunContext context) {
    SafeSynthesizerConfig config = context.config();
    boolean demandsGpu = config.cluster().device() == ClusterConfig.Device.CUDA;
    boolean demandsProfile = config.cluster().placement() == ClusterConfig.Placement.PROFILE;
    if (TrainStage.trainsInDriver(context)) {
      if (demandsGpu) {
        ComputeDevice.choose(forTraining(config));
      }
    } else if (demandsGpu || demandsProfile) {
      new Placement(context.spark().sparkContext(), config.cluster().placement())
          .choose(forTraining(config));
    }
    boolean mayAsk = SamplingPlace.profile(context).isPresent(); // for one that is not there yet
    if (config.cluster().generationDevice() == ClusterConfig.Device.CUDA && !mayAsk) {
      ComputeDevice.Wish wish = forGeneration(config);
      List<String> refusals =
          JavaSparkContext.fromSparkContext(context.spark().sparkContext())
              .parallelize(List.of(wish), 1)
              .map(Devices::refusal)
              .collect();
      if (!refusals.get(0).isEmpty()) {
        throw new BadInputException(refusals.get(0));
      }
    }
  }

  private static String refusal(ComputeDevice.Wish wish) {
    try {
      ComputeDevice.choose(wish);
      return "";
    } catch (BadInputException e) {
      return e.getMessage();
    }
  }
}
