package org.safesynth.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Declares a record component as a parameter: its default, its bounds and one line of meaning.
 *
 * <p>Its name is the component's in snake case. Its type is the component's: {@link Auto} also
 * allows {@code auto}, an enum allows the names of its constants.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Parameter {
  /** One line that says what the parameter does; no full stop. */
  String meaning();

  /** The value when the user gives none, as YAML. */
  String byDefault();

  /** Whether {@code null} may be given; always so when it is the default. */
  boolean orNull() default false;

  /** Least allowed number. */
  double min() default Double.NEGATIVE_INFINITY;

  /** Greatest allowed number. */
  double max() default Double.POSITIVE_INFINITY;

  /** Whether {@link #min} itself is out of bounds. */
  boolean aboveMin() default false;

  /** Whether {@link #max} itself is out of bounds. */
  boolean belowMax() default false;

  /** The allowed values, if they are few; matched without regard to case. */
  String[] choices() default {};

  /** Whether the embedded model uses the parameter; if not, setting it is reported. */
  boolean usedByEmbedded() default true;

  /** A further remark for the reference page. */
  String note() default "";
}
