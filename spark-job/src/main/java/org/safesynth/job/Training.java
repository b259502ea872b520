package org.safesynth.job;

import java.io.Serializable;

/** Work that the training stage places in the driver or on an executor. */
@FunctionalInterface
interface Training extends Serializable {
  TrainingTask.Outcome run(int workers, TrainingTask.Teller teller);
}
