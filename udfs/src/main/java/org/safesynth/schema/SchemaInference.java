package org.safesynth.schema;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.safesynth.fault.BadInputException;
import scala.Tuple2;

/**
 * Finds out what a table's columns are in at most two passes of Spark aggregates: the first learns
 * types and small samples, the second counts the values of columns of numbers and of many texts.
 * The driver gets sketches of bounded size, never rows; the result is the same for any
 * partitioning.
 */
public final class SchemaInference {
  private static final int SAMPLED_TEXTS = 2_048;
  private static final int SAMPLED_TICKS = 65_536;
  private static final int ALL_SAMPLED_TICKS = 4_000_000;
  private static final int ALL_SAMPLED_TEXTS = 400_000;
  private static final int SAMPLED_FREE_TEXTS = 16_384;
  private static final int LEAST_SAMPLE = 512;
  private static final int MOST_COLUMNS = 500;
  private static final int MERGE_DEPTH = 3;

  private final Dataset<Row> table;
  private final InferenceOptions options;
  private final StructField[] fields;

  private SchemaInference(Dataset<Row> table, InferenceOptions options) {
    this.table = table;
    this.options = options;
    this.fields = table.schema().fields();
  }

  /**
   * Infers a table's schema and counts what its encoding needs.
   *
   * @throws BadInputException when the table cannot be learned: no rows, nested columns, duplicate
   *     names, values that do not fit what was declared
   */
  public static InferredTable infer(Dataset<Row> table, InferenceOptions options) {
    checkColumns(table.schema());
    return new SchemaInference(table, options).run();
  }

  static void checkColumns(StructType schema) {
    if (schema.isEmpty()) {
      throw new BadInputException("the table has no columns: check the data source");
    }
    if (schema.size() > MOST_COLUMNS) {
      throw new BadInputException(
          "the table has %,d columns and at most %d can be learned: select the ones that matter"
              .formatted(schema.size(), MOST_COLUMNS));
    }
    Set<String> seen = new HashSet<>();
    Set<String> twice = new TreeSet<>();
    List<String> nested = new ArrayList<>();
    for (StructField field : schema.fields()) {
      if (!seen.add(field.name())) {
        twice.add("'" + field.name() + "'");
      }
      if (CellType.of(field.dataType()) == CellType.UNSUPPORTED) {
        nested.add("'" + field.name() + "' (" + field.dataType().simpleString() + ")");
      }
    }
    if (!twice.isEmpty()) {
      throw new BadInputException(
          "the table has several columns of the name "
              + String.join(", ", twice)
              + ": rename or drop all but one");
    }
    if (!nested.isEmpty()) {
      throw new BadInputException(
          "columns that are not single values cannot be learned: "
              + String.join(", ", nested)
              + "; flatten them into columns of their own or drop them");
    }
  }

  private InferredTable run() {
    TypeSketch[] types = firstPass();
    long rows = types[0].rows;
    if (rows == 0) {
      throw new BadInputException("the table has no rows: there is nothing to learn from");
    }
    List<ColumnSchema> columns = new ArrayList<>();
    for (int c = 0; c < fields.length; c++) {
      DataType type = fields[c].dataType();
      ColumnSchema inferred =
          KindRule.infer(fields[c].name(), type, types[c], options.untypedText());
      DeclaredColumn declared = options.declared().get(fields[c].name());
      columns.add(declared == null ? inferred : SchemaFile.apply(declared, inferred, types[c]));
    }
    ValueSketch[] values = secondPass(columns, types);
    List<ColumnSchema> refined = new ArrayList<>();
    List<ColumnProfile> profiles = new ArrayList<>();
    for (int c = 0; c < fields.length; c++) {
      ColumnSchema column = columns.get(c);
      boolean isDeclared = options.declared().containsKey(column.name());
      ColumnProfile profile;
      if (values[c] == null) {
        profile = ValueSketch.textProfile(types[c].texts, rows, types[c].missing);
      } else {
        checkFit(c, column, values[c], rows);
        profile = values[c].profile(rows, holdsTicks(column));
        column = column.withMissing(column.missing() || values[c].missing > 0);
        if (column.kind() == ColumnKind.TEXT || column.kind() == ColumnKind.IDENTIFIER) {
          column = column.withMaxLength(Math.max(column.maxLength(), values[c].maxLength));
        }
      }
      boolean mayBeKey = !isDeclared && !column.name().equals(options.order());
      if (mayBeKey && KindRule.isNumericIdentifier(column, profile)) {
        column = column.withKind(ColumnKind.IDENTIFIER);
      }
      refined.add(column);
      profiles.add(profile);
    }
    return new InferredTable(new FrozenSchema(refined), new TableProfile(rows, profiles));
  }

  static boolean holdsTicks(ColumnSchema column) {
    return column.kind().isNumeric() || column.isNumericIdentifier();
  }

  private TypeSketch[] firstPass() {
    CellType[] cells =
        Arrays.stream(fields).map(f -> CellType.of(f.dataType())).toArray(CellType[]::new);
    int sample = Math.max(LEAST_SAMPLE, Math.min(SAMPLED_TEXTS, ALL_SAMPLED_TEXTS / cells.length));
    boolean untyped = options.untypedText();
    Set<String> missing = options.missingValues();
    List<Set<String>> missingOf =
        Arrays.stream(fields).map(f -> missingValues(f.name(), missing)).toList();
    long key = options.key();
    List<String> formats = // null for what is not declared; List.of takes none
        Arrays.asList(Arrays.stream(fields).map(f -> format(f.name())).toArray(String[]::new));
    return aggregate(
        rows -> {
          TypeSketch[] sketches = new TypeSketch[cells.length];
          for (int c = 0; c < cells.length; c++) {
            sketches[c] =
                new TypeSketch(untyped, missingOf.get(c), sample, key).reading(formats.get(c));
          }
          while (rows.hasNext()) {
            Row row = rows.next();
            for (int c = 0; c < cells.length; c++) {
              sketches[c].add(row.get(c), cells[c]);
            }
          }
          for (TypeSketch sketch : sketches) {
            sketch.seal();
          }
          return List.<TypeSketch[]>of(sketches).iterator();
        },
        SchemaInference::mergeTypes);
  }

  private String format(String name) {
    DeclaredColumn declared = options.declared().get(name);
    return declared == null ? null : declared.format();
  }

  private Set<String> missingValues(String name, Set<String> missing) {
    DeclaredColumn declared = options.declared().get(name);
    return declared == null || declared.missingValues() == null
        ? missing
        : Set.copyOf(declared.missingValues());
  }

  private static TypeSketch[] mergeTypes(TypeSketch[] a, TypeSketch[] b) {
    for (int c = 0; c < a.length; c++) {
      a[c] = a[c].merge(b[c]);
    }
    return a;
  }

  /** Counts values of the columns that need it; others are null. */
  private ValueSketch[] secondPass(List<ColumnSchema> columns, TypeSketch[] types) {
    boolean[] needed = new boolean[fields.length];
    int numeric = 0;
    int texts = 0;
    for (int c = 0; c < fields.length; c++) {
      ColumnSchema column = columns.get(c);
      boolean ticks = holdsTicks(column);
      needed[c] =
          ticks || !types[c].texts.complete() || options.declared().containsKey(column.name());
      numeric += ticks ? 1 : 0;
      texts += !ticks && needed[c] ? 1 : 0;
    }
    if (numeric + texts == 0) {
      return new ValueSketch[fields.length];
    }
    int ticksEach =
        Math.max(LEAST_SAMPLE, Math.min(SAMPLED_TICKS, ALL_SAMPLED_TICKS / Math.max(1, numeric)));
    int textsEach =
        Math.max(
            LEAST_SAMPLE,
            Math.min(KindRule.MOST_CATEGORIES, ALL_SAMPLED_TEXTS / Math.max(1, texts)));
    long key = options.key();
    Set<String> missing = options.missingValues();
    long[][] candidates = new long[fields.length][];
    int[] sampledTexts = new int[fields.length];
    for (int c = 0; c < fields.length; c++) {
      candidates[c] = needed[c] ? types[c].heavyTicks(columns.get(c)) : new long[0];
      boolean category = columns.get(c).kind() == ColumnKind.CATEGORICAL;
      sampledTexts[c] = category ? textsEach : Math.min(textsEach, SAMPLED_FREE_TEXTS);
    }
    List<ColumnSchema> schema = List.copyOf(columns);
    return aggregate(
        rows -> {
          ValueSketch[] sketches = new ValueSketch[needed.length];
          CellReader[] readers = new CellReader[needed.length];
          for (int c = 0; c < needed.length; c++) {
            if (needed[c]) {
              sketches[c] = new ValueSketch(key, candidates[c], ticksEach, sampledTexts[c]);
              readers[c] = CellReader.of(schema.get(c), missing);
            }
          }
          while (rows.hasNext()) {
            Row row = rows.next();
            for (int c = 0; c < needed.length; c++) {
              if (needed[c]) {
                count(readers[c], schema.get(c), row.get(c), sketches[c]);
              }
            }
          }
          for (ValueSketch sketch : sketches) {
            if (sketch != null) {
              sketch.seal();
            }
          }
          return List.<ValueSketch[]>of(sketches).iterator();
        },
        SchemaInference::mergeValues);
  }

  private static void count(
      CellReader reader, ColumnSchema column, Object cell, ValueSketch sketch) {
    try {
      Object value = reader.read(cell);
      if (value != null && !column.allows(value)) {
        sketch.addUnfit(cell.toString());
      } else {
        sketch.add(value);
      }
    } catch (CellReader.UnfitCellException e) {
      sketch.addUnfit(e.text());
    }
  }

  private static ValueSketch[] mergeValues(ValueSketch[] a, ValueSketch[] b) {
    for (int c = 0; c < a.length; c++) {
      a[c] = a[c] == null ? null : a[c].merge(b[c]);
    }
    return a;
  }

  private interface Counting<T> extends java.io.Serializable {
    Iterator<T> count(Iterator<Row> rows);
  }

  private interface Merging<T> extends java.io.Serializable {
    T merge(T a, T b);
  }

  private <T> T aggregate(Counting<T> counting, Merging<T> merging) {
    JavaRDD<Row> rows = table.toJavaRDD();
    if (rows.getNumPartitions() == 0) {
      throw new BadInputException("the table has no rows: there is nothing to learn from");
    }
    return rows.mapPartitions(counting::count).treeReduce(merging::merge, MERGE_DEPTH);
  }

  private void checkFit(int c, ColumnSchema column, ValueSketch values, long rows) {
    if (values.unfit == 0) {
      return;
    }
    String kind = column.kind().name().toLowerCase(Locale.ROOT);
    String form = column.format() == null ? "" : " of the form " + column.format();
    String what =
        column.timeOfDay() != null
            ? "times of day" + form
            : column.kind().isNumeric() || column.kind() == ColumnKind.BOOLEAN
                ? "of kind " + kind + form + " within its range"
                : "among its declared values";
    throw new BadInputException(
        "column '%s': %,d of %,d values are not %s (first: %s); %s, or list the text under data.missing_values"
            .formatted(
                column.name(),
                values.unfit,
                rows - values.missing,
                what,
                firstUnfit(c, column, values.firstUnfit),
                column.format() == null
                    ? "declare another kind or domain in data.schema_file"
                    : "mend them, or correct the form or range that is declared"));
  }

  /** The row and the value of the first cell that does not fit, by one more pass. */
  private String firstUnfit(int c, ColumnSchema column, String otherwise) {
    Set<String> missing = options.missingValues();
    boolean isHidden = options.hidesValues();
    List<String> first =
        table
            .toJavaRDD()
            .zipWithIndex()
            .mapPartitions(
                rows -> firstUnfit(rows, c, CellReader.of(column, missing), column, isHidden))
            .take(1);
    return first.isEmpty() ? Shown.of(otherwise, isHidden) : first.get(0);
  }

  private static Iterator<String> firstUnfit(
      Iterator<Tuple2<Row, Long>> rows,
      int c,
      CellReader reader,
      ColumnSchema column,
      boolean isHidden) {
    while (rows.hasNext()) {
      Tuple2<Row, Long> row = rows.next();
      ValueSketch one = new ValueSketch(0, new long[0], 1, 1);
      count(reader, column, row._1().get(c), one);
      if (one.unfit > 0) {
        String shown = "row %,d, %s".formatted(row._2() + 1, Shown.of(one.firstUnfit, isHidden));
        return List.of(shown).iterator();
      }
    }
    return List.<String>of().iterator();
  }

  /** Readers of all columns, for the encode stage. */
  public static List<CellReader> readers(FrozenSchema schema, Set<String> missingValues) {
    return schema.columns().stream()
        .map(column -> CellReader.of(column, missingValues))
        .collect(Collectors.toList());
  }
}
