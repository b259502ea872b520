package org.safesynth.job;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.safesynth.codec.DomainCodec;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.config.DataConfig;
import org.safesynth.config.PrivacyConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaFile;
import org.safesynth.train.PrivateAutoPlan;
import org.safesynth.train.PrivatePlan;

/**
 * The tour of a private run on groups, whose privacy unit is the group: agree on the domain, buy
 * the number of groups and their sizes, cut longer ones, buy what single columns hold, write the
 * ledger, and train with one clipped gradient a group. Nothing else that is computed from the rows
 * decides anything.
 */
final class PrivateGroupStages {
  private static final double FAILURE_SHARE = 0.05;

  private final RunContext context;
  private final Journal journal;
  private final DataConfig data;
  private final PrivacyConfig privacy;
  private final SeriesTimes times;
  private final PrivateBudget budget;
  private final RecordIdentity identity;

  PrivateGroupStages(RunContext context, Journal journal) {
    this.context = context;
    this.journal = journal;
    this.data = context.config().data();
    this.privacy = context.config().privacy();
    this.times = new SeriesTimes(context.config().timeSeries());
    this.budget =
        new PrivateBudget(context, PrivateBudget.Unit.group(data.groupTrainingExamplesBy()));
    this.identity = new RecordIdentity(context.seed());
  }

  /**
   * What is known of the table's groups, none of it exact.
   *
   * @param mostRows L
   */
  private record Known(
      PrivateSchema.Agreed agreed,
      PrivateUnits units,
      GroupMarginalStage.Sizes sizes,
      int mostRows) {
    FrozenSchema schema() {
      return agreed.schema();
    }
  }

  Pipeline.Learned train(TableSource table) {
    GroupColumns.requireNames(context.config(), table);
    PrivateSchema.Agreed open = journal.stage("schema", () -> PrivateSchema.run(context, table));
    int group = column(open.schema(), data.groupTrainingExamplesBy());
    int order = column(open.schema(), context.config().orderColumn());
    if (order >= 0) {
      SeriesTimes.requireDates(open.schema().columns().get(order), "with privacy.dp_enabled: true");
    }
    journal.stage(
        "check", () -> requirePresent(table, open.cells(), group, "so that no group is theirs"));
    SizesOfGroups exact = new SizesOfGroups(table, open.cells(), group);
    PrivateUnits units = journal.stage("count", () -> budget.units(exact::total));
    double ofDomain = open.open().isEmpty() ? 0 : privacy.domainEpsilonShare().orElse(0.0);
    PrivateSchema.Agreed agreed =
        ofDomain == 0
            ? open
            : journal.stage("domain", () -> buyDomain(table, open, group, units, ofDomain));
    if (order >= 0) {
      requireOrder(table, agreed, order);
    }
    context.folder().write(RunFolder.SCHEMA, SchemaFile.write(agreed.schema()));
    double share =
        privacy
            .marginalEpsilonShare()
            .orElse(PrivateAutoPlan.groupMarginalShare(privacy.epsilon()));
    GroupMarginalStage marginals =
        new GroupMarginalStage(
            budget.purchases(), budget.streams(), budget.rho(share * (1 - ofDomain)));
    GroupMarginalStage.Sizes sizes =
        journal.stage("sizes", () -> marginals.sizes(units.records(), exact::counts));
    int mostRows = privacy.maxRowsPerGroup().orElse(sizes.nearlyAll());
    tell(sizes, mostRows);
    Known known = new Known(agreed, units, sizes, mostRows);
    JavaRDD<GroupedRows.Member> members =
        GroupedRows.capped(
                table.rows(),
                Within.range(agreed, order),
                group,
                order,
                identity,
                GroupStages.partitions(context),
                mostRows)
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      return train(table, known, marginals, members, group, order, share);
    } finally {
      members.unpersist();
    }
  }

  private Pipeline.Learned train(
      TableSource table,
      Known known,
      GroupMarginalStage marginals,
      JavaRDD<GroupedRows.Member> members,
      int group,
      int order,
      double share) {
    long threshold = known.units().threshold();
    JavaRDD<GroupedRows.Member> trained =
        members.filter(member -> NumberedCopies.signed(member.high()) >= threshold);
    Counted counted =
        journal.stage("marginals", () -> count(table, known, marginals, trained, group, order));
    GroupCodec codec = counted.codec();
    GroupNetwork network =
        journal.stage("pairs", () -> network(table, known, marginals, trained, codec));
    ExamplesManifest examples = journal.stage("encode", () -> encode(table, known, members, codec));
    PrivatePlan plan = budget.plan(share);
    budget.writeLedger(
        known.agreed().knownBy(),
        known.mostRows(),
        plan,
        "that a run stops because a row has no group, or no place in its order");
    long heldOut = examples().filter(functions.col("id_high").lt(threshold)).count();
    TrainStage.Trained outcome =
        journal.stage("train", () -> train(known, counted, network, examples, plan, heldOut));
    journal.model(outcome.facts());
    Split split = new Split(examples.records(), heldOut, 0, List.of());
    return new Pipeline.Learned(known.schema(), codec.fields(), split, codec);
  }

  private static int column(FrozenSchema schema, String name) {
    return schema.columns().stream().map(ColumnSchema::name).toList().indexOf(name);
  }

  /** Exact sizes, counted once when first needed. */
  private final class SizesOfGroups {
    private final TableSource table;
    private final MapFunction<Row, Object[]> cells;
    private final int group;
    private long[] counts;

    SizesOfGroups(TableSource table, MapFunction<Row, Object[]> cells, int group) {
      this.table = table;
      this.cells = cells;
      this.group = group;
    }

    long[] counts() {
      if (counts == null) {
        int[] lows = GroupMarginalStage.sizeCells();
        counts = table.reading(() -> GroupCounts.sizes(table.rows(), cells, group, identity, lows));
      }
      return counts;
    }

    long total() {
      return Arrays.stream(counts()).sum();
    }
  }

  /**
   * The domain is bought from one row of each group, which a key chooses: a group then weighs as a
   * record does, where all of its rows would need the noise of the longest group.
   */
  private PrivateSchema.Agreed buyDomain(
      TableSource table, PrivateSchema.Agreed open, int group, PrivateUnits units, double share) {
    Set<String> missing = SchemaStage.missing(data, table);
    DomainStage stage =
        new DomainStage(
            budget.purchases(),
            budget.streams(),
            budget.rho(share),
            FAILURE_SHARE * budget.delta().value());
    Dataset<Row> ofEach = GroupedRows.oneOfEach(table.rows(), open.cells(), group, identity);
    FrozenSchema schema = stage.buy(table, ofEach, missing, open, units.records());
    context
        .console()
        .progress(
            "domain",
            "bought the domain of %d columns from one row of each group: %s"
                .formatted(open.open().size(), SchemaStage.kinds(schema)),
            Map.of("columns", open.open().size()));
    return PrivateSchema.bought(context, table, open, schema);
  }

  private void requireOrder(TableSource table, PrivateSchema.Agreed agreed, int order) {
    ColumnSchema column = agreed.schema().columns().get(order);
    GroupColumns.requireNumeric(column);
    times.check(column);
    requirePresent(table, agreed.cells(), order, "by which the rows of a group are ordered");
  }

  /** A row that belongs to nobody, or nowhere, cannot be counted as anybody's. */
  private Void requirePresent(
      TableSource table, MapFunction<Row, Object[]> cells, int column, String why) {
    boolean isWhole =
        table.reading(
            () ->
                table
                    .rows()
                    .toJavaRDD()
                    .filter(row -> EncodedRows.called(cells, row)[column] == null)
                    .isEmpty());
    if (!isWhole) {
      throw new BadInputException(
          "column '%s': there are rows without a value, or with one that is not of the column's kind, %s; drop them or give them one"
              .formatted(table.rows().columns()[column], why));
    }
    return null;
  }

  private void tell(GroupMarginalStage.Sizes sizes, int mostRows) {
    double rows = sizes.meanRows(mostRows);
    context
        .console()
        .progress(
            "groups",
            "about %.2f rows a group, %,d at most (%s): of longer groups a run of rows is learned"
                .formatted(
                    rows,
                    mostRows,
                    privacy.maxRowsPerGroup().isAuto()
                        ? "from the noisy sizes"
                        : "privacy.max_rows_per_group"),
            Map.of("most_rows", mostRows, "mean_rows", rows));
  }

  /**
   * What noisy counts decide.
   *
   * @param ones (positions, tokens) counts as the codec encodes
   */
  private record Counted(GroupCodec codec, double[][] ones) {}

  private Counted count(
      TableSource table,
      Known known,
      GroupMarginalStage marginals,
      JavaRDD<GroupedRows.Member> trained,
      int group,
      int order) {
    int columns = known.schema().columns().size();
    boolean[] constant =
        marginals.constant(
            columns,
            known.sizes().ofSeveralRows(),
            () -> table.reading(() -> GroupCounts.varying(trained, columns)));
    constant[group] = true;
    double meanRows = known.sizes().meanRows(known.mostRows());
    GroupLayout layout = layout(known, constant, group, order, meanRows, 1);
    FrozenSchema derived = derived(layout, known.schema(), order);
    GroupCodec fine = new GroupCodec(DomainCodec.fine(derived), layout);
    double bound = Math.max(1, Math.rint(meanRows));
    double[][] ones =
        marginals.ones(
            fine.fields().positions(),
            bound,
            () -> table.reading(() -> GroupCounts.ofPositions(trained, fine, bound)));
    int bins = PrivateAutoPlan.bins(known.units().trained(), privacy.epsilon());
    FieldCodec fields = DomainCodec.binned(derived, ones, bins);
    if (order >= 0) {
      double step = DomainCodec.mean(derived, ones, layout.stepColumn());
      layout = layout(known, constant, group, order, meanRows, Math.max(1e-9, step));
    }
    return new Counted(new GroupCodec(fields, layout), DomainCodec.inBins(derived, fields, ones));
  }

  /** Tables of pairs; null where they have too many cells. */
  private GroupNetwork network(
      TableSource table,
      Known known,
      GroupMarginalStage marginals,
      JavaRDD<GroupedRows.Member> trained,
      GroupCodec codec) {
    GroupRecords records = new GroupRecords(codec, GroupMarginalStage.sizeCells(known.mostRows()));
    double part = known.units().trained() / known.units().records();
    Optional<GroupNetwork> network =
        marginals.network(
            records,
            known.units().trained(),
            part * known.sizes().ofSeveralRows(),
            () ->
                table.reading(
                    () -> pairs(GroupRecords.firsts(trained, records), records.sizesOfFirst())),
            () ->
                table.reading(
                    () -> pairs(GroupRecords.steps(trained, records), records.sizesOfStep())));
    if (network.isEmpty()) {
      context
          .console()
          .warn(
              "pairs of columns are not counted: they have more than the %,d cells that the driver takes; training learns them alone"
                  .formatted(MarginalStage.MOST_CELLS));
    }
    return network.orElse(null);
  }

  private long[][] pairs(JavaRDD<Row> records, int[] sizes) {
    StructType type = new StructType().add("tokens", DataTypes.BinaryType);
    return TokenCounts.ofPairs(context.spark().createDataFrame(records, type), sizes);
  }

  private GroupLayout layout(
      Known known, boolean[] constant, int group, int order, double meanRows, double meanStep) {
    ColumnSchema column = order < 0 ? null : known.schema().columns().get(order);
    GroupLayout layout =
        new GroupLayout(
            group,
            order,
            constant,
            order < 0 ? new long[0] : GroupLayout.clock(column.min(), column.max()),
            meanStep,
            order < 0 ? Long.MAX_VALUE : column.max(),
            meanRows,
            known.mostRows());
    if (!times.isAsked()) {
      return layout;
    }
    SeriesSpan span = times.declared(column);
    layout = layout.withSeries(span);
    times.asked(column, layout); // refuses a bad span early
    return layout;
  }

  /** The model's columns with their domains: steps go up to the whole range. */
  private static FrozenSchema derived(GroupLayout layout, FrozenSchema schema, int order) {
    List<ColumnSchema> columns = new ArrayList<>(layout.derived(schema).columns());
    if (order >= 0) {
      ColumnSchema time = schema.columns().get(order);
      int first = layout.firstColumn();
      int step = layout.stepColumn();
      columns.set(first, columns.get(first).withDomain(time.min(), time.max(), null));
      columns.set(
          step, columns.get(step).withDomain(0L, Math.subtractExact(time.max(), time.min()), null));
    }
    return new FrozenSchema(columns);
  }

  private ExamplesManifest encode(
      TableSource table, Known known, JavaRDD<GroupedRows.Member> members, GroupCodec codec) {
    String fingerprint =
        Fingerprint.of(
            table,
            known.mostRows(),
            context.config(),
            known.schema(),
            codec.fields(),
            context.seed());
    double rows = known.units().records() * known.sizes().meanRows(known.mostRows());
    return GroupEncoding.write(context, members, codec, fingerprint, Math.round(rows), false);
  }

  private Dataset<Row> examples() {
    return context.spark().read().parquet(context.folder().examples().toString());
  }

  private TrainStage.Trained train(
      Known known,
      Counted counted,
      GroupNetwork network,
      ExamplesManifest examples,
      PrivatePlan plan,
      long heldOut) {
    GroupCodec codec = counted.codec();
    int[] sizes = new int[codec.fields().positions()];
    Arrays.setAll(sizes, codec.fields()::vocabularySize);
    GroupDecoderConfig shape =
        PrivateAutoPlan.groupDecoder(
            Arrays.stream(sizes).boxed().toList(),
            codec.layout().featureRows(),
            TrainStage.wishes(context.config()));
    PrivateGroupTrainingTask task =
        new PrivateGroupTrainingTask(
            context.hadoop(),
            context.folder(),
            examples,
            codec,
            shape,
            plan,
            counted.ones(),
            network,
            known.mostRows() > 1 ? known.sizes().endings(known.mostRows()) : null,
            known.units().trained(),
            heldOut,
            context.seed());
    ModelFolder.Manifest whole =
        new GroupModelFolder(context.hadoop(), context.folder().model()).manifest();
    return TrainStage.whole(context, whole, task.fingerprint())
        .orElseGet(
            () ->
                TrainStage.place(
                    context,
                    task,
                    new OperatorsTeller(context.console(), "group", budget.epsilonAfter(plan)),
                    "group"));
  }

  /** Reads cells and pulls one column into its public range. */
  private record Within(MapFunction<Row, Object[]> cells, int column, long min, long max)
      implements MapFunction<Row, Object[]> {
    static MapFunction<Row, Object[]> range(PrivateSchema.Agreed agreed, int column) {
      if (column < 0) {
        return agreed.cells();
      }
      ColumnSchema of = agreed.schema().columns().get(column);
      return new Within(agreed.cells(), column, of.min(), of.max());
    }

    @Override
    public Object[] call(Row row) throws Exception {
      Object[] of = cells.call(row);
      of[column] = Math.max(min, Math.min(max, (Long) of[column]));
      return of;
    }
  }
}
