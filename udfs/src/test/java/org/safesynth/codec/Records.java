package org.safesynth.codec;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/** Records of every kind of column, for property tests. */
final class Records {
  private Records() {}

  static ColumnSchema column(String name, String type, ColumnKind kind, int scale, long micros) {
    return new ColumnSchema(name, type, kind, true, scale, micros, null, null, null, null, 0);
  }

  static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              column("age", "bigint", ColumnKind.INTEGER, 0, 0),
              column("small \"int\"", "smallint", ColumnKind.INTEGER, 0, 0),
              column("price", "double", ColumnKind.DECIMAL, 3, 0),
              column("mass", "double", ColumnKind.DECIMAL, -16, 0),
              column("zip", "string", ColumnKind.CATEGORICAL, 0, 0),
              column("level", "int", ColumnKind.CATEGORICAL, 0, 0),
              column("smoker", "boolean", ColumnKind.BOOLEAN, 0, 0),
              column("born", "date", ColumnKind.DATE, 0, 0),
              column("seen", "timestamp", ColumnKind.TIMESTAMP, 0, 1_000_000L),
              column("seen_ms", "timestamp_ntz", ColumnKind.TIMESTAMP, 0, 1_000L),
              column("hour", "timestamp_ntz", ColumnKind.TIMESTAMP, 0, 3_600_000_000L),
              column("naïve/Größe", "string", ColumnKind.TEXT, 0, 0),
              column("id", "string", ColumnKind.IDENTIFIER, 0, 0),
              column("number", "bigint", ColumnKind.IDENTIFIER, 0, 0)));

  private static final long FIRST_DAY = -719_162; // 0001-01-01
  private static final long LAST_DAY = 2_932_896; // 9999-12-31

  static Arbitrary<Object[]> records() {
    Arbitrary<Object> texts =
        Arbitraries.oneOf(
                Arbitraries.strings().all().ofMaxLength(20),
                Arbitraries.of(
                    "007",
                    "NA",
                    "",
                    "null",
                    "</s>",
                    "a<|im_end|>b",
                    "\\u0041",
                    "1.0",
                    "{\"a\":1}",
                    "line\nbreak",
                    "\"}",
                    " led by a space",
                    "/path",
                    "😀",
                    "\u2028",
                    "\u0000"))
            .map(s -> s);
    Arbitrary<Object> days = Arbitraries.longs().between(FIRST_DAY, LAST_DAY).map(x -> x);
    List<Arbitrary<Object>> cells = new ArrayList<>();
    cells.add(Arbitraries.longs().map(x -> x));
    cells.add(Arbitraries.longs().between(Short.MIN_VALUE, Short.MAX_VALUE).map(x -> x));
    cells.add(Arbitraries.longs().map(x -> x));
    cells.add(Arbitraries.longs().map(x -> x));
    cells.add(texts);
    cells.add(Arbitraries.longs().between(-50, 50).map(String::valueOf));
    cells.add(Arbitraries.of("true", "false").map(x -> x));
    cells.add(days);
    cells.add(seconds(1));
    cells.add(seconds(1000));
    cells.add(Arbitraries.longs().between(FIRST_DAY * 24, LAST_DAY * 24).map(x -> x));
    cells.add(texts);
    cells.add(texts);
    cells.add(Arbitraries.longs().map(x -> x));
    List<Arbitrary<Object>> withMissing = new ArrayList<>();
    for (Arbitrary<Object> cell : cells) {
      withMissing.add(cell.injectNull(0.1));
    }
    return Combinators.combine(withMissing).as(values -> values.toArray());
  }

  private static Arbitrary<Object> seconds(long ticks) {
    return Arbitraries.longs()
        .between(FIRST_DAY * 86_400 * ticks, LAST_DAY * 86_400 * ticks)
        .map(x -> x);
  }
}
