package org.safesynth.evaluate;

/**
 * One attack of Giomi et al. 2022, <i>A Unified Framework for Quantifying Privacy Risk in Synthetic
 * Data</i>: how often it succeeds on learned rows, on unseen rows, and by blind guessing.
 *
 * <p>Rates and their errors are Wilson's at 95 %. What succeeds on unseen rows is knowledge of the
 * population; the risk is the share of the rest that succeeds on learned rows, (a − c)/(1 − c),
 * with the two errors propagated.
 *
 * @param name of the attack
 * @param detail what the attacker does
 * @param attempts on learned rows
 * @param rate of success on learned rows
 * @param controlAttempts on unseen rows
 * @param controlRate of success on unseen rows
 * @param baselineRate of blind guesses on learned rows
 * @param risk may be below 0 by chance
 * @param riskLow lower end of the interval, not below 0
 * @param riskHigh upper end of the interval, not below 0 and not above 1
 */
public record Attack(
    String name,
    String detail,
    int attempts,
    double rate,
    int controlAttempts,
    double controlRate,
    double baselineRate,
    double risk,
    double riskLow,
    double riskHigh) {
  private static final double Z = 1.959963984540054;

  /** Successes of a number of attempts. */
  record Tally(int successes, int attempts) {
    static Tally of(boolean[] succeeded) {
      int successes = 0;
      for (boolean success : succeeded) {
        successes += success ? 1 : 0;
      }
      return new Tally(successes, succeeded.length);
    }

    /** Middle of Wilson's interval. */
    double rate() {
      return (successes + Z * Z / 2) / (attempts + Z * Z);
    }

    /** Half of the width of Wilson's interval. */
    double error() {
      double variance = (double) successes * (attempts - successes) / attempts;
      return Z / (attempts + Z * Z) * Math.sqrt(variance + Z * Z / 4);
    }
  }

  static Attack of(String name, String detail, Tally main, Tally control, Tally baseline) {
    double rest = 1 - control.rate();
    double risk = (main.rate() - control.rate()) / rest;
    double byMain = main.error() / rest;
    double byControl = (main.rate() - 1) / (rest * rest) * control.error();
    double error = Math.hypot(byMain, byControl);
    return new Attack(
        name,
        detail,
        main.attempts(),
        main.rate(),
        control.attempts(),
        control.rate(),
        baseline.rate(),
        risk,
        Math.max(0, risk - error),
        Math.max(0, Math.min(1, risk + error)));
  }
}
