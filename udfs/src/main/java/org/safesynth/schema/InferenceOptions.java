package org.safesynth.schema;

import java.io.Serializable;
import java.util.Map;
import java.util.Set;

/**
 * How a table's columns are inferred.
 *
 * @param untypedText whether text columns come from a format without types, such as CSV, so that
 *     numbers and dates are looked for in them
 * @param missingValues texts that stand for a missing value
 * @param key of the samples of distinct values
 * @param declared what a schema file says of columns, by name
 * @param order column that orders rows, whose numbers are numbers though they are all distinct; or
 *     null
 * @param hidesValues whether errors tell what values look like, and not the values
 */
public record InferenceOptions(
    boolean untypedText,
    Set<String> missingValues,
    long key,
    Map<String, DeclaredColumn> declared,
    String order,
    boolean hidesValues)
    implements Serializable {
  public InferenceOptions {
    missingValues = Set.copyOf(missingValues);
    declared = Map.copyOf(declared);
  }

  /** Where no column orders rows. */
  public InferenceOptions(
      boolean untypedText,
      Set<String> missingValues,
      long key,
      Map<String, DeclaredColumn> declared) {
    this(untypedText, missingValues, key, declared, null, false);
  }
}
