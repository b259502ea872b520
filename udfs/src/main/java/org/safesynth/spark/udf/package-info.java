/**
 * What Spark users call by itself: tokenizing as a stage of an ML pipeline. Knows Spark and
 * tokenizers; does not know the job.
 */
package org.safesynth.spark.udf;
