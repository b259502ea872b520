package org.safesynth.evaluate;

import java.util.TreeMap;

/**
 * How a table's rows belong to those of its parent table.
 *
 * @param table name of the table whose rows are counted
 * @param real parents of the real table by the number of their rows, from 0
 * @param synthetic likewise
 * @param orphans synthetic rows whose parent is not there
 * @param repeated synthetic parents whose key another one has
 */
public record ChildCounts(
    String table,
    TreeMap<Long, Long> real,
    TreeMap<Long, Long> synthetic,
    long orphans,
    long repeated) {}
