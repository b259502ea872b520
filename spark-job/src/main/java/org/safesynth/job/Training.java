package org.safesynth.job;

import java.io.Serializable;
import org.safesynth.model.ComputeDevice;

/** Work that the training stage places in the driver or on an executor. */
@FunctionalInterface
interface Training extends Serializable {
  TrainingTask.Outcome run(int workers, TrainingTask.Teller teller);

  /** The device that it is computed on: the processor, unless it says otherwise. */
  default ComputeDevice.Wish device() {
    return new ComputeDevice.Wish(ComputeDevice.CPU.name(), 1);
  }
}
