package org.safesynth.job;

import static org.apache.spark.sql.functions.col;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.codec.ParentColumns;
import org.safesynth.codec.Protection;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.config.DataConfig;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.InferenceOptions;
import org.safesynth.schema.SchemaInference;
import org.safesynth.schema.TableProfile;
import org.safesynth.train.AutoPlan;

/**
 * The tour of a run on groups: bring each group's rows together, see what is constant in them and
 * how long the steps between them are, encode whole groups, and train.
 */
final class GroupStages {
  private static final int PARTITIONS_PER_CORE = 2;

  /** A single series has about as many times as rows. */
  private static final double FEW_TIMES = 0.9;

  private static final double FAR_MORE = 2;

  private final RunContext context;
  private final Journal journal;
  private final DataConfig data;
  private final String orderName;
  private final SeriesTimes times;
  private final GroupColumns checks;

  GroupStages(RunContext context, Journal journal) {
    this.context = context;
    this.journal = journal;
    this.data = context.config().data();
    this.orderName = context.config().orderColumn();
    this.times = new SeriesTimes(context.config().timeSeries());
    this.checks = new GroupColumns(context.config());
  }

  /** Whether the configuration makes groups; a single series is learned as segments are. */
  static boolean isAsked(RunContext context) {
    return context.config().data().groupColumn() != null || context.config().isSingleSeries();
  }

  Pipeline.Learned train(TableSource table) {
    GroupColumns.requireNames(context.config(), table);
    TableSource parents = data.parent() == null ? null : RelatedStage.open(context);
    SchemaStage.Inferred own =
        journal.stage("schema", () -> table.reading(() -> SchemaStage.run(context, table)));
    if (context.config().isSingleSeries()) {
      return trainSingle(table, own);
    }
    int ownGroup = column(own.schema(), data.groupColumn());
    int ownOrder = orderName == null ? -1 : column(own.schema(), orderName);
    checks.check(table, own, ownGroup, ownOrder);
    if (parents == null) {
      JavaRDD<GroupedRows.Member> members =
          GroupedRows.of(
                  table.rows(),
                  own.cells(),
                  ownGroup,
                  ownOrder,
                  times.rolling(own.schema(), ownOrder),
                  identity(),
                  partitions(context))
              .persist(StorageLevel.MEMORY_AND_DISK());
      return train(table, own.schema(), own, members, ownGroup, ownOrder, null);
    }
    RelatedStage.Joined joined =
        journal.stage("parents", () -> RelatedStage.run(context, parents, table, own, ownOrder));
    journal.count("parents", joined.keys().parents());
    context
        .console()
        .progress(
            "parents",
            "%,d parents, %,d of them without rows in %s"
                .formatted(joined.keys().parents(), joined.keys().childless(), table.name()),
            Map.of("parents", joined.keys().parents(), "childless", joined.keys().childless()));
    return train(
        table,
        own.schema(),
        joined.inferred(),
        joined.members(),
        joined.tables().groupColumn(),
        ownOrder < 0 ? -1 : joined.tables().ofChild(ownOrder),
        new ParentColumns(
            joined.tables().parentColumns(),
            joined.meanChildren(),
            ChildOrigin.of(joined, ownOrder < 0 ? -1 : joined.tables().ofChild(ownOrder))));
  }

  /** Learns one series, cut into segments that stand where other tables have groups. */
  private Pipeline.Learned trainSingle(TableSource table, SchemaStage.Inferred own) {
    int order = column(own.schema(), orderName);
    checks.checkOrder(table, own, order, "the series");
    SchemaStage.Inferred cut =
        journal.stage(
            "segments", () -> table.reading(() -> SingleSeries.cut(context, table, own, order)));
    int group = own.schema().columns().size();
    JavaRDD<GroupedRows.Member> members =
        GroupedRows.of(table.rows(), cut.cells(), group, order, identity(), partitions(context))
            .persist(StorageLevel.MEMORY_AND_DISK());
    return train(table, own.schema(), cut, members, group, order, null);
  }

  /**
   * Learns groups.
   *
   * @param schema of the table
   * @param inferred what the members' cells are
   * @param members kept rows, which are let go at the end
   * @param parent which cells are a parent's; null where groups are no parents
   */
  private Pipeline.Learned train(
      TableSource table,
      FrozenSchema schema,
      SchemaStage.Inferred inferred,
      JavaRDD<GroupedRows.Member> members,
      int group,
      int order,
      ParentColumns parent) {
    try {
      GroupedRows.Facts facts =
          journal.stage(
              "groups",
              () ->
                  table.reading(
                      () -> GroupedRows.facts(members, inferred.schema().columns().size())));
      if (context.config().isSingleSeries()) {
        tellSingle(inferred.profile().columns().get(order), facts);
      } else {
        tell(inferred, facts, group, parent);
      }
      GroupCodec codec =
          journal.stage("codec", () -> codec(inferred, members, facts, group, order, parent));
      FreshKeys.requireBeforeTraining(context, inferred.schema(), codec);
      ExamplesManifest examples =
          journal.stage("encode", () -> encode(table, inferred, members, facts, codec));
      Split split = split(examples);
      TrainStage.Trained trained = journal.stage("train", () -> train(codec, examples, split));
      journal.model(trained.facts());
      Split ofTable =
          new Split(inferred.profile().rows(), split.holdout(), split.validation(), split.notes());
      return new Pipeline.Learned(schema, codec.fields(), ofTable, codec);
    } finally {
      members.unpersist();
    }
  }

  RecordIdentity identity() {
    return new RecordIdentity(context.seed());
  }

  static int partitions(RunContext context) {
    return PARTITIONS_PER_CORE * context.spark().sparkContext().defaultParallelism();
  }

  static int column(FrozenSchema schema, String name) {
    return schema.columns().stream().map(ColumnSchema::name).toList().indexOf(name);
  }

  void tell(
      SchemaStage.Inferred inferred, GroupedRows.Facts facts, int group, ParentColumns parent) {
    List<String> constant = new ArrayList<>();
    for (int c = 0; c < facts.constant().length; c++) {
      String name = inferred.schema().columns().get(c).name();
      boolean isOfParent = parent != null && c < parent.columns();
      if (facts.constant()[c] && c != group && !isOfParent) {
        constant.add("'" + name + "'");
      }
    }
    context
        .console()
        .progress(
            "groups",
            "%,d groups of %.2f rows on average, %,d at most%s"
                .formatted(
                    facts.groups(),
                    parent == null ? (double) facts.rows() / facts.groups() : parent.meanChildren(),
                    facts.mostRows(),
                    constant.isEmpty()
                        ? ""
                        : "; constant within a group: " + String.join(", ", constant)),
            Map.of("groups", facts.groups(), "rows", facts.rows()));
    if (facts.groups() == 1) {
      context
          .console()
          .warn(
              "the table is a single group: nothing can be held out, and what is written is close to it; name a column with more values as data.group_training_examples_by");
    }
    journal.count("groups", facts.groups());
    journal.count("rows", facts.rows());
  }

  /** Tells what a table that is one series was cut into. */
  void tellSingle(ColumnProfile times, GroupedRows.Facts facts) {
    context
        .console()
        .progress(
            "series",
            "one series of %,d rows, learned in %,d segments of %d rows at most"
                .formatted(facts.rows(), facts.groups(), facts.mostRows()),
            Map.of("segments", facts.groups(), "rows", facts.rows()));
    context
        .console()
        .warn(
            "one series is one unit: what is written follows its real course closely, and differential privacy cannot be had for it");
    if (times.distinct() < FEW_TIMES * facts.rows()) {
      context
          .console()
          .warn(
              "about %,d rows share a time with another; if they are of several series, name the column that tells these apart as data.group_training_examples_by"
                  .formatted(facts.rows() - times.distinct()));
    }
    journal.count("segments", facts.groups());
    journal.count("rows", facts.rows());
  }

  private GroupCodec codec(
      SchemaStage.Inferred inferred,
      JavaRDD<GroupedRows.Member> members,
      GroupedRows.Facts facts,
      int group,
      int order,
      ParentColumns parent) {
    Protection protection = CodecStage.protection(context);
    boolean isSingle = context.config().isSingleSeries();
    // What happens to be constant in segments may well change between two of them.
    boolean[] constant =
        isSingle ? new boolean[inferred.schema().columns().size()] : facts.constant();
    constant[group] = true;
    Arrays.fill(constant, 0, parent == null ? 0 : parent.columns(), true);
    long[] clock = {};
    long last = Long.MAX_VALUE;
    if (order >= 0) {
      ColumnProfile all =
          times.rolling(inferred.schema(), order) == null
              ? inferred.profile().columns().get(order)
              : unrolled(members, order);
      int threshold = protection.threshold(orderName);
      last = end(all.highTicks(), all.highCounts(), threshold);
      clock =
          isSingle
              ? SingleSeries.clock(all.lowTicks()[0], last, facts.groups())
              : GroupLayout.clock(all.lowTicks()[0], last);
    }
    TableProfile profile = profile(inferred, members, order, facts, parent);
    SeriesSpan series =
        times.isAsked()
            ? times.span(
                inferred.schema().columns().get(order),
                profile.columns().get(order),
                profile.columns().get(order + 1),
                facts.commonEnd())
            : null;
    if (isSingle) {
      series =
          times.ofSingle(
              inferred.schema().columns().get(order),
              inferred.profile().columns().get(order),
              series,
              protection.threshold(orderName));
    }
    GroupLayout layout =
        new GroupLayout(
            group,
            order,
            constant,
            clock,
            order < 0 ? 1 : meanStep(profile.columns().get(order + 1)),
            last,
            (double) facts.rows() / facts.groups(),
            facts.mostRows(),
            isSingle || parent != null
                ? 1
                : facts.leastRows(protection.threshold(context.config().data().groupColumn())),
            series,
            parent);
    if (series != null) {
      SeriesSpan asked = // refuses a bad span early
          times.asked(inferred.schema().columns().get(order), layout);
      if (isSingle) {
        SeriesTimes.requireWritable(asked, layout.meanStep());
      }
    }
    FrozenSchema derived = layout.derived(inferred.schema());
    Map<Integer, Long> borders =
        isSingle || parent != null
            ? Map.of()
            : borders(inferred, members, facts, layout, protection);
    FieldCodec fields = CodecStage.run(context, derived, profile, borders).codec();
    journal.protection(FieldCodec.protectionCounts(derived, profile, protection));
    return new GroupCodec(fields, layout);
  }

  /** Where first rows have other numbers than later ones, by derived column. */
  private static Map<Integer, Long> borders(
      SchemaStage.Inferred inferred,
      JavaRDD<GroupedRows.Member> members,
      GroupedRows.Facts facts,
      GroupLayout layout,
      Protection protection) {
    Map<Integer, ColumnProfile> profiles = new HashMap<>();
    int least = 1;
    for (int c = 0; c < inferred.schema().columns().size(); c++) {
      ColumnSchema column = inferred.schema().columns().get(c);
      boolean isDrawn = c != layout.orderColumn() && !layout.constant()[c];
      if (isDrawn && column.kind().isNumeric()) {
        profiles.put(c, inferred.profile().columns().get(c));
        least = Math.max(least, protection.threshold(column.name()));
      }
    }
    if (profiles.isEmpty() || facts.mostRows() == 1) {
      return Map.of();
    }
    Map<Integer, Long> borders = new HashMap<>();
    FirstRows.of(members)
        .borders(profiles, facts.groups(), least)
        .forEach((column, border) -> borders.put(layout.derivedColumn(column), border));
    return borders;
  }

  static double meanStep(ColumnProfile steps) {
    double sum = 0;
    double rows = 0;
    for (int i = 0; i < steps.ticks().length; i++) {
      sum += (double) steps.ticks()[i] * steps.counts()[i];
      rows += steps.counts()[i];
    }
    return sum > 0 ? sum / rows : 1;
  }

  /** The greatest tick at or beyond which enough rows lie. */
  static long end(long[] ticks, long[] counts, int threshold) {
    long sum = 0;
    for (int i = ticks.length - 1; i >= 0; i--) {
      sum += counts[i];
      if (sum >= threshold) {
        return ticks[i];
      }
    }
    return ticks[0];
  }

  private TableProfile profile(
      SchemaStage.Inferred inferred,
      JavaRDD<GroupedRows.Member> members,
      int order,
      GroupedRows.Facts facts,
      ParentColumns parent) {
    List<ColumnProfile> profiles = new ArrayList<>(inferred.profile().columns());
    if (order >= 0) {
      List<ColumnProfile> times = times(members, order, parent);
      profiles.set(order, times.get(0));
      profiles.add(order + 1, times.get(1));
    }
    String[] texts = {"false", "true"};
    long[] counts = {facts.rows() - facts.groups(), facts.groups()};
    long[] none = {};
    profiles.add(
        new ColumnProfile(
            facts.rows(), 0, 2, true, none, texts, counts, none, none, none, none, none, none));
    return new TableProfile(facts.rows(), profiles);
  }

  /** The greatest tick, beyond midnight too, at or beyond which enough rows lie. */
  long lastOfDays(JavaRDD<GroupedRows.Member> members, int order, int threshold) {
    ColumnProfile all = unrolled(members, order);
    return end(all.highTicks(), all.highCounts(), threshold);
  }

  /** What is counted of times of day that go on over midnight. */
  private ColumnProfile unrolled(JavaRDD<GroupedRows.Member> members, int order) {
    StructType type = new StructType().add("time", DataTypes.LongType);
    JavaRDD<Row> times = members.map(member -> RowFactory.create(member.cells()[order]));
    return counted(context.spark().createDataFrame(times, type)).get(0);
  }

  /** What is counted of the first ticks and of the steps. */
  List<ColumnProfile> times(JavaRDD<GroupedRows.Member> members, int order, ParentColumns parent) {
    Integer origin = parent == null ? null : parent.origin();
    StructType type =
        new StructType().add("first", DataTypes.LongType).add("step", DataTypes.LongType);
    Dataset<Row> times =
        context
            .spark()
            .createDataFrame(
                members
                    .filter(member -> member.rhythm() != null)
                    .map(
                        member -> {
                          Long tick = (Long) member.cells()[order];
                          long from = origin == null ? 0 : (Long) member.cells()[origin];
                          return member.before() == null
                              ? RowFactory.create(tick - from, null)
                              : RowFactory.create(null, tick - member.before());
                        }),
                type);
    return counted(times);
  }

  /** What is counted of columns of ticks. */
  private List<ColumnProfile> counted(Dataset<Row> ticks) {
    Map<String, DeclaredColumn> declared = new HashMap<>();
    for (String name : ticks.columns()) {
      declared.put(name, whole(name));
    }
    InferenceOptions options =
        new InferenceOptions(
            false,
            java.util.Set.of(),
            new SeededStreams(context.seed()).key(SeededStreams.Purpose.SKETCH),
            declared);
    return SchemaInference.infer(ticks, options).profile().columns();
  }

  private static DeclaredColumn whole(String name) {
    return new DeclaredColumn(
        name, ColumnKind.INTEGER, null, true, null, null, null, null, null, null, null, null);
  }

  private ExamplesManifest encode(
      TableSource table,
      SchemaStage.Inferred inferred,
      JavaRDD<GroupedRows.Member> members,
      GroupedRows.Facts facts,
      GroupCodec codec) {
    String fingerprint =
        Fingerprint.of(
            table,
            facts.rows(),
            context.config(),
            inferred.schema(),
            codec.fields(),
            context.seed());
    return GroupEncoding.write(context, members, codec, fingerprint, facts.rows(), true);
  }

  /** Whole groups for the holdout and the validation. */
  private Split split(ExamplesManifest examples) {
    Split rows = Split.of(examples.records(), context.config());
    Dataset<Row> identified =
        context
            .spark()
            .read()
            .parquet(context.folder().examples().toString())
            .select(col("id_high"), col("id_low"));
    WholeGroups.Cut[] cuts =
        WholeGroups.of(identified, examples.records() - 1, rows.holdout(), rows.validation());
    Split split = new Split(examples.records(), cuts[0].rows(), cuts[1].rows(), rows.notes());
    context
        .console()
        .progress(
            "read",
            "%,d rows: %,d to learn, %,d to validate, %,d held out, in whole groups"
                .formatted(split.records(), split.training(), split.validation(), split.holdout()),
            Map.of("rows", split.records()));
    split.notes().forEach(context.console()::warn);
    warnOfLarge(cuts[0].rows(), rows.holdout(), "held out");
    warnOfLarge(cuts[1].rows(), rows.validation(), "kept to validate");
    journal.count("training", split.training());
    journal.count("validation", split.validation());
    journal.count("holdout", split.holdout());
    return split;
  }

  /** Tells that a long group has taken far more rows from learning than were asked for. */
  private void warnOfLarge(long rows, long wanted, String use) {
    if (rows > FAR_MORE * wanted) {
      context
          .console()
          .warn(
              "%,d rows are %s where %,d were asked for: groups stay whole, and one of these is long; data.random_state chooses others, data.holdout: 0 and embedded.validation_ratio: 0 none"
                  .formatted(rows, use, wanted));
    }
  }

  private TrainStage.Trained train(GroupCodec codec, ExamplesManifest examples, Split split) {
    ModelFolder.Manifest whole =
        new GroupModelFolder(context.hadoop(), context.folder().model()).manifest();
    return TrainStage.whole(context, whole, examples.fingerprint())
        .orElseGet(() -> trainAnew(codec, examples, split));
  }

  private TrainStage.Trained trainAnew(GroupCodec codec, ExamplesManifest examples, Split split) {
    AutoPlan.Wishes wishes = TrainStage.wishes(context.config());
    GroupTrainingTask task =
        new GroupTrainingTask(
            context.hadoop(), context.folder(), examples, codec, wishes, split, context.seed());
    return TrainStage.place(
        context, task, new TrainStage.ConsoleTeller(context.console(), "group"), "group");
  }
}
