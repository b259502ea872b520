/**
 * Differential privacy without tensors and without Spark: secret randomness, noise, Poisson
 * sampling, accountants, calibration and the ledger.
 *
 * <p>Adjacency is add or remove one privacy unit throughout. Every class that a guarantee rests on
 * carries the argument, with paper and section.
 */
package org.safesynth.privacy;
