package org.safesynth.evaluate;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.safesynth.fault.BadInputException;
import org.safesynth.random.KeyedPermutation;

/**
 * The columns that the reference and the synthetic table have in common, in the reference's order,
 * at most as many as the evaluation may look at. The column that makes groups is none of them: its
 * values are names, which a synthetic table has to make up anew.
 *
 * @param columns the columns that are compared
 * @param missing columns of the reference that the synthetic table lacks
 * @param unknown columns of the synthetic table that the reference lacks
 * @param dropped shared columns beyond the limit
 */
record SharedColumns(
    List<Pair> columns, List<String> missing, List<String> unknown, List<String> dropped) {
  /** A column as either side holds it. */
  record Pair(String name, Storage reference, Storage synthetic) implements Serializable {
    boolean isSameForm() {
      return reference.isNumber() == synthetic.isNumber();
    }
  }

  /**
   * Finds the shared columns.
   *
   * @param limit most columns
   * @param key of the draw among more
   */
  static SharedColumns of(EvaluationInput input, int limit, long key) {
    List<Pair> shared = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    String group = input.groups().map(GroupKeys::group).orElse(null);
    for (TypedColumn column : input.reference().columns()) {
      if (column.name().equals(group)) {
        continue;
      }
      int place = input.synthetic().indexOf(column.name());
      if (place < 0) {
        missing.add(column.name());
      } else {
        Storage synthetic = input.synthetic().columns().get(place).storage();
        shared.add(new Pair(column.name(), column.storage(), synthetic));
      }
    }
    if (shared.isEmpty()) {
      throw new BadInputException(
          "%s and %s have no column in common: nothing can be compared"
              .formatted(input.reference().name(), input.synthetic().name()));
    }
    List<String> unknown = new ArrayList<>();
    for (TypedColumn column : input.synthetic().columns()) {
      if (input.reference().indexOf(column.name()) < 0 && !column.name().equals(group)) {
        unknown.add(column.name());
      }
    }
    List<String> dropped = new ArrayList<>();
    List<Pair> kept = limited(shared, limit, key, dropped);
    input.holdout().ifPresent(holdout -> requireColumns(input.reference(), holdout, kept));
    return new SharedColumns(kept, missing, unknown, dropped);
  }

  private static List<Pair> limited(List<Pair> shared, int limit, long key, List<String> dropped) {
    if (shared.size() <= limit) {
      return shared;
    }
    KeyedPermutation order = new KeyedPermutation(shared.size(), key);
    Set<Integer> chosen = new HashSet<>();
    for (int i = 0; i < limit; i++) {
      chosen.add((int) order.apply(i));
    }
    List<Pair> kept = new ArrayList<>();
    for (int c = 0; c < shared.size(); c++) {
      if (chosen.contains(c)) {
        kept.add(shared.get(c));
      } else {
        dropped.add(shared.get(c).name());
      }
    }
    return kept;
  }

  /** The holdout is of the same table as the reference: other columns are a mistake. */
  private static void requireColumns(TypedTable reference, TypedTable holdout, List<Pair> columns) {
    for (Pair column : columns) {
      int place = holdout.indexOf(column.name());
      if (place < 0) {
        throw new BadInputException(
            "the holdout %s has no column '%s': it must have the columns of %s"
                .formatted(holdout.name(), column.name(), reference.name()));
      }
      Storage storage = holdout.columns().get(place).storage();
      if (storage.isNumber() != column.reference().isNumber()) {
        throw new BadInputException(
            "column '%s' holds %s in the holdout %s and %s in %s: they must be parts of one table"
                .formatted(
                    column.name(),
                    form(storage),
                    holdout.name(),
                    form(column.reference()),
                    reference.name()));
      }
    }
  }

  private static String form(Storage storage) {
    return storage.isNumber() ? "numbers" : "texts";
  }

  List<String> names() {
    return columns.stream().map(Pair::name).toList();
  }

  /**
   * Refuses tables that share fewer columns than the user wants to be there.
   *
   * @param names shared columns that are not compared, since they hold names
   */
  void requireAtLeast(Integer mandatory, int names) {
    if (mandatory != null && columns.size() + names < mandatory) {
      throw new BadInputException(
          "the tables share %d columns and evaluation.mandatory_columns is %d; missing in the synthetic table: %s"
              .formatted(
                  columns.size() + names,
                  mandatory,
                  missing.isEmpty() ? "none" : String.join(", ", missing)));
    }
  }

  /** Places of the shared columns in a table. */
  int[] places(TypedTable table) {
    return columns.stream().mapToInt(column -> table.indexOf(column.name())).toArray();
  }
}
