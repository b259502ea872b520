package org.safesynth.schema;

import java.io.Serializable;

/**
 * What the passes over the table counted of one column, the same for any partitioning of the input.
 *
 * <p>Numeric kinds count ticks ({@link ColumnSchema}), the others texts; the arrays of the other
 * sort are empty. Sorted ascending (texts by code unit).
 *
 * @param rows records in the table
 * @param missing records whose value is missing
 * @param distinct number of distinct values: exact when {@code complete}, else estimated from the
 *     sample
 * @param complete whether {@code ticks} or {@code texts} holds every distinct value
 * @param ticks numeric kinds: distinct values; a uniform sample of them (by a keyed hash) when not
 *     complete
 * @param texts other kinds: likewise
 * @param counts records that hold the value at the same index, exact
 * @param spikeTicks numeric kinds, when not complete: every value that more than rows / 256 records
 *     hold
 * @param spikeCounts records that hold it, exact
 * @param lowTicks numeric kinds: the least distinct values (up to 512), ascending
 * @param lowCounts records that hold it, exact
 * @param highTicks numeric kinds: the greatest distinct values (up to 512), ascending
 * @param highCounts records that hold it, exact
 */
public record ColumnProfile(
    long rows,
    long missing,
    long distinct,
    boolean complete,
    long[] ticks,
    String[] texts,
    long[] counts,
    long[] spikeTicks,
    long[] spikeCounts,
    long[] lowTicks,
    long[] lowCounts,
    long[] highTicks,
    long[] highCounts)
    implements Serializable {}
