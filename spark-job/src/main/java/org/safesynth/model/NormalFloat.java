package org.safesynth.model;

/**
 * The 16 levels of the 4-bit NormalFloat: quantiles of the standard normal distribution, scaled to
 * [-1, 1], with an exact zero (Dettmers et al. 2023, QLoRA, appendix E).
 */
final class NormalFloat {
  /** In rising order; the code of a level is its place. */
  private static final float[] LEVELS = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f
  };

  private NormalFloat() {}

  static float[] levels() {
    return LEVELS.clone();
  }

  /** Where the nearest level changes (15). */
  static float[] boundaries() {
    float[] middles = new float[LEVELS.length - 1];
    for (int i = 0; i < middles.length; i++) {
      middles[i] = (LEVELS[i] + LEVELS[i + 1]) / 2;
    }
    return middles;
  }

  /** The levels of a byte's upper and lower half, for each byte (256 * 2). */
  static float[] pairs() {
    float[] pairs = new float[2 * 256];
    for (int b = 0; b < 256; b++) {
      pairs[2 * b] = LEVELS[b >> 4];
      pairs[2 * b + 1] = LEVELS[b & 15];
    }
    return pairs;
  }
}
