package org.safesynth.config;

import java.io.Serializable;
import java.util.Objects;

/**
 * A value that the user gave, or {@code auto}: chosen by the job once it has seen the data.
 *
 * @param value null for {@code auto}
 */
public record Auto<T extends Serializable>(T value) implements Serializable {
  /** How {@code auto} is written. */
  public static final String TEXT = "auto";

  public static <T extends Serializable> Auto<T> auto() {
    return new Auto<>(null);
  }

  public static <T extends Serializable> Auto<T> of(T value) {
    return new Auto<>(Objects.requireNonNull(value));
  }

  public boolean isAuto() {
    return value == null;
  }

  /** The value given by the user, or what the job chose. */
  public T orElse(T chosen) {
    return value == null ? chosen : value;
  }

  @Override
  public String toString() {
    return value == null ? TEXT : value.toString();
  }
}
