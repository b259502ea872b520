package org.safesynth.privacy;

/** Standard normal numbers by Box and Muller's transform (1958), in double. */
final class StandardNormals {
  private static final double ANGLE = 2 * Math.PI * 0x1p-53;

  private StandardNormals() {}

  /** Sums of four independent standard normals. */
  static double[] sumsOfFour(SecretStream stream, int count) {
    double[] sums = new double[count];
    for (int i = 0; i < count; i += 2) {
      double cosines = 0;
      double sines = 0;
      for (int pair = 0; pair < 4; pair++) {
        // (0, 1): 63 bits, so that the tail reaches sqrt(-2 ln 2^-64) = 9.4
        double uniform = ((stream.nextLong() >>> 1) + 0.5) * 0x1p-63;
        double radius = Math.sqrt(-2 * Math.log(uniform));
        double angle = (stream.nextLong() >>> 11) * ANGLE;
        cosines += radius * Math.cos(angle);
        sines += radius * Math.sin(angle);
      }
      sums[i] = cosines;
      if (i + 1 < count) {
        sums[i + 1] = sines;
      }
    }
    return sums;
  }
}
