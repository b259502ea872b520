package org.safesynth.privacy;

/**
 * Cooley and Tukey's fast Fourier transform, radix 2, in place, with exact-to-rounding twiddles.
 */
final class Fourier {
  private final int size;
  private final double[] cosines;
  private final double[] sines;

  /** For a power of two. */
  Fourier(int size) {
    if (Integer.bitCount(size) != 1) {
      throw new IllegalArgumentException("size must be a power of two");
    }
    this.size = size;
    cosines = new double[size / 2];
    sines = new double[size / 2];
    for (int i = 0; i < size / 2; i++) {
      double angle = 2 * Math.PI * i / size;
      cosines[i] = Math.cos(angle);
      sines[i] = Math.sin(angle);
    }
  }

  /** Σ x_k e^(−2πijk/n). */
  void forward(double[] real, double[] imaginary) {
    transform(real, imaginary);
  }

  /** The inverse, divided by n. */
  void inverse(double[] real, double[] imaginary) {
    transform(imaginary, real);
    for (int i = 0; i < size; i++) {
      real[i] /= size;
      imaginary[i] /= size;
    }
  }

  private void transform(double[] re, double[] im) {
    int shift = Integer.numberOfLeadingZeros(size) + 1;
    for (int i = 0; i < size; i++) {
      int j = size == 1 ? 0 : Integer.reverse(i) >>> shift;
      if (j > i) {
        double r = re[i];
        re[i] = re[j];
        re[j] = r;
        double s = im[i];
        im[i] = im[j];
        im[j] = s;
      }
    }
    for (int half = 1; half < size; half *= 2) {
      int stride = size / (2 * half);
      for (int start = 0; start < size; start += 2 * half) {
        for (int k = 0; k < half; k++) {
          double c = cosines[k * stride];
          double s = -sines[k * stride];
          int a = start + k;
          int b = a + half;
          double r = re[b] * c - im[b] * s;
          double t = re[b] * s + im[b] * c;
          re[b] = re[a] - r;
          im[b] = im[a] - t;
          re[a] += r;
          im[a] += t;
        }
      }
    }
  }
}
