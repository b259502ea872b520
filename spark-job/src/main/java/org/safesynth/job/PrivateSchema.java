package org.safesynth.job;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Row;
import org.safesynth.codec.DomainCodec;
import org.safesynth.config.DataConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.InferenceOptions;
import org.safesynth.schema.PublicDomain;
import org.safesynth.schema.SchemaInference;

/**
 * Agrees on a table's columns for private training: kinds, values and ranges are declared in a
 * schema file, or called public by the user. Otherwise nothing starts.
 */
final class PrivateSchema {
  private static final Set<String> WHOLE_NUMBERS = Set.of("bigint", "int", "smallint", "tinyint");

  private PrivateSchema() {}

  /**
   * The table as agreed.
   *
   * @param cells reads a row's canonical cells and never fails on one: what does not fit is missing
   * @param knownBy by column, how its domain became known
   * @param open numbers of the columns whose domain must be bought, each with whether its kind is
   *     known
   */
  record Agreed(
      FrozenSchema schema,
      MapFunction<Row, Object[]> cells,
      Map<String, String> knownBy,
      SortedMap<Integer, Boolean> open) {}

  /** What is known without having paid: declared, public, or open if it shall be bought. */
  static Agreed run(RunContext context, TableSource table) {
    Set<String> missing = SchemaStage.missing(context.config().data(), table);
    Map<String, DeclaredColumn> declared = new HashMap<>(SchemaStage.declared(context, table));
    new SeriesTimes(context.config().timeSeries()).declare(declared);
    String group = context.config().data().groupTrainingExamplesBy();
    FrozenSchema schema = withKey(PublicDomain.declared(table.rows().schema(), declared), group);
    Map<String, String> knownBy = new LinkedHashMap<>();
    schema.columns().forEach(column -> knownBy.put(column.name(), "declared"));
    if (group != null) {
      knownBy.put(group, "fresh keys");
    }
    List<ColumnSchema> open = open(schema, declared, table.isUntyped(), group);
    if (!open.isEmpty() && context.config().privacy().assumePublicDomain()) {
      InferenceOptions options =
          new InferenceOptions(
              table.isUntyped(),
              missing,
              new SeededStreams(context.seed()).key(SeededStreams.Purpose.SKETCH),
              declared,
              context.config().orderColumn(),
              context.config().replacePii() != null);
      schema =
          withKey(
              PublicDomain.found(table.reading(() -> SchemaInference.infer(table.rows(), options))),
              group);
      open.forEach(column -> knownBy.put(column.name(), "assumed public"));
      open = open(schema, declared, false, group);
    }
    if (!open.isEmpty() && !(context.config().privacy().domainEpsilonShare().orElse(0.0) > 0)) {
      throw refusal(open);
    }
    GenerationWishes.requireConditions(context, schema);
    FreshKeys.requireBeforeTraining(context, schema);
    SortedMap<Integer, Boolean> toBuy = new TreeMap<>();
    for (ColumnSchema column : open) {
      knownBy.put(column.name(), "bought");
      toBuy.put(schema.columns().indexOf(column), hasKind(column, declared, table.isUntyped()));
    }
    return new Agreed(schema, new Cells(schema, missing), knownBy, toBuy);
  }

  /** The same table with a schema that has every column's domain. */
  static Agreed bought(RunContext context, TableSource table, Agreed agreed, FrozenSchema schema) {
    MapFunction<Row, Object[]> cells = cells(context.config().data(), table, schema);
    return new Agreed(schema, cells, agreed.knownBy(), new TreeMap<>());
  }

  /**
   * The key of groups names them and means nothing else: fresh ones are written, so that its domain
   * is not needed. Numbers stay numbers; what the values look like is not looked up.
   */
  private static FrozenSchema withKey(FrozenSchema schema, String group) {
    List<ColumnSchema> columns = new ArrayList<>(schema.columns());
    columns.replaceAll(column -> column.name().equals(group) ? key(column) : column);
    return new FrozenSchema(columns);
  }

  private static ColumnSchema key(ColumnSchema column) {
    boolean isWhole = WHOLE_NUMBERS.contains(column.type());
    return new ColumnSchema(
        column.name(),
        isWhole ? column.type() : "string",
        ColumnKind.IDENTIFIER,
        false,
        0,
        0,
        null,
        null,
        isWhole ? column.max() : null,
        null,
        Math.max(1, column.maxLength()),
        column.missingTokens());
  }

  /** Reads the canonical cells of a table as the run did that agreed on the schema. */
  static MapFunction<Row, Object[]> cells(DataConfig data, TableSource table, FrozenSchema schema) {
    SchemaStage.requireColumns(table, schema);
    return new Cells(schema, SchemaStage.missing(data, table));
  }

  /** Columns whose domain is not known; in an untyped table also those without a declared kind. */
  private static List<ColumnSchema> open(
      FrozenSchema schema, Map<String, DeclaredColumn> declared, boolean isUntyped, String group) {
    return schema.columns().stream()
        .filter(column -> !column.name().equals(group))
        .filter(column -> !hasKind(column, declared, isUntyped) || !DomainCodec.isDeclared(column))
        .toList();
  }

  private static boolean hasKind(
      ColumnSchema column, Map<String, DeclaredColumn> declared, boolean isUntyped) {
    DeclaredColumn of = declared.get(column.name());
    return !isUntyped || (of != null && of.kind() != null);
  }

  private static BadInputException refusal(List<ColumnSchema> open) {
    ColumnSchema first = open.get(0);
    return new BadInputException(
        ("privacy.dp_enabled needs a domain that does not come from the private rows, and %d columns have none (first: '%s', which lacks its kind or its %s);"
                + " declare them in data.schema_file, set privacy.domain_epsilon_share (such as 0.1) to buy them, or privacy.assume_public_domain: true if values and ranges as found in the data are public knowledge")
            .formatted(open.size(), first.name(), DomainCodec.needs(first)));
  }

  /**
   * Reads rows; a cell that does not fit its column's kind is missing: no row ends a private run.
   */
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
        cells[c] = read(readers.get(c), row.get(c));
      }
      return cells;
    }

    private static Object read(CellReader reader, Object cell) {
      try {
        return reader.read(cell);
      } catch (CellReader.UnfitCellException e) {
        return null;
      }
    }
  }
}
