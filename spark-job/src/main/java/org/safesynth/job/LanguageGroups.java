package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sum;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
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
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;

/**
 * The stages that teach a pretrained model a table of groups: the rows of each group, in order, are
 * one sequence of JSON lines, and several groups stand behind one prompt. A group that is longer
 * than the context is cut there and counted.
 */
final class LanguageGroups {
  private static final int USUAL_GROUP_BYTES = 2_000;

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

  Pipeline.Learned train(TableSource table, LanguageBase base) {
    GroupColumns.requireNames(context.config(), table);
    SchemaStage.Inferred inferred =
        journal.stage("schema", () -> table.reading(() -> SchemaStage.run(context, table)));
    SafeSynthesizerConfig config = context.config();
    String orderName = config.orderColumn();
    int group = GroupStages.column(inferred.schema(), config.data().groupTrainingExamplesBy());
    int order = orderName == null ? -1 : GroupStages.column(inferred.schema(), orderName);
    new GroupColumns(config).check(inferred, group, order);
    JavaRDD<GroupedRows.Member> members =
        GroupedRows.of(
                table.rows(),
                inferred.cells(),
                group,
                order,
                groups.identity(),
                GroupStages.partitions(context))
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      int columns = inferred.schema().columns().size();
      GroupedRows.Facts facts =
          journal.stage("groups", () -> table.reading(() -> GroupedRows.facts(members, columns)));
      groups.tell(inferred, facts, group, null);
      CodecStage.Fitted fitted =
          journal.stage(
              "codec", () -> CodecStage.fit(context, inferred.schema(), inferred.profile()));
      journal.protection(fitted.protection());
      Grouping.Series series =
          times.isAsked() ? series(inferred, members, facts, fitted.codec(), order) : null;
      ExamplesManifest examples =
          journal.stage("encode", () -> encode(table, inferred, members, facts, base));
      Longest longest = longest();
      warn(longest);
      Grouping grouping = grouping(inferred, facts, longest, examples.records(), series);
      LanguageTraining.Lesson lesson =
          new LanguageTraining.Lesson(
              inferred,
              fitted.codec(),
              base,
              examples,
              split(members, facts, examples.records()),
              longest.record(),
              longest.tokens(),
              grouping);
      new LanguageTraining(context, journal).learn(lesson);
      Split ofTable = Split.of(inferred.profile().rows(), config);
      return LanguageTraining.learned(table, inferred, ofTable);
    } finally {
      members.unpersist();
    }
  }

  /** The times of the table's series; a span that cannot be is refused here. */
  private Grouping.Series series(
      SchemaStage.Inferred inferred,
      JavaRDD<GroupedRows.Member> members,
      GroupedRows.Facts facts,
      FieldCodec codec,
      int order) {
    ColumnSchema column = inferred.schema().columns().get(order);
    List<ColumnProfile> found = groups.times(members, order, null);
    SeriesSpan span = times.span(column, found.get(0), found.get(1), facts.commonEnd());
    long last = codec.range(order)[1];
    times.asked(column, span, last);
    return new Grouping.Series(
        span, codec.range(order)[0], last, GroupStages.meanStep(found.get(1)));
  }

  private Grouping grouping(
      SchemaStage.Inferred inferred,
      GroupedRows.Facts facts,
      Longest longest,
      long units,
      Grouping.Series series) {
    String group = context.config().data().groupTrainingExamplesBy();
    List<String> constant = new ArrayList<>();
    boolean[] isConstant = facts.constant();
    for (int c = 0; c < isConstant.length; c++) {
      String name = inferred.schema().columns().get(c).name();
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

  private ExamplesManifest encode(
      TableSource table,
      SchemaStage.Inferred inferred,
      JavaRDD<GroupedRows.Member> members,
      GroupedRows.Facts facts,
      LanguageBase base) {
    SafeSynthesizerConfig config = context.config();
    Path folder = context.folder().examples();
    String fingerprint =
        LanguageTraining.encoding(
            context,
            table,
            facts.rows(),
            base,
            inferred.schema(),
            "%s of %s by %s"
                .formatted(
                    times.isAsked() ? "series" : "groups",
                    config.data().groupTrainingExamplesBy(),
                    config.orderColumn()));
    Optional<ExamplesManifest> earlier =
        EncodeStage.manifest(context.hadoop(), folder)
            .filter(m -> m.fingerprint().equals(fingerprint));
    if (earlier.isPresent()) {
      return earlier.get();
    }
    new TextFiles(context.hadoop()).delete(folder);
    LanguageEncoder encoder =
        new LanguageEncoder(
            new SerializableConfiguration(context.hadoop()),
            base,
            inferred.schema(),
            config.training().ropeScalingFactor().value());
    boolean isSeries = times.isAsked();
    int[] shardKeys =
        EncodeStage.shardKeys(
            context.spark(), EncodeStage.shards(facts.groups(), USUAL_GROUP_BYTES / Short.BYTES));
    Dataset<Row> encoded =
        context
            .spark()
            .createDataFrame(
                members.mapPartitions(part -> new GroupTokens(part, encoder, isSeries, shardKeys)),
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
    return new Longest(
        most.getInt(0), most.getInt(1) / Integer.BYTES, most.getInt(2), most.getLong(3));
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

  /**
   * Whole groups for the holdout and the validation, counted in what they are encoded to.
   *
   * @param units examples of all groups
   */
  private Split split(JavaRDD<GroupedRows.Member> members, GroupedRows.Facts facts, long units) {
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
    WholeGroups.Cut[] cuts =
        WholeGroups.of(identified, facts.rows() - 1, rows.holdout(), rows.validation());
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
