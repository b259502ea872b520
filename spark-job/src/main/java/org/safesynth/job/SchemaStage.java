package org.safesynth.job;

import static org.apache.spark.sql.functions.not;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.config.DataConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.InferenceOptions;
import org.safesynth.schema.InferredTable;
import org.safesynth.schema.SchemaFile;
import org.safesynth.schema.SchemaInference;
import org.safesynth.schema.TableProfile;

/** Finds out what the table's columns are and leaves it as {@code schema.json}. */
final class SchemaStage {
  private SchemaStage() {}

  /**
   * The table as agreed before training.
   *
   * @param cells reads a row's canonical cells
   */
  record Inferred(FrozenSchema schema, TableProfile profile, MapFunction<Row, Object[]> cells) {}

  static Inferred run(RunContext context, TableSource table) {
    Map<String, DeclaredColumn> declared = new HashMap<>(declared(context, table));
    String group = context.config().data().groupColumn();
    if (group != null) {
      declared.put(group, key(context, group, declared.get(group)));
    }
    new SeriesTimes(context.config().timeSeries())
        .declare(declared, () -> firstTime(context, table));
    InferredTable inferred = infer(context, table, declared);
    GenerationWishes.requireConditions(context, inferred.schema());
    FreshKeys.requireBeforeTraining(context, inferred.schema(), inferred.profile());
    context.folder().write(RunFolder.SCHEMA, SchemaFile.write(inferred.schema()));
    context.console().info("columns: " + kinds(inferred.schema()));
    return new Inferred(
        inferred.schema(),
        inferred.profile(),
        new Cells(inferred.schema(), missing(context.config().data(), table)));
  }

  /** The first time of a series, which tells whether it is one of day; null where it is no text. */
  private static String firstTime(RunContext context, TableSource table) {
    String name = context.config().timeSeries().timeColumn();
    Dataset<Row> times = table.rows().select(TableSource.column(name));
    if (!times.schema().fields()[0].dataType().equals(DataTypes.StringType)) {
      return null;
    }
    Object[] missing = missing(context.config().data(), table).toArray();
    Column time = TableSource.column(name);
    Column present = time.isNotNull().and(not(time.isin(missing)));
    List<Row> first = times.where(present).limit(1).collectAsList();
    return first.isEmpty() ? null : first.get(0).getString(0);
  }

  /**
   * The key of groups, whatever a file says of its values: written from what is declared of them,
   * keys would be real ones, and come up twice.
   */
  private static DeclaredColumn key(RunContext context, String name, DeclaredColumn declared) {
    if (declared == null) {
      return identifier(name);
    }
    if (declared.kind() != null && declared.kind() != ColumnKind.IDENTIFIER) {
      context
          .console()
          .info(
              "data.schema_file declares '%s' as %s; as the key of groups it is an identifier, and fresh ones are written"
                  .formatted(name, word(declared.kind())));
    }
    return new DeclaredColumn(
        name,
        ColumnKind.IDENTIFIER,
        null,
        declared.missing(),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        declared.missingValues());
  }

  /** The key of groups names them and means nothing else. */
  static DeclaredColumn identifier(String name) {
    return new DeclaredColumn(
        name, ColumnKind.IDENTIFIER, null, null, null, null, null, null, null, null, null, null);
  }

  /**
   * What a table's columns are.
   *
   * @param declared what is known of them, by name
   */
  static InferredTable infer(
      RunContext context, TableSource table, Map<String, DeclaredColumn> declared) {
    InferenceOptions options =
        new InferenceOptions(
            table.isUntyped(),
            missing(context.config().data(), table),
            new SeededStreams(context.seed()).key(SeededStreams.Purpose.SKETCH),
            declared,
            context.config().orderColumn(),
            context.config().replacePii() != null);
    return SchemaInference.infer(table.rows(), options);
  }

  /** What the schema file says of a table. */
  static Map<String, DeclaredColumn> declared(RunContext context, TableSource table) {
    return declared(context, table, "data.schema_file", context.config().data().schemaFile());
  }

  /**
   * What a schema file says of a table.
   *
   * @param parameter that names the file
   * @param file null for none
   */
  static Map<String, DeclaredColumn> declared(
      RunContext context, TableSource table, String parameter, String file) {
    if (file == null) {
      return Map.of();
    }
    String json =
        new TextFiles(context.hadoop())
            .read(new Path(file))
            .orElseThrow(() -> new BadInputException(parameter + ": " + file + " does not exist"));
    Map<String, DeclaredColumn> declared = SchemaFile.read(json, file);
    SchemaFile.checkNames(declared, List.of(table.rows().columns()), file);
    return declared;
  }

  static String kinds(FrozenSchema schema) {
    StringBuilder text = new StringBuilder();
    for (ColumnKind kind : ColumnKind.values()) {
      long count = schema.columns().stream().filter(column -> column.kind() == kind).count();
      if (count > 0) {
        text.append(text.isEmpty() ? "" : ", ").append(count).append(' ');
        text.append(word(kind));
      }
    }
    return text.toString();
  }

  static String word(ColumnKind kind) {
    return kind.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** Texts of a table that stand for a missing value. */
  static Set<String> missing(DataConfig data, TableSource table) {
    Set<String> missing = new HashSet<>(data.missingValues());
    if (table.isUntyped()) {
      missing.add("");
    }
    return missing;
  }

  /** Reads the canonical cells of the table that was learned, whose schema is known. */
  static MapFunction<Row, Object[]> cells(DataConfig data, TableSource table, FrozenSchema schema) {
    requireColumns(table, schema);
    return new Cells(schema, missing(data, table));
  }

  static void requireColumns(TableSource table, FrozenSchema schema) {
    List<String> names = schema.columns().stream().map(ColumnSchema::name).toList();
    if (!names.equals(Arrays.asList(table.rows().columns()))) {
      throw new BadInputException(
          "%s has other columns than the table that the run learned".formatted(table.name()));
    }
  }

  /** Reads the canonical cells of a table with this schema, such as the synthetic one. */
  static MapFunction<Row, Object[]> cells(FrozenSchema schema, StructType type) {
    List<String> names = schema.columns().stream().map(ColumnSchema::name).toList();
    if (!names.equals(Arrays.asList(type.fieldNames()))) {
      throw new RunFailedException("the synthetic table has other columns than its schema");
    }
    return new Cells(schema, Set.of());
  }

  /** The schema that an earlier command left in the run folder. */
  static FrozenSchema read(RunFolder folder) {
    return read(folder, RunFolder.SCHEMA);
  }

  /** The schema of the table, or of its parent, that an earlier command left. */
  static FrozenSchema read(RunFolder folder, String name) {
    String json =
        folder
            .read(name)
            .orElseThrow(() -> new RunFailedException("the run has no " + name + "; train again"));
    return SchemaFile.readSchema(json, new Path(folder.path(), name).toString());
  }

  /** Reads rows; its readers are made anew in each task, since they hold parsers. */
  private static final class Cells implements MapFunction<Row, Object[]> {
    private final FrozenSchema schema;
    private final Set<String> missing;
    private transient List<CellReader> readers;

    Cells(FrozenSchema schema, Set<String> missing) {
      this.schema = schema;
      this.missing = Set.copyOf(missing);
    }

    @Override
    public Object[] call(Row row) {
      if (readers == null) {
        readers = SchemaInference.readers(schema, missing);
      }
      Object[] cells = new Object[readers.size()];
      for (int c = 0; c < cells.length; c++) {
        cells[c] = readers.get(c).read(row.get(c));
      }
      return cells;
    }
  }
}
