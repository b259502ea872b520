/**
 * What a table's columns are: kinds, domains, their inference by Spark aggregates, and declared
 * schema files. Knows Spark's rows; knows no tokens and no models.
 */
package org.safesynth.schema;
