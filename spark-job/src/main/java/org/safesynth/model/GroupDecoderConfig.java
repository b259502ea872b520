package org.safesynth.model;

/**
 * Shape of the decoder of groups.
 *
 * @param row the decoder of a group's rows
 * @param memorySize width of what is remembered of the rows before
 * @param features rows of the table of what is known of a group's times
 * @param hasFirstBias whether a group's first row has logits of its own added
 */
public record GroupDecoderConfig(
    FieldDecoderConfig row, int memorySize, int features, boolean hasFirstBias) {
  /** The first rows of a group have a bucket each, later ones share by powers of 2^(1/4). */
  private static final int EXACT_ROWS = 12;

  private static final int SHARED_BUCKETS = 24;

  public GroupDecoderConfig {
    if (memorySize < 1 || features < 1) {
      throw new IllegalArgumentException("a group's memory and features need at least 1");
    }
  }

  /** A decoder to which a group's first row is as any other. */
  public GroupDecoderConfig(FieldDecoderConfig row, int memorySize, int features) {
    this(row, memorySize, features, false);
  }

  /** Buckets of a row's number in its group. */
  public static int indexBuckets() {
    return EXACT_ROWS + SHARED_BUCKETS;
  }

  /** The bucket of a row's number, from 0. */
  public static int indexBucket(int row) {
    if (row < EXACT_ROWS) {
      return row;
    }
    int shared = (int) (4 * Math.log((double) row / EXACT_ROWS) / Math.log(2));
    return EXACT_ROWS + Math.min(SHARED_BUCKETS - 1, shared);
  }
}
