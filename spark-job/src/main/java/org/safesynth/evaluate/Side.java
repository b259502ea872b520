package org.safesynth.evaluate;

/** Which of the compared tables a row belongs to. */
enum Side {
  REFERENCE,
  SYNTHETIC,
  HOLDOUT
}
