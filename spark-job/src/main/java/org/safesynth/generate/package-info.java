/**
 * Sampling records from a trained decoder under a grammar, in lock-step batches. Knows models and
 * codecs; knows no Spark.
 */
package org.safesynth.generate;
