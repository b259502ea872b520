package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.config.EvaluationConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.random.SeededStreams;

/**
 * What every measure looks at: samples of the tables with the same columns in the same order, what
 * these columns look like, and behind them the whole tables.
 */
public final class Evidence implements AutoCloseable {
  /** Most cells of a sample that the driver holds: some 130 MB of numbers or short codes. */
  static final int MOST_CELLS = 16_000_000;

  private static final int MOST_NAMED = 20; // columns, in a sentence

  private final SparkSession spark;
  private final EvaluationInput input;
  private final EvaluationConfig config;
  private final long seed;
  private final TextEmbedder embedder;
  private final Contents contents;
  private final Frame reference;
  private final Frame synthetic;
  private final Frame holdout; // null without
  private final List<ColumnType> referenceTypes; // (columns)
  private final List<ColumnType> syntheticTypes; // (columns)
  private final List<String> notes = new ArrayList<>();

  private Evidence(
      EvaluationInput input, EvaluationConfig config, long seed, Contents contents, int limit) {
    this.spark = input.reference().rows().sparkSession();
    this.input = input;
    this.config = config;
    this.seed = seed;
    this.embedder = input.embedder().orElseGet(() -> new TfIdfEmbedder(spark));
    this.contents = contents;
    KeyedSample sample = new KeyedSample(key(0));
    long fewest = Math.min(contents.count(Side.REFERENCE), contents.count(Side.SYNTHETIC));
    int rows = (int) Math.min(limit, fewest);
    reference = sample.draw(contents, Side.REFERENCE, rows);
    synthetic = sample.draw(contents, Side.SYNTHETIC, rows);
    boolean hasHoldout = contents.count(Side.HOLDOUT) > 0;
    holdout = hasHoldout ? sample.draw(contents, Side.HOLDOUT, limit) : null;
    referenceTypes = reference.columns().stream().map(ColumnType::of).toList();
    syntheticTypes = synthetic.columns().stream().map(ColumnType::of).toList();
  }

  /**
   * Samples the tables.
   *
   * @param seed of all that is drawn
   * @throws BadInputException when a table is empty or no column is shared
   */
  static Evidence gather(EvaluationInput input, EvaluationConfig config, long seed) {
    long key = new SeededStreams(seed).key(SeededStreams.Purpose.EVALUATION, 1);
    input.groups().ifPresent(keys -> requireKeys(input.reference(), keys));
    SharedColumns shared = SharedColumns.of(input, config.sqsReportColumns(), key);
    boolean hasNames =
        input.groups().map(k -> input.synthetic().indexOf(k.group()) >= 0).orElse(false);
    shared.requireAtLeast(config.mandatoryColumns(), hasNames ? 1 : 0);
    Contents contents = Contents.of(input, shared);
    try {
      requireRows(input, contents);
      int most = MOST_CELLS / shared.columns().size();
      int limit = (int) Math.min(config.sqsReportRows(), most);
      Evidence evidence = new Evidence(input, config, seed, contents, limit);
      evidence.note(input, shared, limit);
      return evidence;
    } catch (RuntimeException fault) {
      contents.close();
      throw fault;
    }
  }

  private static void requireKeys(TypedTable reference, GroupKeys keys) {
    for (String name : keys.names()) {
      if (reference.indexOf(name) < 0) {
        List<String> known = reference.columns().stream().map(TypedColumn::name).toList();
        throw new BadInputException(
            "%s has no column '%s', which is to make or order the groups; its columns are %s"
                .formatted(
                    reference.name(),
                    name,
                    String.join(", ", known.subList(0, Math.min(MOST_NAMED, known.size())))
                        + (known.size() > MOST_NAMED ? ", …" : "")));
      }
    }
  }

  private static void requireRows(EvaluationInput input, Contents contents) {
    requireRows(input.reference(), contents.count(Side.REFERENCE));
    requireRows(input.synthetic(), contents.count(Side.SYNTHETIC));
    if (input.holdout().isPresent()) {
      requireRows(input.holdout().get(), contents.count(Side.HOLDOUT));
    }
  }

  private static void requireRows(TypedTable table, long rows) {
    if (rows == 0) {
      throw new BadInputException(
          "%s has no rows: there is nothing to compare".formatted(table.name()));
    }
  }

  private void note(EvaluationInput input, SharedColumns shared, int limit) {
    if (!shared.missing().isEmpty()) {
      notes.add(
          "the synthetic table lacks columns of the real one, which no score looks at: "
              + String.join(", ", shared.missing()));
    }
    if (!shared.unknown().isEmpty()) {
      notes.add(
          "the synthetic table has columns that the real one lacks, which no score looks at: "
              + String.join(", ", shared.unknown()));
    }
    if (!shared.dropped().isEmpty()) {
      notes.add(
          "%d of %d columns are looked at (evaluation.sqs_report_columns)"
              .formatted(
                  shared.columns().size(), shared.columns().size() + shared.dropped().size()));
    }
    for (SharedColumns.Pair pair : shared.columns()) {
      if (!pair.isSameForm()) {
        notes.add(
            "column '%s' holds %s in the real table and %s in the synthetic one"
                .formatted(
                    pair.name(),
                    pair.reference().isNumber() ? "numbers" : "texts",
                    pair.synthetic().isNumber() ? "numbers" : "texts"));
      }
    }
    if (limit < config.sqsReportRows() && limit == reference.rows()) {
      notes.add(
          "the scores look at %,d rows, which is what the driver holds of %d columns, instead of evaluation.sqs_report_rows %,d"
              .formatted(limit, shared.columns().size(), config.sqsReportRows()));
    }
    input
        .groups()
        .ifPresent(
            keys ->
                notes.add(
                    "column '%s' makes the groups: its values are names, and no score but that of groups looks at them"
                        .formatted(keys.group())));
    if (input.holdout().isEmpty()) {
      notes.add("there is no holdout: measures that need unseen real rows are unavailable");
    }
  }

  public SparkSession spark() {
    return spark;
  }

  /** The whole tables as they came. */
  EvaluationInput input() {
    return input;
  }

  public EvaluationConfig config() {
    return config;
  }

  /** Sample of the rows that were learned from; as many as of the synthetic ones. */
  public Frame reference() {
    return reference;
  }

  /** Sample of the synthetic rows. */
  public Frame synthetic() {
    return synthetic;
  }

  /** The real rows that were never seen, or a sample where there are more than of the others. */
  public Optional<Frame> holdout() {
    return Optional.ofNullable(holdout);
  }

  /** Number of shared columns. */
  public int columns() {
    return reference.columns().size();
  }

  public String name(int column) {
    return reference.column(column).name();
  }

  /** What the real column looks like. */
  public ColumnType referenceType(int column) {
    return referenceTypes.get(column);
  }

  /** What the synthetic column looks like. */
  public ColumnType syntheticType(int column) {
    return syntheticTypes.get(column);
  }

  /** What turns texts into vectors. */
  public TextEmbedder textEmbedder() {
    return embedder;
  }

  /** The whole tables, grouped by content. */
  Contents contents() {
    return contents;
  }

  /** Rows of a whole table. */
  long count(Side side) {
    return contents.count(side);
  }

  /** What a reader of the scores must know. */
  public List<String> notes() {
    return List.copyOf(notes);
  }

  /**
   * A key for a measure's draws.
   *
   * @param parts first a number of the measure's own, from 2 on
   */
  public final long key(long... parts) {
    return new SeededStreams(seed).key(SeededStreams.Purpose.EVALUATION, parts);
  }

  /** A random stream for a measure's draws. */
  public RandomGenerator stream(long... parts) {
    return new SeededStreams(seed).stream(SeededStreams.Purpose.EVALUATION, parts);
  }

  /**
   * A sample as a Spark table, for MLlib: columns {@code c0}, {@code c1}, … of doubles or strings,
   * null when missing. One partition, so that sums of doubles have one order.
   */
  public Dataset<Row> dataset(Frame frame) {
    StructType type = new StructType();
    for (int c = 0; c < frame.columns().size(); c++) {
      boolean isNumber = frame.column(c).isNumber();
      type = type.add("c" + c, isNumber ? DataTypes.DoubleType : DataTypes.StringType);
    }
    List<Row> rows = new ArrayList<>(frame.rows());
    for (int row = 0; row < frame.rows(); row++) {
      Object[] cells = new Object[frame.columns().size()];
      for (int c = 0; c < cells.length; c++) {
        FrameColumn column = frame.column(c);
        if (!column.isMissing(row)) {
          cells[c] = column.isNumber() ? (Object) column.number(row) : column.text(row);
        }
      }
      rows.add(RowFactory.create(cells));
    }
    return spark.createDataFrame(rows, type).coalesce(1);
  }

  @Override
  public void close() {
    contents.close();
  }
}
