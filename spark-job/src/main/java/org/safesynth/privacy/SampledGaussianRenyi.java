package org.safesynth.privacy;

/**
 * Rényi divergence of one step of the Poisson-subsampled Gaussian at any order above 1.
 *
 * <p>With A(α) = E[(1 + u)^α] over z ~ N(0, σ²), u = q(exp((2z − 1)/2σ²) − 1), the divergence is ln
 * A(α)/(α − 1); this direction, removing a unit, is the larger one (Mironov, Talwar and Zhang 2019,
 * theorem 5 and section 3.3). A lies near 1 when q is small, and ln of a rounded A would lose every
 * digit. So A − 1 is computed as a sum of terms that are none of them negative:
 *
 * <ul>
 *   <li>α whole: A − 1 = Σ_{k≥2} C(α,k) (1−q)^(α−k) q^k (exp((k²−k)/2σ²) − 1), since the binomial
 *       probabilities add up to 1;
 *   <li>else: E[u] = 0, so A − 1 = E[(1+u)^α − 1 − αu], which is convex in u and at least 0. It is
 *       integrated by the trapezoidal rule, whose error falls exponentially for a function that is
 *       analytic in a strip (Trefethen and Weideman 2014, theorem 5.1). The nearest branch point
 *       has imaginary part πσ²; a step of min(σ/2, 2σ²/5) keeps the error below 1e-17 of the terms.
 * </ul>
 *
 * All sums run over logarithms, so no order overflows.
 */
final class SampledGaussianRenyi {
  private static final double REACH = 10; // standard deviations kept on both sides

  private SampledGaussianRenyi() {}

  static double divergence(double q, double sigma, double order) {
    if (!(order > 1)) {
      throw new IllegalArgumentException("orders are above 1, not " + order);
    }
    if (q == 1) {
      return order / (2 * sigma * sigma);
    }
    double log = order == Math.rint(order) ? whole(q, sigma, (long) order) : any(q, sigma, order);
    // ln(1 + e^log)
    double moment = log > 40 ? log : Math.log1p(Math.exp(log));
    return moment / (order - 1);
  }

  /** ln(A − 1) at a whole order. */
  private static double whole(double q, double sigma, long order) {
    LogSum sum = new LogSum();
    double logQ = Math.log(q);
    double logStay = Math.log1p(-q);
    double logBinomial = Math.log(order);
    for (long k = 2; k <= order; k++) {
      logBinomial += Math.log((double) (order - k + 1) / k);
      double exponent = (double) k * (k - 1) / (2 * sigma * sigma);
      double growth = exponent > 40 ? exponent : Math.log(Math.expm1(exponent));
      sum.add(logBinomial + (order - k) * logStay + k * logQ + growth);
    }
    return sum.value();
  }

  /** ln(A − 1) at any order. */
  private static double any(double q, double sigma, double order) {
    double step = Math.min(sigma / 2, 0.4 * sigma * sigma);
    double from = -REACH * sigma;
    double to = Math.max(order, 2) + REACH * sigma;
    long nodes = (long) Math.ceil((to - from) / step);
    LogSum sum = new LogSum();
    for (long i = 0; i <= nodes; i++) {
      double z = from + i * step;
      double exponent = (2 * z - 1) / (2 * sigma * sigma);
      sum.add(-z * z / (2 * sigma * sigma) + logConvex(q, exponent, order));
    }
    return sum.value() + Math.log(step / (sigma * Math.sqrt(2 * Math.PI)));
  }

  /** ln((1+u)^α − 1 − αu) for u = q(e^exponent − 1). */
  private static double logConvex(double q, double exponent, double order) {
    double u = q * Math.expm1(exponent);
    if (u > 1e100) {
      return order * (Math.log(q) + exponent);
    }
    double power = order * Math.log1p(u);
    if (Math.abs(u) * Math.max(1, order) < 0.05) {
      return Math.log(series(u, order));
    }
    if (power > 40) {
      return power + Math.log1p(-(1 + order * u) * Math.exp(-power));
    }
    return Math.log(Math.expm1(power) - order * u);
  }

  /** Σ_{k≥2} C(α,k) u^k, where the closed form would cancel. */
  private static double series(double u, double order) {
    double term = order * (order - 1) / 2 * u * u;
    double sum = term;
    for (int k = 3; Math.abs(term) > 1e-18 * sum; k++) {
      term *= (order - k + 1) / k * u;
      sum += term;
    }
    return sum;
  }
}
