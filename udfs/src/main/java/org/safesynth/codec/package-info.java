/**
 * Records to tokens and back: {@code RecordCodec} and its two ways. Knows schemas; knows no Spark
 * and no models.
 */
package org.safesynth.codec;
