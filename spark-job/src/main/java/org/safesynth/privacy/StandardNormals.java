package org.safesynth.privacy;

/** Standard normal numbers by Box and Muller's transform (1958), in double. */
final class StandardNormals {
  private static final int OCTANT_BITS = 50;
  private static final long OCTANT = 1L << OCTANT_BITS;
  private static final double ANGLE = Math.PI / 4 * 0x1p-50;
  private static final double[] QUARTER_COSINES = {1, 0, -1, 0};
  private static final double[] QUARTER_SINES = {0, 1, 0, -1};

  private StandardNormals() {}

  /** A point of the unit circle. */
  record Point(double cosine, double sine) {}

  /** Sums of four independent standard normals. */
  static double[] sumsOfFour(SecretStream stream, int count) {
    double[] sums = new double[count];
    for (int i = 0; i < count; i += 2) {
      double cosines = 0;
      double sines = 0;
      for (int pair = 0; pair < 4; pair++) {
        // (0, 1], since the sum may round up: 63 bits, for a tail to sqrt(-2 ln 2^-64) = 9.4
        double uniform = ((stream.nextLong() >>> 1) + 0.5) * 0x1p-63;
        double radius = Math.sqrt(-2 * Math.log(uniform));
        Point point = onCircle(stream.nextLong() >>> 11);
        cosines += radius * point.cosine();
        sines += radius * point.sine();
      }
      sums[i] = cosines;
      if (i + 1 < count) {
        sums[i + 1] = sines;
      }
    }
    return sums;
  }

  /**
   * The point of the unit circle at an angle.
   *
   * <p>Since the angle comes as an integer, it is brought within π/4 of a multiple of π/2 exactly;
   * there sine and cosine are fdlibm's polynomials (k_sin.c, k_cos.c; errors below 2^-58 before
   * rounding), without the reduction that makes up most of {@link Math#sin}'s time.
   *
   * @param turn the angle in 2^-53 turns, 53 bits
   */
  static Point onCircle(long turn) {
    int octant = (int) (turn >>> OCTANT_BITS);
    int quadrant = (octant + 1) / 2 % 4; // the nearest multiple of π/2
    double x = ((turn & (OCTANT - 1)) - (octant & 1) * OCTANT) * ANGLE;
    double z = x * x;
    double sine =
        x
            + x
                * z
                * (-1.66666666666666324348e-01
                    + z
                        * (8.33333333332248946124e-03
                            + z
                                * (-1.98412698298579493134e-04
                                    + z
                                        * (2.75573137070700676789e-06
                                            + z
                                                * (-2.50507602534068634195e-08
                                                    + z * 1.58969099521155010221e-10)))));
    double cosine =
        1
            - z / 2
            + z
                * z
                * (4.16666666666666019037e-02
                    + z
                        * (-1.38888888888741095749e-03
                            + z
                                * (2.48015872894767294178e-05
                                    + z
                                        * (-2.75573143513906633035e-07
                                            + z
                                                * (2.08757232129817482790e-09
                                                    + z * -1.13596475577881948265e-11)))));
    double c = QUARTER_COSINES[quadrant]; // turned by multiplying: no branch, which none foresees
    double s = QUARTER_SINES[quadrant];
    return new Point(c * cosine - s * sine, s * cosine + c * sine);
  }
}
