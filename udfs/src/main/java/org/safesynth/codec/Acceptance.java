package org.safesynth.codec;

/** How well the tokens of a column say a value that somebody gives. */
public enum Acceptance {
  /** The model has learned the value, or its place on the line of numbers. */
  EXACT,
  /** The value is rare, or lies beyond the learned range: the model takes it for the nearest. */
  NEAREST,
  /** Nothing that the model knows comes near: a category that the table did not hold. */
  UNKNOWN
}
