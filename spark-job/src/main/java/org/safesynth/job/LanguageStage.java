package org.safesynth.job;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.CollectionAccumulator;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.config.GenerationConfig;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.config.TimeSeriesConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.generate.GroupRules;
import org.safesynth.generate.SeriesRules;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import scala.Tuple2;

/**
 * Samples a pretrained model with the run's adapter on all executors: rows, or groups, are cut into
 * shards by their number, each with a random stream of its own.
 */
final class LanguageStage {
  /** A group may grow this much longer than the longest that was learned. */
  private static final double LONGER = 1.5;

  private static final int FEW_GROUPS = 64;

  /** Rows that are sampled for conditions before a run is given up: minutes on a few cores. */
  private static final long LEAST_LIMIT = 5_000;

  private final RunContext context;
  private final FrozenSchema schema;
  private final FieldCodec writes; // null where any value may be written
  private final FieldCodec domain; // null where nothing is known of the values
  private final Optional<LanguageTraining.Trained> trained; // empty for an adapter made elsewhere
  private final Grouping grouping; // null where records stand on their own
  private final SeriesSpan span; // null where groups are no time series
  private final boolean isSingle; // one series, from its start to its stop
  private final RowConstraints constraints; // null where there are none
  private final ConstrainedStage constrainedRows; // null without them, and for groups
  private final GroupConstraints constrainedGroups; // null without them, and for rows
  private final CollectionAccumulator<RejectedRecords> rejected;

  LanguageStage(RunContext context, FrozenSchema schema) {
    this.context = context;
    this.schema = schema;
    this.writes =
        LanguageTraining.writes(context.hadoop(), context.folder().adapter()).orElse(null);
    if (writes == null && context.config().protectsValues()) {
      context
          .console()
          .warn(
              "the adapter has no %s, which would tell what data.value_protection lets it write: rare values and extreme numbers may be written"
                  .formatted(LanguageTraining.ENCODING));
    }
    Path adapter = context.folder().adapter();
    this.domain = LanguageTraining.domain(context.hadoop(), adapter).orElse(null);
    this.trained = LanguageTraining.trained(new TextFiles(context.hadoop()), adapter);
    this.isSingle = context.config().isSingleSeries();
    this.grouping = GroupStages.isAsked(context) ? grouping() : null;
    this.span = span();
    if (isSingle) {
      SeriesTimes.requireWritable(span, grouping.series().meanStep());
    }
    this.constraints = context.config().generation().constraints().isEmpty() ? null : conditions();
    this.constrainedRows =
        constraints == null || grouping != null
            ? null
            : new ConstrainedStage(
                context, schema, writes, constraints, LEAST_LIMIT, this::candidates);
    this.constrainedGroups =
        constraints == null || grouping == null ? null : new GroupConstraints(context, constraints);
    this.rejected = context.spark().sparkContext().collectionAccumulator("rejected records");
  }

  /** Reads the conditions; the times that order groups are written within other bounds. */
  private RowConstraints conditions() {
    int order = orderColumn();
    return RowConstraints.of(
        context.spark(),
        schema,
        writes,
        column -> column == order ? -1 : column,
        context.config().generation().constraints());
  }

  /** -1 where rows stand on their own or as the source has them. */
  private int orderColumn() {
    return grouping == null || grouping.order() == null
        ? -1
        : GroupStages.column(schema, grouping.order());
  }

  private Grouping grouping() {
    Grouping learned = trained.map(LanguageTraining.Trained::groups).orElse(null);
    String group = context.config().data().groupTrainingExamplesBy();
    boolean isKnown = learned != null && domain != null;
    if (isSingle && !(isKnown && learned.group() == null)) {
      throw new BadInputException(
          "time_series.is_timeseries is true without data.group_training_examples_by, but the adapter in %s does not say that it has learned a single series: train it again, or remove the parameter"
              .formatted(context.folder().adapter()));
    }
    if (!isSingle && !(isKnown && group.equals(learned.group()))) {
      throw new BadInputException(
          "data.group_training_examples_by is '%s', but the adapter in %s does not say that it has learned such groups: train it again, or remove the parameter"
              .formatted(group, context.folder().adapter()));
    }
    return learned;
  }

  /** Rows that will be written, about. */
  long rows() {
    if (isSingle) {
      return Math.round(SeriesTimes.meanRowsOfSpan(span, grouping.series().meanStep()));
    }
    GenerationConfig generation = context.config().generation();
    return grouping == null || generation.numGroups() == null
        ? generation.numRecords()
        : Math.round(generation.numGroups() * grouping.meanRows());
  }

  /**
   * The synthetic table; made when it is written.
   *
   * @param scratch where rows are sampled to when some are thrown away, and groups when a number of
   *     rows is asked for
   * @param rowsDone tasks add the rows of each finished shard
   */
  Dataset<Row> table(Path scratch, LongAccumulator rowsDone) {
    SparkSession spark = context.spark();
    GenerationConfig generation = context.config().generation();
    if (grouping == null) {
      long rows = generation.numRecords();
      FreshKeys.require(schema, writes, column -> rows);
      int size = LanguageShardSampler.size(rows);
      return constrainedRows == null
          ? sampled(0, rows, size, schema, rowsDone)
          : constrainedRows.table(scratch, rowsDone);
    }
    if (isSingle) {
      SingleSeries.tellSpan(context);
      return sampled(0, 1, 1, schema, rowsDone).drop(FirstGroups.NUMBER, FirstGroups.INDEX);
    }
    double groups = (double) rows() / grouping.meanRows();
    keys().require(generation, grouping.meanRows());
    int size = groups < FEW_GROUPS ? FEW_GROUPS / 4 : LanguageShardSampler.size((long) groups);
    return new FirstGroups(
            spark,
            new FirstGroups.Wish(generation.numGroups(), generation.numRecords()),
            size,
            grouping.meanRows(),
            scratch,
            (from, end) -> sampled(from, end, size, schema, rowsDone),
            null,
            constrainedGroups)
        .table();
  }

  private FreshKeys.OfGroups keys() {
    int group = GroupStages.column(schema, grouping.group());
    return new FreshKeys.OfGroups(
        schema,
        column -> domain == null ? null : domain.lastKey(column),
        column -> column == group,
        mostRows());
  }

  private Dataset<Row> candidates(
      long from, long rows, FrozenSchema output, LongAccumulator rowsDone) {
    int size = LanguageShardSampler.size(context.config().generation().numRecords());
    long end = from + (rows + size - 1) / size * size;
    return sampled(from, end, size, output, rowsDone);
  }

  /** Completes rows, always under the grammar; what is rejected is nothing. */
  RowCompleter completer() {
    if (grouping != null) {
      throw new BadInputException(
          "the adapter in %s has learned %s, and single rows are completed; train one without %s"
              .formatted(
                  context.folder().adapter(),
                  isSingle ? "one time series" : "groups",
                  isSingle ? "time_series" : "data.group_training_examples_by"));
    }
    return new RowCompleter() {
      @Override
      public FieldCodec codec() {
        return domain;
      }

      @Override
      public String withRareValues() {
        return "with them as they are";
      }

      @Override
      public FlatMapFunction<Iterator<Tuple2<Long, Object[]>>, Row> sampler(
          FrozenSchema output, boolean writesMissing, LongAccumulator rowsDone) {
        return completing(output, writesMissing, rowsDone);
      }
    };
  }

  private LanguageCompletingSampler completing(
      FrozenSchema output, boolean writesMissing, LongAccumulator rowsDone) {
    return new LanguageCompletingSampler(
        new SerializableConfiguration(context.hadoop()),
        source(true),
        writesMissing ? writable() : withoutMissing(writable()),
        output,
        writes,
        context.config().generationSeed(),
        Boolean.parseBoolean(context.spark().conf().get("spark.sql.datetime.java8API.enabled")),
        rowsDone,
        rejected);
  }

  /** No value is missing where the column has others. */
  private FrozenSchema withoutMissing(FrozenSchema of) {
    List<ColumnSchema> columns = new ArrayList<>();
    for (ColumnSchema column : of.columns()) {
      boolean isOnlyMissing = domain != null && domain.isAlwaysMissing(columns.size());
      columns.add(column.withMissing(column.missing() && isOnlyMissing));
    }
    return new FrozenSchema(columns);
  }

  /** Records, or groups, from the first of a shard on. */
  private Dataset<Row> sampled(
      long from, long wanted, int size, FrozenSchema output, LongAccumulator rowsDone) {
    SparkSession spark = context.spark();
    long end = grouping == null || isSingle ? wanted : keys().end(from, wanted);
    long first = from / size;
    long last = (end + size - 1) / size;
    LanguageShardSampler sampler =
        new LanguageShardSampler(
            new SerializableConfiguration(context.hadoop()),
            source(context.config().generation().useStructuredGeneration()),
            asked(),
            output,
            grouping == null ? writes : domain,
            size,
            end,
            context.config().generationSeed(),
            Boolean.parseBoolean(spark.conf().get("spark.sql.datetime.java8API.enabled")),
            rowsDone,
            rejected);
    StructType type = GenerateStage.type(output);
    StructType ofRows = grouping == null ? type : FirstGroups.numbered(type);
    return new SamplingPlace(context).rows(first, last, sampler, ofRows);
  }

  /** What makes records a group, and what is repaired; null where they stand on their own. */
  GroupRules rules() {
    if (grouping == null) {
      return null;
    }
    GenerationConfig.Validation validation = context.config().generation().validation();
    boolean[] constant = new boolean[schema.columns().size()];
    for (String name : grouping.constant()) {
      constant[GroupStages.column(schema, name)] = true;
    }
    return new GroupRules(
        isSingle ? -1 : GroupStages.column(schema, grouping.group()),
        orderColumn(),
        constant,
        mostRows(),
        seriesRules(),
        validation.groupByAcceptNoDelineator(),
        validation.groupByIgnoreInvalidRecords(),
        validation.groupByFixNonUniqueValue(),
        validation.groupByFixUnorderedRecords());
  }

  /** Where no group has a second row, none is written: nothing is known of steps. */
  private int mostRows() {
    double most = grouping.mostRows() == 1 ? 1 : Math.ceil(LONGER * grouping.mostRows());
    if (span != null && span.stop() != null) {
      Grouping.Series series = grouping.series();
      most = Math.max(most, SeriesTimes.rowsOfSpan(span, series.first(), series.meanStep()));
    }
    return (int) Math.min(Integer.MAX_VALUE, most);
  }

  private SeriesRules seriesRules() {
    GenerationConfig generation = context.config().generation();
    return span == null
        ? null
        : new SeriesRules(
            span,
            generation.useStructuredGeneration() || generation.enforceTimeseriesFidelity(),
            generation.patience(),
            isSingle ? SeriesRules.SINGLE_WINDOW : Integer.MAX_VALUE,
            grouping.series().clock());
  }

  /** The start and stop that are learned or asked for; null for what is no time series. */
  private SeriesSpan span() {
    TimeSeriesConfig times = context.config().timeSeries();
    if (grouping == null || grouping.series() == null || !times.isTimeseries()) {
      return null;
    }
    return new SeriesTimes(times)
        .asked(
            schema.columns().get(GroupStages.column(schema, grouping.order())),
            grouping.series().span(),
            grouping.series().last());
  }

  /**
   * What may be written; the times of series whose stop is known go as far as that, and times of
   * day are bounded one by one.
   */
  private FrozenSchema writable() {
    FrozenSchema protectedValues = writes == null ? schema : writes.writable(schema);
    if (span == null) {
      return protectedValues;
    }
    List<ColumnSchema> columns = new ArrayList<>(protectedValues.columns());
    int order = GroupStages.column(schema, grouping.order());
    ColumnSchema of = columns.get(order);
    if (of.timeOfDay() != null) {
      columns.set(order, of.withDomain(null, null, of.values()));
      return new FrozenSchema(columns);
    }
    Long low = of.min() == null || span.start() == null ? of.min() : lesser(of.min(), span.start());
    Long high = span.stop() == null ? of.max() : null; // what is beyond the stop ends a series
    columns.set(order, of.withDomain(low, high, of.values()));
    return new FrozenSchema(columns);
  }

  /**
   * The same within the ranges of conditions. Without a grammar a value beyond them would make a
   * record invalid, and too many of those end a run: conditions throw it away instead.
   */
  private FrozenSchema asked() {
    FrozenSchema writable = writable();
    if (constraints == null || !context.config().generation().useStructuredGeneration()) {
      return writable;
    }
    List<ColumnSchema> columns = new ArrayList<>(writable.columns());
    constraints
        .ranges()
        .forEach((column, range) -> columns.set(column, range.of(columns.get(column))));
    return new FrozenSchema(columns);
  }

  private static Long lesser(long a, long b) {
    return Math.min(a, b);
  }

  /** What was rejected, once the table is written. */
  Map<String, Object> rejected() {
    Map<String, Object> records = RejectedRecords.summary(List.copyOf(rejected.value()));
    Map<String, Object> thrownAway = thrownAway();
    return thrownAway == null ? records : RejectedRecords.joined(records, thrownAway);
  }

  /** What conditions threw away, once the table is written; null without them. */
  Map<String, Object> thrownAway() {
    if (constraints == null) {
      return null;
    }
    return grouping == null ? constrainedRows.rejected() : constrainedGroups.rejected();
  }

  /** Where it was sampled, in words, once the table is written. */
  String devices() {
    return rejected.value().stream()
        .map(RejectedRecords::device)
        .distinct()
        .sorted()
        .collect(Collectors.joining("; "));
  }

  /**
   * @param isStructured whether a grammar admits valid records only
   */
  private LanguageModels.Source source(boolean isStructured) {
    SafeSynthesizerConfig config = context.config();
    GenerationConfig generation = config.generation();
    LanguageBase base = LanguageBase.of(context);
    TextFiles files = new TextFiles(context.hadoop());
    Path adapter = context.folder().adapter();
    byte[] weights = ModelFolder.bytes(files, new Path(adapter, "adapter_model.safetensors"));
    return new LanguageModels.Source(
        base,
        adapter.toString(),
        ModelFolder.sha256(weights),
        trained
            .map(LanguageTraining.Trained::ropeScalingFactor)
            .orElse(config.training().ropeScalingFactor().value()),
        trained.map(LanguageTraining.Trained::longestRecord).orElse(0),
        Devices.forGeneration(config),
        isStructured,
        rules(),
        config.temperature(),
        generation.topP(),
        generation.repetitionPenalty(),
        generation.patience(),
        generation.invalidFractionThreshold());
  }
}
