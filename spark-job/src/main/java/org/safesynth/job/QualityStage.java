package org.safesynth.job;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.safesynth.codec.Acceptance;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.evaluate.CodedColumn;
import org.safesynth.evaluate.QualitySummary;
import org.safesynth.schema.FrozenSchema;

/** Compares the synthetic table with the encoded real one, as a quick look at the end of a run. */
final class QualityStage {
  private QualityStage() {}

  /**
   * The summary; empty when no column can be compared, as with free texts only.
   *
   * @param synthetic the written table
   * @param cells reads its rows' canonical cells
   */
  static Optional<QualitySummary> run(
      RunContext context,
      FrozenSchema schema,
      FieldCodec codec,
      Dataset<Row> synthetic,
      MapFunction<Row, Object[]> cells) {
    return compare(
        context,
        schema,
        codec,
        examples(context),
        positions -> synthetic.javaRDD().map(row -> codes(cells.call(row), codec, positions)));
  }

  /** The summary where the examples are text: the real rows are read from the table again. */
  static Optional<QualitySummary> ofTable(
      RunContext context,
      FrozenSchema schema,
      FieldCodec codec,
      Dataset<Row> real,
      Dataset<Row> synthetic,
      MapFunction<Row, Object[]> cells) {
    MapFunction<Row, Object[]> realCells = SchemaStage.cells(schema, real.schema());
    return compare(
        context,
        schema,
        codec,
        positions -> real.javaRDD().map(row -> codes(realCells.call(row), codec, positions)),
        positions -> synthetic.javaRDD().map(row -> codes(cells.call(row), codec, positions)));
  }

  /**
   * The summary of a table of groups: its columns, and the steps between rows and the groups' ends.
   */
  static Optional<QualitySummary> ofGroups(
      RunContext context,
      FrozenSchema schema,
      GroupCodec codec,
      Dataset<Row> synthetic,
      MapFunction<Row, Object[]> cells) {
    if (context.config().isSingleSeries()) {
      return ofSingle(context, schema, codec, synthetic, cells);
    }
    return ofGroups(
        context,
        schema,
        codec,
        GroupedRows.of(
            synthetic,
            cells,
            codec.layout().groupColumn(),
            codec.layout().orderColumn(),
            new SeriesTimes(context.config().timeSeries())
                .rolling(schema, codec.layout().orderColumn()),
            new RecordIdentity(context.seed()),
            GroupStages.partitions(context)));
  }

  /** The summary of one series, cut into segments as the real one is. */
  private static Optional<QualitySummary> ofSingle(
      RunContext context,
      FrozenSchema schema,
      GroupCodec codec,
      Dataset<Row> synthetic,
      MapFunction<Row, Object[]> cells) {
    int order = codec.layout().orderColumn();
    return ofGroups(
        context,
        SingleSeries.withSegments(schema),
        codec,
        GroupedRows.of(
            synthetic,
            SingleSeries.cells(synthetic, cells, schema.columns().get(order), order, Set.of()),
            codec.layout().groupColumn(),
            order,
            new RecordIdentity(context.seed()),
            GroupStages.partitions(context)));
  }

  /** The summary of two related tables, joined. */
  static Optional<QualitySummary> ofRelated(
      RunContext context, FrozenSchema child, GroupCodec codec) {
    RelatedTables tables = RelatedTables.ofRun(context, child);
    return ofGroups(
        context, tables.joined(), codec, RelatedEvaluation.written(context, tables).members());
  }

  private static Optional<QualitySummary> ofGroups(
      RunContext context,
      FrozenSchema schema,
      GroupCodec codec,
      JavaRDD<GroupedRows.Member> members) {
    return compare(
        context,
        codec.layout().derived(schema),
        codec.fields(),
        examples(context),
        positions -> members.map(member -> codes(GroupEncoding.bytes(codec, member), positions)));
  }

  private static Optional<QualitySummary> compare(
      RunContext context,
      FrozenSchema schema,
      FieldCodec codec,
      Function<int[], JavaRDD<int[]>> realCodes,
      Function<int[], JavaRDD<int[]>> synthetic) {
    List<CodedColumn> columns = new ArrayList<>();
    List<Integer> kept = new ArrayList<>();
    int[] comparable = codec.comparablePositions();
    for (int column = 0; column < comparable.length; column++) {
      if (comparable[column] >= 0) {
        kept.add(comparable[column]);
        columns.add(
            new CodedColumn(
                schema.columns().get(column).name(), codec.vocabularySize(comparable[column]) + 1));
      }
    }
    if (columns.isEmpty()) {
      return Optional.empty();
    }
    int[] positions = kept.stream().mapToInt(Integer::intValue).toArray();
    JavaRDD<int[]> real = realCodes.apply(positions);
    QualitySummary summary = QualitySummary.of(columns, real, synthetic.apply(positions));
    tell(context.console(), summary);
    return Optional.of(summary);
  }

  /** The real rows as the embedded model's examples hold them. */
  private static Function<int[], JavaRDD<int[]>> examples(RunContext context) {
    return positions ->
        context
            .spark()
            .read()
            .parquet(context.folder().examples().toString())
            .select("tokens")
            .javaRDD()
            .map(row -> codes(row.<byte[]>getAs(0), positions));
  }

  private static int[] codes(byte[] tokens, int[] positions) {
    ByteBuffer record = ByteBuffer.wrap(tokens).order(ByteOrder.LITTLE_ENDIAN);
    int[] codes = new int[positions.length];
    for (int i = 0; i < codes.length; i++) {
      codes[i] = Short.toUnsignedInt(record.getShort(positions[i] * Short.BYTES));
    }
    return codes;
  }

  /** A value that the table never held, as a language model may write, gets one code more. */
  private static int[] codes(Object[] cells, FieldCodec codec, int[] positions) {
    int[] tokens = new int[codec.positions()];
    int[] codes = new int[positions.length];
    for (int i = 0; i < codes.length; i++) {
      int column = codec.columnOf(positions[i]);
      Object value = cells[column];
      if (value != null && codec.acceptance(column, value) == Acceptance.UNKNOWN) {
        codes[i] = codec.vocabularySize(positions[i]);
      } else {
        codec.encode(column, cells, tokens);
        codes[i] = tokens[positions[i]];
      }
    }
    return codes;
  }

  private static void tell(Console console, QualitySummary summary) {
    String weakest =
        summary.weakestColumns().stream()
            .map(column -> "'%s' %.3f".formatted(column.column(), column.similarity()))
            .collect(Collectors.joining(", "));
    console.progress(
        "quality",
        "likeness to the real table (1 is equal): columns %.3f, pairs of columns %.3f; least alike: %s"
            .formatted(summary.shapes(), summary.pairs(), weakest),
        Map.of("shapes", summary.shapes(), "pairs", summary.pairs()));
  }
}
