package org.safesynth.train;

import java.util.Optional;

/** Keeps the newest whole checkpoint of a run, wherever the run folder lies. */
public interface CheckpointStore {
  /** Writes a checkpoint; one that is cut off in the middle is never read back. */
  void save(Checkpoint checkpoint);

  /** The newest whole checkpoint. */
  Optional<Checkpoint> newest();
}
