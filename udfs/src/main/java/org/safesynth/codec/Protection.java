package org.safesynth.codec;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;

/**
 * Value protection: rare category values are never written and the most extreme numbers are pulled
 * in. Good practice, not differential privacy.
 *
 * @param enabled whether it is on
 * @param rareThreshold a value that fewer records hold is rare; each column adds a keyed 0 to 2, so
 *     that nobody can tell from a value's presence how many records hold it
 * @param key of the column's addition
 */
public record Protection(boolean enabled, int rareThreshold, long key) implements Serializable {
  /** Everything is written as it is. */
  public static final Protection OFF = new Protection(false, 0, 0);

  /** Records that must hold a value of the column before it may be written; 1 when off. */
  public int threshold(String column) {
    return enabled ? rareThreshold + (int) Long.remainderUnsigned(hash(column), 3) : 1;
  }

  private long hash(String column) {
    long h = key ^ 0x9e3779b97f4a7c15L;
    for (byte b : column.getBytes(StandardCharsets.UTF_8)) {
      h = (h ^ (b & 0xff)) * 0x100000001b3L;
    }
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return h ^ (h >>> 33);
  }
}
