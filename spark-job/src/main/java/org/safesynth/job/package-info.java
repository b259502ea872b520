/**
 * The job itself: reading the table, the stages in their order ({@code Pipeline} is the tour), the
 * run folder, progress and the command line. Knows Spark and every other package; knows no maths.
 */
package org.safesynth.job;
