package org.safesynth.evaluate;

/**
 * The columns that make a table one of groups.
 *
 * @param group rows with the same value belong together
 * @param order by which the rows of a group follow one another, or null
 */
public record GroupKeys(String group, String order) {}
