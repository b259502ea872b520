package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.generate.SeriesRules;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;

/**
 * The stages that teach a pretrained model a table of groups: the rows of each group, in order, are
 * one sequence of JSON lines, and several groups stand behind one prompt. A group that is longer
 * than the context is cut there and counted. Of a single series the segments stand where other
 * tables have groups.
 */
final class LanguageGroups {
  private static final int USUAL_GROUP_BYTES = 2_000;

  /** Rows of neighbouring segments of a single series that are read as one, at most. */
  private static final int RUN_ROWS = 2_000;

  private final RunContext context;
  private final Journal journal;
  private final GroupStages groups;
  private final SeriesTimes times;

  LanguageGroups(RunContext context, Journal journal) {
    this.context = context;
    this.journal = journal;
    this.groups = new GroupStages(context, journal);
    this.times = new SeriesTimes(context.config().timeSeries());
  }

  /**
   * The rows to learn.
   *
   * @param own what the table's columns are
   * @param cells read the group, or the segment of a single series
   * @param group column of the cells
   * @param order -1 for the source's
   */
  private record Columns(
      SchemaStage.Inferred own, MapFunction<Row, Object[]> cells, int group, int order) {}

  Pipeline.Learned train(TableSource table, LanguageBase base) {
    GroupColumns.requireNames(context.config(), table);
    SchemaStage.Inferred own =
        journal.stage("schema", () -> table.reading(() -> SchemaStage.run(context, table)));
    Columns columns = columns(table, own);
    JavaRDD<GroupedRows.Member> members =
        grouped(table, columns, columns.cells()).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      return train(table, base, columns, members);
    } finally {
      members.unpersist();
    }
  }

  /** Checks the columns, and cuts a single series into segments. */
  private Columns columns(TableSource table, SchemaStage.Inferred own) {
    SafeSynthesizerConfig config = context.config();
    String orderName = config.orderColumn();
    int order = orderName == null ? -1 : GroupStages.column(own.schema(), orderName);
    GroupColumns checks = new GroupColumns(config);
    if (config.isSingleSeries()) {
      checks.checkOrder(table, own, order, "the series");
      SchemaStage.Inferred cut =
          journal.stage(
              "segments", () -> table.reading(() -> SingleSeries.cut(context, table, own, order)));
      return new Columns(own, cut.cells(), own.schema().columns().size(), order);
    }
    int group = GroupStages.column(own.schema(), config.data().groupTrainingExamplesBy());
    checks.check(table, own, group, order);
    return new Columns(own, own.cells(), group, order);
  }

  private JavaRDD<GroupedRows.Member> grouped(
      TableSource table, Columns columns, MapFunction<Row, Object[]> cells) {
    return GroupedRows.of(
        table.rows(),
        cells,
        columns.group(),
        columns.order(),
        times.rolling(columns.own().schema(), columns.order()),
        groups.identity(),
        GroupStages.partitions(context));
  }

  private Pipeline.Learned train(
      TableSource table, LanguageBase base, Columns columns, JavaRDD<GroupedRows.Member> members) {
    SchemaStage.Inferred own = columns.own();
    boolean isSingle = context.config().isSingleSeries();
    int width = Math.max(own.schema().columns().size(), columns.group() + 1);
    GroupedRows.Facts facts =
        journal.stage("groups", () -> table.reading(() -> GroupedRows.facts(members, width)));
    if (isSingle) {
      groups.tellSingle(own.profile().columns().get(columns.order()), facts);
    } else {
      groups.tell(own, facts, columns.group(), null);
    }
    CodecStage.Fitted fitted =
        journal.stage("codec", () -> CodecStage.fit(context, own.schema(), own.profile()));
    journal.protection(fitted.protection());
    Grouping.Series series =
        times.isAsked() ? series(own, members, facts, fitted.codec(), columns.order()) : null;
    WholeGroups.Cut[] cuts = cuts(members, facts);
    long[] runs = isSingle ? runs(facts, cuts) : new long[0];
    JavaRDD<GroupedRows.Member> units =
        isSingle
            ? grouped(table, columns, SingleSeries.inRuns(context, columns.cells(), runs))
            : members;
    ExamplesManifest examples =
        journal.stage("encode", () -> encode(table, own, units, facts, runs, base));
    Longest longest = longest();
    warn(longest);
    LanguageTraining.Lesson lesson =
        new LanguageTraining.Lesson(
            own,
            fitted.codec(),
            base,
            examples,
            split(facts, cuts, examples.records()),
            longest.record(),
            longest.tokens(),
            grouping(own, facts, longest, examples.records(), series));
    new LanguageTraining(context, journal).learn(lesson);
    return LanguageTraining.learned(table, own, Split.of(own.profile().rows(), context.config()));
  }

  /** The times of the table's series; a span that cannot be is refused here. */
  private Grouping.Series series(
      SchemaStage.Inferred own,
      JavaRDD<GroupedRows.Member> members,
      GroupedRows.Facts facts,
      FieldCodec codec,
      int order) {
    ColumnSchema column = own.schema().columns().get(order);
    List<ColumnProfile> found = groups.times(members, order, null);
    double meanStep = GroupStages.meanStep(found.get(1));
    SeriesSpan span = times.span(column, found.get(0), found.get(1), facts.commonEnd());
    int threshold = CodecStage.protection(context).threshold(column.name());
    if (column.timeOfDay() != null) {
      long last = groups.lastOfDays(members, order, threshold);
      times.asked(column, span, last);
      SeriesRules.Clock clock =
          times.clock(column.timeOfDay(), found.get(0), found.get(1), threshold);
      return new Grouping.Series(span, clock.first(), last, meanStep, clock);
    }
    long last = codec.range(order)[1];
    if (context.config().isSingleSeries()) {
      span = times.ofSingle(column, own.profile().columns().get(order), span, threshold);
      SeriesTimes.requireWritable(times.asked(column, span, last), meanStep);
    } else {
      times.asked(column, span, last);
    }
    return new Grouping.Series(span, codec.range(order)[0], last, meanStep, null);
  }

  /** Neighbouring segments of one part of the split, as many as are read as one group. */
  private long[] runs(GroupedRows.Facts facts, WholeGroups.Cut[] cuts) {
    RecordIdentity.Hasher hasher = groups.identity().hasher();
    int[] parts = new int[Math.toIntExact(facts.groups())];
    for (int segment = 0; segment < parts.length; segment++) {
      RecordIdentity.Hash hash = hasher.ofCells(new Object[] {(long) segment});
      for (WholeGroups.Cut cut : cuts) {
        parts[segment] += cut.holds(hash) ? 1 : 0;
      }
    }
    return SingleSeries.runs(parts, Math.max(1, RUN_ROWS / facts.mostRows()));
  }

  private Grouping grouping(
      SchemaStage.Inferred own,
      GroupedRows.Facts facts,
      Longest longest,
      long units,
      Grouping.Series series) {
    String group = context.config().data().groupTrainingExamplesBy();
    boolean isSingle = context.config().isSingleSeries();
    List<String> constant = new ArrayList<>();
    boolean[] isConstant = facts.constant();
    // What happens to be constant in segments may well change between two of them.
    for (int c = 0; !isSingle && c < isConstant.length; c++) {
      String name = own.schema().columns().get(c).name();
      if (isConstant[c] && !name.equals(group)) {
        constant.add(name);
      }
    }
    return new Grouping(
        group,
        context.config().orderColumn(),
        constant,
        facts.groups(),
        facts.rows(),
        series == null ? longest.rows() : facts.mostRows(),
        units,
        series);
  }

  /**
   * @param runs (segments) of a single series
   */
  private ExamplesManifest encode(
      TableSource table,
      SchemaStage.Inferred own,
      JavaRDD<GroupedRows.Member> members,
      GroupedRows.Facts facts,
      long[] runs,
      LanguageBase base) {
    SafeSynthesizerConfig config = context.config();
    Path folder = context.folder().examples();
    String fingerprint =
        LanguageTraining.encoding(
            context,
            table,
            facts.rows(),
            base,
            own.schema(),
            "%s of %s by %s"
                    .formatted(
                        times.isAsked() ? "series" : "groups",
                        config.data().groupTrainingExamplesBy(),
                        config.orderColumn())
                + (runs.length == 0 ? "" : Arrays.toString(runs)));
    Optional<ExamplesManifest> earlier =
        EncodeStage.manifest(context.hadoop(), folder)
            .filter(m -> m.fingerprint().equals(fingerprint));
    if (earlier.isPresent()) {
      return earlier.get();
    }
    new TextFiles(context.hadoop()).delete(folder);
    LanguageEncoder encoder =
        new LanguageEncoder(
            new SerializableConfiguration(context.hadoop()), base, own.schema(), factor(config));
    boolean isSeries = times.isAsked();
    GroupTokens.Kind kind =
        config.isSingleSeries()
            ? GroupTokens.Kind.PARTS_OF_A_SERIES
            : isSeries ? GroupTokens.Kind.SERIES : GroupTokens.Kind.GROUPS;
    int[] shardKeys =
        EncodeStage.shardKeys(
            context.spark(), EncodeStage.shards(facts.groups(), USUAL_GROUP_BYTES / Short.BYTES));
    Dataset<Row> encoded =
        context
            .spark()
            .createDataFrame(
                members.mapPartitions(part -> new GroupTokens(part, encoder, kind, shardKeys)),
                GroupTokens.TYPE);
    EncodeStage.write(
        encoded, GroupTokens.WRITTEN, shardKeys.length, folder, "id_high", "id_low", "index");
    ExamplesManifest manifest =
        EncodeStage.describe(
            context.hadoop(), folder, fingerprint, 0, isSeries ? -1 : facts.groups());
    new TextFiles(context.hadoop())
        .write(new Path(folder, ExamplesManifest.NAME), Json.file(manifest));
    return manifest;
  }

  /** The windows of a single series are short, and no reason to stretch the context for. */
  private static Integer factor(SafeSynthesizerConfig config) {
    Integer wanted = config.training().ropeScalingFactor().value();
    return wanted == null && config.isSingleSeries() ? Integer.valueOf(1) : wanted;
  }

  /**
   * What is longest, and what was cut.
   *
   * @param record tokens
   * @param tokens of a group
   * @param rows of a group
   * @param cut groups that were cut
   */
  private record Longest(int record, int tokens, int rows, long cut) {}

  private Longest longest() {
    Row most =
        context
            .spark()
            .read()
            .parquet(context.folder().examples().toString())
            .agg(
                max("longest"),
                max(length(col("tokens"))),
                max("rows"),
                sum(col("isCut").cast("long")))
            .first();
    int header = times.isAsked() ? GroupTokens.HEADER : 0;
    return new Longest(
        most.getInt(0), most.getInt(1) / Integer.BYTES - header, most.getInt(2), most.getLong(3));
  }

  private void warn(Longest longest) {
    if (longest.cut() > 0) {
      context
          .console()
          .warn(
              "%,d groups are longer than the model's context: their first rows are learned, up to %,d"
                  .formatted(longest.cut(), longest.rows()));
    }
    journal.count("cut_groups", longest.cut());
  }

  /** Whole groups for the holdout and the validation. */
  private WholeGroups.Cut[] cuts(JavaRDD<GroupedRows.Member> members, GroupedRows.Facts facts) {
    Split rows = Split.of(facts.rows(), context.config());
    StructType type =
        new StructType()
            .add("id_high", DataTypes.LongType, false)
            .add("id_low", DataTypes.LongType, false);
    Dataset<Row> identified =
        context
            .spark()
            .createDataFrame(
                members.map(
                    member ->
                        RowFactory.create(
                            NumberedCopies.signed(member.high()),
                            NumberedCopies.signed(member.low()))),
                type);
    return WholeGroups.of(identified, facts.rows() - 1, rows.holdout(), rows.validation());
  }

  /**
   * The same, counted in what they are encoded to.
   *
   * @param units examples of all groups
   */
  private Split split(GroupedRows.Facts facts, WholeGroups.Cut[] cuts, long units) {
    Split rows = Split.of(facts.rows(), context.config());
    long learned = facts.rows() - cuts[0].rows() - cuts[1].rows();
    context
        .console()
        .progress(
            "read",
            "%,d rows: %,d to learn, %,d to validate, %,d held out, in whole groups"
                .formatted(facts.rows(), learned, cuts[1].rows(), cuts[0].rows()),
            Map.of("rows", facts.rows()));
    rows.notes().forEach(context.console()::warn);
    journal.count("training", learned);
    journal.count("validation", cuts[1].rows());
    journal.count("holdout", cuts[0].rows());
    long heldOut = unitsUpTo(cuts[0]);
    long validation = cuts[1].rows() == 0 ? 0 : unitsUpTo(cuts[1]) - heldOut;
    return new Split(units, heldOut, validation, rows.notes());
  }

  private long unitsUpTo(WholeGroups.Cut cut) {
    if (cut.rows() == 0) {
      return 0;
    }
    return context
        .spark()
        .read()
        .parquet(context.folder().examples().toString())
        .where(
            col("id_high")
                .lt(cut.high())
                .or(col("id_high").equalTo(cut.high()).and(col("id_low").leq(cut.low()))))
        .count();
  }
}
