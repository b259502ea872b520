package org.safesynth.job;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.codec.DomainCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.privacy.CountNoise;
import org.safesynth.privacy.LedgerEntry;
import org.safesynth.privacy.SecretStream;
import org.safesynth.privacy.SecretStreams;
import org.safesynth.privacy.SecretStreams.Purpose;
import org.safesynth.privacy.SetSelection;
import org.safesynth.schema.BoughtDomain;
import org.safesynth.schema.CellReader;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.MagnitudeGrid;
import org.safesynth.schema.ValueForm;

/**
 * Buys the domain of columns that nobody declared: first which form their values have and how long
 * they are, then ranges of numbers on a public grid, then the values that many records share.
 *
 * <p>One unit more or less, a record or the one row that stands for a group, changes one cell of
 * one histogram in each of T columns: L2 sensitivity √T. The third purchase also has a probability
 * of failure ({@link SetSelection}).
 */
final class DomainStage {
  private static final double FORMS = 0.15;
  private static final double RANGES = 0.4; // of what forms leave, where values are bought too
  private static final double NOISE_EXCEEDS = 0.01; // probability that any cell's noise is above
  private static final int LONGEST_VALUE = 256;
  private static final int LEAST_SLACKS = 10;

  private final Purchases purchases;
  private final SecretStreams streams;
  private final double rho;
  private final double failure;

  /**
   * @param rho zero-concentrated budget of the whole domain
   * @param failure δ′ of selecting values
   */
  DomainStage(Purchases purchases, SecretStreams streams, double rho, double failure) {
    this.purchases = purchases;
    this.streams = streams;
    this.rho = rho;
    this.failure = failure;
  }

  /**
   * The schema with the domain of every column.
   *
   * @param rows of the table, one of each privacy unit
   * @param agreed a schema with open columns
   * @param records public or noisy number of units
   */
  FrozenSchema buy(
      TableSource table,
      Dataset<Row> rows,
      Set<String> missing,
      PrivateSchema.Agreed agreed,
      double records) {
    List<ColumnSchema> columns = new ArrayList<>(agreed.schema().columns());
    Map<Integer, BoughtDomain.Known> known =
        kinds(table, rows, missing, columns, agreed.open(), records);
    known.forEach((c, of) -> columns.set(c, of.column()));
    List<Integer> numbers = new ArrayList<>();
    List<Integer> words = new ArrayList<>();
    for (int c : known.keySet()) {
      if (!DomainCodec.isDeclared(columns.get(c))) {
        (columns.get(c).kind().isNumeric() ? numbers : words).add(c);
      }
    }
    double left = rho * (1 - FORMS);
    double ofRanges = words.isEmpty() ? left : RANGES * left;
    if (!numbers.isEmpty()) {
      ranges(table, rows, missing, columns, numbers, ofRanges);
    }
    if (!words.isEmpty()) {
      values(
          table, rows, missing, columns, known, words, numbers.isEmpty() ? left : left - ofRanges);
    }
    return new FrozenSchema(columns);
  }

  /** What the noise of none of so many cells exceeds, but with {@link #NOISE_EXCEEDS}. */
  private static double slack(CountNoise noise, long cells) {
    return noise.sigma() * Math.sqrt(2 * Math.log(cells / NOISE_EXCEEDS));
  }

  private static CountNoise noise(int columns, double budget) {
    return CountNoise.gaussian(Math.sqrt(columns / (2 * budget)));
  }

  private double[][] noisy(long[][] exact, CountNoise noise, long part) {
    double[][] noisy = new double[exact.length][];
    for (int k = 0; k < exact.length; k++) {
      noisy[k] = noise.addTo(exact[k], streams, Purpose.DOMAIN_NOISE, part, k);
    }
    return noisy;
  }

  private Map<Integer, BoughtDomain.Known> kinds(
      TableSource table,
      Dataset<Row> rows,
      Set<String> missing,
      List<ColumnSchema> columns,
      Map<Integer, Boolean> hasKind,
      double records) {
    List<Integer> open = List.copyOf(hasKind.keySet());
    CountNoise noise = noise(open.size(), FORMS * rho);
    double slack = slack(noise, (long) open.size() * ValueForm.COUNT);
    if (records < LEAST_SLACKS * slack) {
      throw new BadInputException(
          "about %,.0f records are too few to buy the domain of %d columns with privacy.domain_epsilon_share: its noise alone hides %,.0f; declare columns in data.schema_file, or raise privacy.epsilon"
              .formatted(records, open.size(), slack));
    }
    boolean isUntyped = table.isUntyped();
    List<Set<String>> absent = open.stream().map(c -> absent(columns.get(c), missing)).toList();
    double[][] counts =
        purchases.once(
            LedgerEntry.of(
                "forms",
                "which form and length values have",
                noise.mechanism(Math.sqrt(open.size()))),
            () ->
                noisy(
                    table.reading(
                        () ->
                            CellCounting.of(
                                rows,
                                open.size(),
                                ValueForm.COUNT,
                                forms(open, isUntyped, absent))),
                    noise,
                    0));
    Map<Integer, BoughtDomain.Known> known = new TreeMap<>();
    for (int k = 0; k < open.size(); k++) {
      int c = open.get(k);
      known.put(c, BoughtDomain.kind(columns.get(c), hasKind.get(c), counts[k], records, slack));
    }
    return known;
  }

  private static Set<String> absent(ColumnSchema column, Set<String> missing) {
    return column.missingTokens() == null ? missing : Set.copyOf(column.missingTokens());
  }

  private static CellCounting.Rule forms(
      List<Integer> open, boolean isUntyped, List<Set<String>> absent) {
    int[] places = places(open);
    return () -> {
      ValueForm[] forms = new ValueForm[places.length];
      Arrays.setAll(forms, k -> new ValueForm(isUntyped, absent.get(k)));
      return (row, cells) -> {
        for (int k = 0; k < places.length; k++) {
          cells[k] = forms[k].of(row.get(places[k]));
        }
      };
    };
  }

  private static int[] places(List<Integer> columns) {
    return columns.stream().mapToInt(Integer::intValue).toArray();
  }

  private void ranges(
      TableSource table,
      Dataset<Row> rows,
      Set<String> missing,
      List<ColumnSchema> columns,
      List<Integer> numbers,
      double budget) {
    CountNoise noise = noise(numbers.size(), budget);
    double slack = slack(noise, (long) numbers.size() * MagnitudeGrid.CELLS);
    List<ColumnSchema> of = new ArrayList<>(numbers.stream().map(columns::get).toList());
    int[] places = places(numbers);
    CellCounting.Rule rule =
        () -> {
          List<CellReader> readers = of.stream().map(c -> CellReader.of(c, missing)).toList();
          return (row, cells) -> {
            for (int k = 0; k < places.length; k++) {
              Object value = fitting(readers.get(k), row.get(places[k]));
              cells[k] = value == null ? CellCounting.NONE : MagnitudeGrid.cell((Long) value);
            }
          };
        };
    double[][] counts =
        purchases.once(
            LedgerEntry.of(
                "ranges",
                "ranges of numbers and dates",
                noise.mechanism(Math.sqrt(numbers.size()))),
            () ->
                noisy(
                    table.reading(
                        () -> CellCounting.of(rows, numbers.size(), MagnitudeGrid.CELLS, rule)),
                    noise,
                    1));
    for (int k = 0; k < places.length; k++) {
      columns.set(places[k], BoughtDomain.range(columns.get(places[k]), counts[k], slack));
    }
  }

  private static Object fitting(CellReader reader, Object cell) {
    try {
      return reader.read(cell);
    } catch (CellReader.UnfitCellException e) {
      return null; // what does not fit is missing, as in training
    }
  }

  private void values(
      TableSource table,
      Dataset<Row> rows,
      Set<String> missing,
      List<ColumnSchema> columns,
      Map<Integer, BoughtDomain.Known> known,
      List<Integer> words,
      double budget) {
    SetSelection selection = new SetSelection(noise(words.size(), budget), words.size(), failure);
    List<ColumnSchema> of = new ArrayList<>(words.stream().map(columns::get).toList());
    Purchases.Noisy selected =
        purchases.named(
            LedgerEntry.of("values", "values that many records share", selection.counts()),
            () -> table.reading(() -> select(selection, rows, of, places(words), missing)));
    purchases.once(
        LedgerEntry.of(
            "values of one record", "that one record's own value is selected", selection.failure()),
        () -> new double[0][]);
    for (int k = 0; k < of.size(); k++) {
      ColumnSchema column =
          BoughtDomain.values(
              known.get(words.get(k)), selected.names().get(k), selected.values()[k]);
      columns.set(words.get(k), column);
    }
  }

  /** Exact counts come to the driver one by one, get their noise there, and go. */
  private Purchases.Noisy select(
      SetSelection selection,
      Dataset<Row> rows,
      List<ColumnSchema> columns,
      int[] places,
      Set<String> missing) {
    StructType type =
        new StructType().add("c", DataTypes.IntegerType).add("v", DataTypes.StringType);
    Iterator<Row> counted =
        rows.flatMap(new Words(columns, places, missing), Encoders.row(type))
            .groupBy("c", "v")
            .count()
            .toLocalIterator();
    List<TreeMap<String, Double>> selected = new ArrayList<>();
    columns.forEach(
        column -> selected.add(new TreeMap<>())); // sorted: no order of the data is left
    SecretStream stream = streams.stream(Purpose.DOMAIN_NOISE, 2);
    while (counted.hasNext()) {
      Row row = counted.next();
      double noisy = selection.select(row.getLong(2), stream);
      if (!Double.isNaN(noisy)) {
        selected.get(row.getInt(0)).put(row.getString(1), noisy);
      }
    }
    double[][] counts = new double[columns.size()][];
    List<List<String>> names = new ArrayList<>();
    for (int k = 0; k < counts.length; k++) {
      counts[k] = selected.get(k).values().stream().mapToDouble(Double::doubleValue).toArray();
      names.add(List.copyOf(selected.get(k).keySet()));
    }
    return new Purchases.Noisy(counts, names);
  }

  /** The values of a row, each with the number of its column. */
  private static final class Words implements FlatMapFunction<Row, Row> {
    private final List<ColumnSchema> columns;
    private final int[] places;
    private final Set<String> missing;
    private transient List<CellReader> readers;

    Words(List<ColumnSchema> columns, int[] places, Set<String> missing) {
      this.columns = columns;
      this.places = places;
      this.missing = missing;
    }

    @Override
    public Iterator<Row> call(Row row) {
      if (readers == null) {
        readers = columns.stream().map(column -> CellReader.of(column, missing)).toList();
      }
      List<Row> cells = new ArrayList<>();
      for (int k = 0; k < places.length; k++) {
        Object value = fitting(readers.get(k), row.get(places[k]));
        if (value instanceof String text && text.length() <= LONGEST_VALUE) {
          cells.add(RowFactory.create(k, text));
        }
      }
      return cells.iterator();
    }
  }
}
