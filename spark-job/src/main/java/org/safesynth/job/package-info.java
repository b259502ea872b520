/**
 * The job itself: reading the table, the stages in their order ({@code Pipeline} is the tour), the
 * run folder, progress, the command line, and a model as a table that Spark reads. Knows Spark and
 * every other package; knows no maths.
 */
package org.safesynth.job;
