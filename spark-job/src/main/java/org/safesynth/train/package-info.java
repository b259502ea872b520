/**
 * Token store, step loop, optimizer, schedule, checkpoints. Knows models and tokens; knows no Spark
 * and no columns.
 */
package org.safesynth.train;
