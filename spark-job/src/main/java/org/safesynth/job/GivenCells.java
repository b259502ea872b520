package org.safesynth.job;

import static org.apache.spark.sql.functions.monotonically_increasing_id;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.safesynth.codec.Acceptance;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.KeptCell;
import org.safesynth.schema.OutputType;
import scala.Tuple2;

/** Reads a table of given cells, whose columns are some of the model's, and numbers its rows. */
final class GivenCells implements Serializable {
  private static final String PATH = "__safesynth_path";
  private static final String BLOCK = "__safesynth_block";
  private static final String ID = "__safesynth_id";

  /** Columns named in an error. */
  private static final int NAMED = 12;

  private final String table;
  private final FrozenSchema schema;
  private final int[] columns; // of the schema, one a column of the table
  private final Set<String> missing;

  private GivenCells(String table, FrozenSchema schema, int[] columns, Set<String> missing) {
    this.table = table;
    this.schema = schema;
    this.columns = columns;
    this.missing = Set.copyOf(missing);
  }

  /** Finds the table's columns among the model's. */
  static GivenCells of(TableSource table, FrozenSchema schema, Set<String> missing) {
    List<String> names = schema.columns().stream().map(ColumnSchema::name).toList();
    requireColumns(table, names);
    int[] columns = Arrays.stream(table.rows().columns()).mapToInt(names::indexOf).toArray();
    return new GivenCells(table.name(), schema, columns, missing);
  }

  /** Refuses a table with columns that the learned one does not have. */
  static void requireColumns(TableSource table, List<String> names) {
    for (String given : table.rows().columns()) {
      if (!names.contains(given)) {
        List<String> shown = names.subList(0, Math.min(NAMED, names.size()));
        throw new BadInputException(
            "%s has a column '%s' that the model did not learn (it knows %s%s); remove or rename it"
                .formatted(
                    table.name(),
                    given,
                    String.join(", ", shown),
                    names.size() > NAMED ? ", ..." : ""));
      }
    }
  }

  /**
   * The rows in the table's own order, from 0: canonical cells in the schema's order, null where
   * nothing is given. A cell that cannot be read is a {@link Fault}; one that would not come back
   * as it is, a {@link KeptCell}.
   */
  JavaPairRDD<Long, Object[]> numbered(Dataset<Row> rows) {
    JavaRDD<Row> ordered = inOrder(rows).javaRDD();
    GivenCells self = this;
    return ordered.mapPartitions(self::read).zipWithIndex().mapToPair(Tuple2::swap);
  }

  /** By file and place within it where the source has files, else as the source gives them. */
  static Dataset<Row> inOrder(Dataset<Row> rows) {
    if (rows.inputFiles().length < 2) {
      return rows; // the splits of one file are read in its order
    }
    Column[] names = Arrays.stream(rows.columns()).map(TableSource::column).toArray(Column[]::new);
    Column[] placed = Arrays.copyOf(names, names.length + 3);
    Column metadata = rows.metadataColumn("_metadata");
    placed[names.length] = metadata.getField("file_path").as(PATH);
    placed[names.length + 1] = metadata.getField("file_block_start").as(BLOCK);
    placed[names.length + 2] = monotonically_increasing_id().as(ID);
    return rows.select(placed).orderBy(PATH, BLOCK, ID).drop(PATH, BLOCK, ID);
  }

  private java.util.Iterator<Object[]> read(java.util.Iterator<Row> rows) {
    List<CellReader> readers = new ArrayList<>();
    for (int column : columns) {
      readers.add(CellReader.of(schema.columns().get(column), missing));
    }
    return new java.util.Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public Object[] next() {
        Row row = rows.next();
        Object[] cells = new Object[schema.columns().size()];
        for (int i = 0; i < columns.length; i++) {
          cells[columns[i]] = cell(readers.get(i), row.get(i));
        }
        return cells;
      }
    };
  }

  private static Object cell(CellReader reader, Object value) {
    try {
      return reader.readExact(value);
    } catch (CellReader.UnfitCellException e) {
      return new Fault(e.text());
    }
  }

  /** A cell that is not of its column's kind. */
  record Fault(String text) implements Serializable {}

  /** What was found of one column. */
  private static final class Found implements Serializable {
    private long bad;
    private long firstBad = Long.MAX_VALUE;
    private long nearest;
    private long openRows; // as far as the last one in which nothing is given
    private long least = Long.MAX_VALUE; // tick
    private long greatest = Long.MIN_VALUE;

    void add(long tick) {
      least = Math.min(least, tick);
      greatest = Math.max(greatest, tick);
    }

    void add(Found other) {
      least = Math.min(least, other.least);
      greatest = Math.max(greatest, other.greatest);
      bad += other.bad;
      openRows = Math.max(openRows, other.openRows);
      firstBad = Math.min(firstBad, other.firstBad);
      nearest += other.nearest;
    }
  }

  /**
   * What is known of the rows once all are checked.
   *
   * @param output the schema, of types that hold every given number
   * @param openRows (columns) rows as far as the last one in which nothing is given
   */
  record Checked(long rows, FrozenSchema output, List<Long> openRows) {}

  /**
   * Checks every given cell against the columns' domains.
   *
   * @param model whose codec tells what it knows of values; where it has none, the schema does
   * @throws BadInputException when the model cannot know a value
   */
  Checked check(JavaPairRDD<Long, Object[]> numbered, RowCompleter model, Console console) {
    FieldCodec codec = model.codec();
    GivenCells self = this;
    List<Found> found =
        numbered
            .mapPartitions(rows -> List.of(self.find(rows, codec)).iterator())
            .reduce(
                (a, b) -> {
                  for (int c = 0; c < a.size(); c++) {
                    a.get(c).add(b.get(c));
                  }
                  return a;
                });
    long rows = found.get(schema.columns().size()).nearest;
    for (int c : columns) {
      String name = schema.columns().get(c).name();
      if (found.get(c).bad > 0) {
        throw new BadInputException(
            "column '%s' of %s: %,d of %,d rows give a value that is outside the column's domain, %s (first: row %,d); correct them, or leave the cells empty to have them completed"
                .formatted(
                    name,
                    table,
                    found.get(c).bad,
                    rows,
                    domain(schema.columns().get(c)),
                    found.get(c).firstBad + 1));
      }
      if (found.get(c).nearest > 0) {
        console.warn(
            "column '%s' of %s: %,d given values are rare, or outside what the model learned; they stay, and their rows are completed %s"
                .formatted(name, table, found.get(c).nearest, model.withRareValues()));
      }
    }
    Long[] openRows = new Long[schema.columns().size()];
    Arrays.fill(openRows, rows);
    for (int c : columns) {
      openRows[c] = found.get(c).openRows;
    }
    return new Checked(rows, output(found, console), List.of(openRows));
  }

  private static String domain(ColumnSchema column) {
    String kind = SchemaStage.word(column.kind());
    return column.isExactDecimal()
        ? "%s with at most %d digits after the point".formatted(kind, column.scale())
        : kind;
  }

  private FrozenSchema output(List<Found> found, Console console) {
    List<ColumnSchema> output = new ArrayList<>(schema.columns());
    for (int c : columns) {
      ColumnSchema column = schema.columns().get(c);
      Found of = found.get(c);
      if (of.least > of.greatest) {
        continue; // no number is given
      }
      output.set(c, OutputType.holding(column, of.least, of.greatest));
      if (!output.get(c).equals(column)) {
        console.warn(
            "column '%s' of %s: given values do not fit the learned type %s; the column is written as %s"
                .formatted(column.name(), table, column.type(), output.get(c).type()));
      }
    }
    return new FrozenSchema(output);
  }

  private List<Found> find(java.util.Iterator<Tuple2<Long, Object[]>> rows, FieldCodec codec) {
    List<Found> found = new ArrayList<>();
    for (int c = 0; c <= schema.columns().size(); c++) {
      found.add(new Found());
    }
    long[] limits =
        schema.columns().stream().mapToLong(OutputType::greatestTick).toArray(); // (columns)
    while (rows.hasNext()) {
      Tuple2<Long, Object[]> row = rows.next();
      found.get(schema.columns().size()).nearest++;
      for (int c : columns) {
        Object given = row._2()[c];
        Object cell = given instanceof KeptCell kept ? kept.canonical() : given;
        if (given == null) {
          found.get(c).openRows = Math.max(found.get(c).openRows, row._1() + 1);
        }
        if (cell == null) {
          continue;
        }
        boolean isBad =
            cell instanceof Fault
                || !schema.columns().get(c).allows(cell)
                || isBeyond(cell, limits[c]);
        Acceptance known = codec == null || isBad ? Acceptance.EXACT : codec.acceptance(c, cell);
        Acceptance acceptance = isBad ? Acceptance.UNKNOWN : known;
        if (acceptance == Acceptance.UNKNOWN) {
          found.get(c).bad++;
          found.get(c).firstBad = Math.min(found.get(c).firstBad, row._1());
        } else if (acceptance == Acceptance.NEAREST) {
          found.get(c).nearest++;
        }
        if (cell instanceof Long tick) {
          found.get(c).add(tick);
        }
      }
    }
    return found;
  }

  private static boolean isBeyond(Object cell, long limit) {
    return cell instanceof Long tick && limit < Long.MAX_VALUE && (tick > limit || tick < -limit);
  }
}
