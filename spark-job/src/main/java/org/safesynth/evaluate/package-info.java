/**
 * How close synthetic rows are to real ones, counted by Spark. Knows tables of codes; knows no
 * models and not how the rows were made.
 */
package org.safesynth.evaluate;
