/**
 * How good and how private a synthetic table is, on Spark. {@code Evaluation} is the tour: two or
 * three typed tables come in, samples of bounded size are drawn from them by a keyed hash, and one
 * measure after the other adds what it found.
 *
 * <p>Knows tables; knows no models and not how the rows were made.
 */
package org.safesynth.evaluate;
