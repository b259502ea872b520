/**
 * Decoders, their parameters and files. Knows libtorch; knows no data, no Spark and no training
 * loop.
 */
package org.safesynth.model;
