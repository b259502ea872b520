package org.safesynth.job;

import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.config.GenerationConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.schema.FrozenSchema;

/**
 * Samples the run's model of groups on all executors. Groups have numbers, and what is written are
 * the first ones: as many as were asked for, or as many as the rows that were asked for need, the
 * last one whole.
 */
final class GroupGeneration {
  /** A group may grow this much longer than the longest that was learned. */
  private static final double LONGER = 1.5;

  private final RunContext context;
  private final boolean isSingle; // one series, from its start to its stop
  private final FrozenSchema schema;
  private final GroupLayout layout;
  private final RelatedTables related; // null where groups are no parents
  private final GroupConstraints constraints; // null where there are none
  private final FreshKeys.OfGroups keys;

  /**
   * @param table the columns of the table that is written, or of the child table of two
   */
  GroupGeneration(RunContext context, FrozenSchema table) {
    this.context = context;
    this.related =
        context.config().data().parent() == null ? null : RelatedTables.ofRun(context, table);
    this.isSingle = context.config().isSingleSeries();
    this.schema =
        isSingle ? SingleSeries.withSegments(table) : related == null ? table : related.joined();
    GroupCodec codec =
        new GroupModelFolder(context.hadoop(), context.folder().model()).read().codec();
    GroupLayout learned = codec.layout();
    this.constraints =
        context.config().generation().constraints().isEmpty()
            ? null
            : GroupConstraints.of(context, schema, codec);
    this.layout =
        learned.series() == null
            ? learned
            : learned.withSeries(
                new SeriesTimes(context.config().timeSeries())
                    .asked(schema.columns().get(learned.orderColumn()), learned));
    if (isSingle) {
      SeriesTimes.requireWritable(layout.series(), layout.meanStep());
    } else {
      SeriesTimes.requireWritable(layout, (long) Math.ceil(rows() / meanRows()));
    }
    this.keys = FreshKeys.OfGroups.of(schema, codec, mostRows());
    if (!isSingle) {
      keys.require(context.config().generation(), meanRows());
    }
  }

  /** Rows that will be written, about. */
  long rows() {
    if (isSingle) {
      return Math.round(SeriesTimes.meanRowsOfSpan(layout.series(), layout.meanStep()));
    }
    Long groups = context.config().generation().numGroups();
    return groups == null
        ? context.config().generation().numRecords()
        : Math.round(groups * meanRows());
  }

  private double meanRows() {
    return meanRows(layout);
  }

  /** Rows that count of a group. */
  static double meanRows(GroupLayout layout) {
    return layout.parent() == null ? layout.meanRows() : layout.parent().meanChildren();
  }

  /** The table; sampled into {@code scratch} first, unless it is just so many groups. */
  Dataset<Row> table(Path scratch, LongAccumulator rowsDone) {
    Dataset<Row> rows = groups(scratch, rowsDone).table();
    if (isSingle) {
      SingleSeries.tellSpan(context);
      return rows.drop(SingleSeries.COLUMN);
    }
    return related == null ? rows : related.children(rows);
  }

  /** Whether the table that was written has a parent table. */
  boolean hasParents() {
    return related != null;
  }

  /**
   * The parents of the table that was written, those without children among them.
   *
   * @param scratch where it was sampled into
   */
  Dataset<Row> parents(Path scratch) {
    return related.parents(groups(scratch, null).firstRowsOfEach());
  }

  /** What {@code generation.constraints} threw away, once the table is made; null without them. */
  Map<String, Object> rejected() {
    return constraints == null ? null : constraints.rejected();
  }

  private FirstGroups groups(Path scratch, LongAccumulator rowsDone) {
    return new FirstGroups(
        context.spark(),
        wish(),
        GroupShardSampler.groups(layout),
        meanRows(),
        scratch,
        (from, end) -> sampled(from, end, rowsDone),
        related == null ? null : related.isChild(),
        constraints);
  }

  private FirstGroups.Wish wish() {
    GenerationConfig generation = context.config().generation();
    return new FirstGroups.Wish(
        isSingle ? Long.valueOf(1) : generation.numGroups(), generation.numRecords());
  }

  /** Groups {@code from} (a multiple of a shard) to {@code end}, with their numbers. */
  private Dataset<Row> sampled(long from, long wanted, LongAccumulator rowsDone) {
    long end = keys.end(from, wanted);
    int groups = GroupShardSampler.groups(layout);
    long firstShard = from / groups;
    long lastShard = (end + groups - 1) / groups;
    Dataset<Long> shards =
        context
            .spark()
            .range(
                firstShard,
                lastShard,
                1,
                FirstGroups.tasks(context.spark(), lastShard - firstShard));
    return sampled(shards, sampler(end, rowsDone));
  }

  /** The rows of the shards, however they are spread over partitions. */
  Dataset<Row> sampled(Dataset<Long> shards, GroupShardSampler sampler) {
    return shards.mapPartitions(
        sampler, Encoders.row(FirstGroups.numbered(GenerateStage.type(schema))));
  }

  GroupShardSampler sampler(long end, LongAccumulator rowsDone) {
    SafeSynthesizerConfig config = context.config();
    return new GroupShardSampler(
        new SerializableConfiguration(context.hadoop()),
        context.folder().model().toString(),
        schema,
        layout.series(),
        new GroupShardSampler.Sampling(
            GroupShardSampler.groups(layout),
            end,
            mostRows(),
            config.generationSeed(),
            config.temperature(),
            config.generation().topP(),
            Boolean.parseBoolean(
                context.spark().conf().get("spark.sql.datetime.java8API.enabled"))),
        rowsDone);
  }

  /** Where no group has a second row, none is written: nothing is known of steps. */
  static int mostRows(GroupLayout layout) {
    double most = layout.mostRows() == 1 ? 1 : Math.ceil(LONGER * layout.mostRows());
    return (int) Math.min(Integer.MAX_VALUE, most);
  }

  private int mostRows() {
    double most = mostRows(layout);
    if (layout.series() != null && layout.series().stop() != null) {
      most = Math.max(most, SeriesTimes.rowsOfSpan(layout));
    }
    return (int) Math.min(Integer.MAX_VALUE, most);
  }
}
