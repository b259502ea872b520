package org.safesynth.job;

import java.util.function.IntPredicate;
import java.util.function.IntToLongFunction;
import java.util.function.IntUnaryOperator;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.config.GenerationConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TableProfile;

/**
 * Finds before anything is learned or sampled that fresh keys, which go on after the greatest one
 * of the table, would leave their column's type.
 */
final class FreshKeys {
  private FreshKeys() {}

  /** Keys that a column's type holds after the last one; null for no bound. */
  private static Long room(ColumnSchema column, Long last) {
    if (last == null || !column.isNumericIdentifier()) {
      return null;
    }
    return switch (column.type()) {
      case "tinyint" -> Byte.MAX_VALUE - last;
      case "smallint" -> Short.MAX_VALUE - last;
      case "int" -> Integer.MAX_VALUE - last;
      default -> null;
    };
  }

  private static void require(ColumnSchema column, Long last, long needed) {
    Long room = room(column, last);
    if (room != null && needed > Math.max(0, room)) {
      throw new BadInputException(
          "column '%s': its type %s has room for %,d fresh keys after the greatest one of the table, and %,d are needed; declare a wider type in data.schema_file and train again, or ask for fewer rows or groups"
              .formatted(column.name(), column.type(), Math.max(0, room), needed));
    }
  }

  /** Refuses a table whose keys leave no room for what the run goes on to generate. */
  static void requireBeforeTraining(RunContext context, FrozenSchema schema, TableProfile profile) {
    GenerationConfig generation = context.config().generation();
    if (!isKnown(context)) {
      return;
    }
    String group = context.config().data().groupColumn();
    for (int c = 0; c < schema.columns().size(); c++) {
      ColumnSchema column = schema.columns().get(c);
      ColumnProfile counts = profile.columns().get(c);
      long[] highest = counts.highTicks();
      Long last = highest.length == 0 ? null : (Long) highest[highest.length - 1];
      if (group == null) {
        require(column, last, generation.numRecords());
      } else if (column.name().equals(group)) {
        double meanRows = (double) counts.rows() / Math.max(1, counts.distinct());
        require(column, last, groups(generation, meanRows));
      }
    }
  }

  /**
   * The same of keys that each row of a group has, once it is known how many rows those have. A
   * series may need more.
   */
  static void requireBeforeTraining(RunContext context, FrozenSchema schema, GroupCodec codec) {
    if (isKnown(context)) {
      GroupLayout layout = codec.layout();
      OfGroups.of(schema, codec, GroupGeneration.mostRows(layout))
          .require(context.config().generation(), GroupGeneration.meanRows(layout));
    }
  }

  /** The same of a private table, as far as it is declared. */
  static void requireBeforeTraining(RunContext context, FrozenSchema schema) {
    GenerationConfig generation = context.config().generation();
    String group = context.config().data().groupColumn();
    for (ColumnSchema column : schema.columns()) {
      boolean isOfGroup = column.name().equals(group) && generation.numGroups() != null;
      if (isKnown(context) && (group == null || isOfGroup)) {
        long keys = isOfGroup ? generation.numGroups() : generation.numRecords();
        require(column, column.max(), keys);
      }
    }
  }

  /** What conditions ask for is known once they are read, and a series has one group. */
  private static boolean isKnown(RunContext context) {
    return context.generates()
        && context.config().generation().conditions() == null
        && !context.config().isSingleSeries();
  }

  private static long groups(GenerationConfig generation, double meanRows) {
    return generation.numGroups() != null
        ? generation.numGroups()
        : (long) (generation.numRecords() / meanRows);
  }

  /**
   * Refuses rows that need more keys than there are.
   *
   * @param codec of the columns; null where nothing is known of them
   * @param needed keys of a column, from the first fresh one on
   */
  static void require(FrozenSchema schema, FieldCodec codec, IntToLongFunction needed) {
    for (int c = 0; codec != null && c < schema.columns().size(); c++) {
      require(schema.columns().get(c), codec.lastKey(c), needed.applyAsLong(c));
    }
  }

  /**
   * The number of groups for which there are keys.
   *
   * @param keys the last key of each column; null for none
   * @param isOfGroup whether a column has one key a group, and not one a row
   * @param mostRows numbers of rows that each group takes
   */
  record OfGroups(FrozenSchema schema, Keys keys, IntPredicate isOfGroup, int mostRows) {
    /** The last key of a column. */
    interface Keys {
      Long last(int column);
    }

    static OfGroups of(FrozenSchema schema, GroupCodec codec, int mostRows) {
      GroupLayout layout = codec.layout();
      IntUnaryOperator derived = c -> c == layout.orderColumn() ? -1 : layout.derivedColumn(c);
      return new OfGroups(
          schema,
          c -> derived.applyAsInt(c) < 0 ? null : codec.fields().lastKey(derived.applyAsInt(c)),
          c -> codec.isConstant(codec.fields().firstPosition(derived.applyAsInt(c))),
          mostRows);
    }

    /** Refuses to begin what is likely to need more groups. */
    void require(GenerationConfig generation, double meanRows) {
      requireUpTo(groups(generation, meanRows));
    }

    /** The end of groups that are asked for up to an end, as far as there are keys for them. */
    long end(long from, long end) {
      requireUpTo(from + 1);
      long least = end;
      for (int c = 0; c < schema.columns().size(); c++) {
        Long room = room(schema.columns().get(c), keys.last(c));
        if (room != null) {
          least = Math.min(least, isOfGroup.test(c) ? room : (room - 1) / mostRows + 1);
        }
      }
      return Math.max(from + 1, least);
    }

    private void requireUpTo(long groups) {
      for (int c = 0; c < schema.columns().size(); c++) {
        Long last = keys.last(c);
        if (last != null) {
          long ofEach = isOfGroup.test(c) ? 1 : mostRows;
          FreshKeys.require(schema.columns().get(c), last, Math.max(0, groups - 1) * ofEach + 1);
        }
      }
    }
  }
}
