package org.safesynth.schema;

/**
 * A public histogram grid for all whole numbers of 64 bits: zero, and eighths of the octaves of
 * either sign. Whatever a column holds falls into one of its cells, so that bounds can be found
 * from noisy counts without having looked at the data first.
 */
public final class MagnitudeGrid {
  private static final int PARTS_BITS = 3;
  private static final int PARTS = 1 << PARTS_BITS;
  private static final int OF_A_SIGN = Long.SIZE * PARTS;

  /** Number of cells, in the order of the numbers in them. */
  public static final int CELLS = 2 * OF_A_SIGN + 1;

  private MagnitudeGrid() {}

  /** The cell of a number. */
  public static int cell(long value) {
    if (value == 0) {
      return OF_A_SIGN;
    }
    if (value == Long.MIN_VALUE) {
      return cell(-Long.MAX_VALUE);
    }
    long magnitude = Math.abs(value);
    int octave = Long.SIZE - 1 - Long.numberOfLeadingZeros(magnitude);
    long part =
        octave >= PARTS_BITS
            ? magnitude >> (octave - PARTS_BITS)
            : magnitude << (PARTS_BITS - octave);
    int of = octave * PARTS + (int) (part & (PARTS - 1));
    return value > 0 ? OF_A_SIGN + 1 + of : OF_A_SIGN - 1 - of;
  }

  /** The least number of a cell that is not empty. */
  public static long low(int cell) {
    return cell < OF_A_SIGN ? -high(2 * OF_A_SIGN - cell) : from(cell);
  }

  /** The greatest number of a cell that is not empty. */
  public static long high(int cell) {
    if (cell <= OF_A_SIGN) {
      return cell == OF_A_SIGN ? 0 : -from(2 * OF_A_SIGN - cell);
    }
    int next = cell + 1;
    while (next < CELLS
        && from(next) <= from(cell)) { // small octaves have fewer numbers than parts
      next++;
    }
    return next >= CELLS || from(next) < 0 ? Long.MAX_VALUE : from(next) - 1;
  }

  /**
   * The least number from the beginning of a cell of positive numbers on; 0 of the cell of zero.
   */
  private static long from(int cell) {
    if (cell == OF_A_SIGN) {
      return 0;
    }
    int of = cell - OF_A_SIGN - 1;
    int octave = of / PARTS;
    if (octave > Long.SIZE - 2) {
      return Long.MIN_VALUE; // beyond the last number
    }
    long part = PARTS + of % PARTS;
    return octave >= PARTS_BITS
        ? part << (octave - PARTS_BITS)
        : (part + (1L << (PARTS_BITS - octave)) - 1) >> (PARTS_BITS - octave);
  }
}
