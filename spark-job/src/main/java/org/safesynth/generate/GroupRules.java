package org.safesynth.generate;

import java.io.Serializable;

/**
 * What makes the records of a text a group, and what is repaired instead of rejected.
 *
 * @param groupColumn whose value is the same in all records of a group; -1 where all records are
 *     one
 * @param orderColumn whose ticks do not fall, or -1
 * @param constant (columns) one value in each group: the first record's counts
 * @param mostRows records after which a group that goes on has lost its way
 * @param series what makes it a time series, or null
 * @param acceptsMissingMarks {@code group_by_accept_no_delineator}: a text that did not end by
 *     itself is a group too
 * @param ignoresInvalidRecords {@code group_by_ignore_invalid_records}: valid records are kept
 * @param fixesKey {@code group_by_fix_non_unique_value}: the first value counts
 * @param fixesOrder {@code group_by_fix_unordered_records}: records are sorted
 */
public record GroupRules(
    int groupColumn,
    int orderColumn,
    boolean[] constant,
    int mostRows,
    SeriesRules series,
    boolean acceptsMissingMarks,
    boolean ignoresInvalidRecords,
    boolean fixesKey,
    boolean fixesOrder)
    implements Serializable {}
