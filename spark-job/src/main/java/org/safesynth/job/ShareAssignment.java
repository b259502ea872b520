package org.safesynth.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.safesynth.codec.Acceptance;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.random.KeyedPermutation;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Which row gets which value where {@code generation.rebalance} sets shares: as many rows as the
 * share says, to the row, spread over the table by a keyed permutation.
 *
 * @param column of the schema
 * @param values canonical
 * @param ends (values) number of permuted rows before the end of each value's run
 * @param order of the rows
 */
record ShareAssignment(int column, List<Object> values, long[] ends, KeyedPermutation order)
    implements Serializable {

  /** The value of a row. */
  Object of(long row) {
    long place = order.apply(row);
    int v = 0;
    while (place >= ends[v]) {
      v++;
    }
    return values.get(v);
  }

  /** Reads {@code generation.rebalance}. */
  static List<ShareAssignment> read(
      Map<String, Map<String, Double>> wanted,
      FrozenSchema schema,
      FieldCodec codec,
      long rows,
      long seed) {
    List<String> names = schema.columns().stream().map(ColumnSchema::name).toList();
    requireColumns(wanted.keySet(), names);
    List<ShareAssignment> assignments = new ArrayList<>();
    wanted.forEach(
        (name, shares) -> {
          int column = names.indexOf(name);
          List<Object> values =
              shares.keySet().stream()
                  .map(text -> value(schema.columns().get(column), text, column, codec))
                  .toList();
          double[] of = shares.values().stream().mapToDouble(Double::doubleValue).toArray();
          long key = new SeededStreams(seed).key(SeededStreams.Purpose.COMPLETION, -1, column);
          assignments.add(
              new ShareAssignment(column, values, ends(of, rows), new KeyedPermutation(rows, key)));
        });
    return assignments;
  }

  /** Refuses columns that the table does not have. */
  static void requireColumns(Set<String> wanted, List<String> names) {
    for (String name : wanted) {
      if (!names.contains(name)) {
        throw new BadInputException(
            "generation.rebalance names '%s', which is no column of the table (%s)"
                .formatted(name, String.join(", ", names)));
      }
    }
  }

  private static Object value(ColumnSchema column, String text, int number, FieldCodec codec) {
    try {
      Object value = CellReader.of(column, Set.of()).read(text);
      if (column.allows(value) && codec.acceptance(number, value) == Acceptance.EXACT) {
        return value;
      }
    } catch (CellReader.UnfitCellException e) {
      // told below, as any value that the model does not know
    }
    throw new BadInputException(
        "generation.rebalance: '%s' is no value that the model knows of column '%s' (rare values are kept out by data.value_protection)"
            .formatted(text, column.name()));
  }

  /** Largest remainders: counts that add up to the rows, each within one row of its share. */
  private static long[] ends(double[] shares, long rows) {
    long[] counts = new long[shares.length];
    long left = rows;
    for (int v = 0; v < shares.length; v++) {
      counts[v] = (long) Math.floor(shares[v] * rows);
      left -= counts[v];
    }
    Integer[] byRemainder = new Integer[shares.length];
    Arrays.setAll(byRemainder, v -> v);
    Arrays.sort(
        byRemainder,
        Comparator.comparingDouble(v -> Math.floor(shares[v] * rows) - shares[v] * rows));
    for (int i = 0; left > 0; i = (i + 1) % shares.length, left--) {
      counts[byRemainder[i]]++;
    }
    for (int v = shares.length - 1; left < 0; left++) {
      while (counts[v] == 0) { // rounding of shares that add up to a little more than one
        v--;
      }
      counts[v]--;
    }
    long[] ends = counts;
    for (int v = 1; v < ends.length; v++) {
      ends[v] += ends[v - 1];
    }
    return ends;
  }
}
