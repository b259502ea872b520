/**
 * Noisy tables of one and two columns: a tree of them, rows sampled from it, and weights that make
 * rows agree with them. Knows counts and noise; knows no data, no tensors and no Spark.
 */
package org.safesynth.marginal;
