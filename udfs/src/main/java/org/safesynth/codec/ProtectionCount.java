package org.safesynth.codec;

/**
 * What value protection did to a column.
 *
 * @param column its name
 * @param rareValues distinct values that are not written
 * @param rareRecords records that hold one of them
 * @param pulledInLow records whose number was raised to the protected low end
 * @param pulledInHigh records whose number was lowered to the protected high end
 * @param freshIdentifiers whether the column gets fresh values instead of learned ones
 */
public record ProtectionCount(
    String column,
    long rareValues,
    long rareRecords,
    long pulledInLow,
    long pulledInHigh,
    boolean freshIdentifiers) {
  /** Whether anything was changed. */
  public boolean isEmpty() {
    return rareRecords == 0 && pulledInLow == 0 && pulledInHigh == 0 && !freshIdentifiers;
  }
}
