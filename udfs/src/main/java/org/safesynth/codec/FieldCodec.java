package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.safesynth.fault.RunFailedException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TableProfile;

/**
 * Records as a fixed layout of typed tokens: each column has its own positions, each position its
 * own small vocabulary, and every sequence of valid tokens is a valid record.
 */
public final class FieldCodec implements RecordCodec {
  private static final int FORMAT_VERSION = 1;

  private final List<ColumnCodec> columns;
  private final int[] firstPositions; // (columns)
  private final int[] sizes; // (positions)
  private final int[] owners; // (positions) column of a position

  /** The codec's file. */
  record Saved(
      @JsonProperty("format_version") int formatVersion,
      @JsonProperty("columns") List<ColumnCodec> columns) {}

  FieldCodec(List<ColumnCodec> columns) {
    this.columns = List.copyOf(columns);
    this.firstPositions = new int[columns.size()];
    List<int[]> all = new ArrayList<>();
    int positions = 0;
    for (int c = 0; c < columns.size(); c++) {
      firstPositions[c] = positions;
      int[] of = columns.get(c).sizes();
      all.add(of);
      positions += of.length;
    }
    this.sizes = new int[positions];
    this.owners = new int[positions];
    for (int c = 0; c < all.size(); c++) {
      for (int i = 0; i < all.get(c).length; i++) {
        sizes[firstPositions[c] + i] = all.get(c)[i];
        owners[firstPositions[c] + i] = c;
      }
    }
  }

  private static ObjectMapper json() {
    return JsonMapper.builder()
        .disable(MapperFeature.AUTO_DETECT_IS_GETTERS, MapperFeature.AUTO_DETECT_GETTERS)
        .build();
  }

  /** Fits the encoding of every column to what the passes over the table counted. */
  public static FieldCodec fit(FrozenSchema schema, TableProfile profile, Protection protection) {
    return fit(schema, profile, protection, Map.of());
  }

  /**
   * The same, where some columns of numbers have two sides that share no bin.
   *
   * @param borders least tick of the upper side, by column
   */
  public static FieldCodec fit(
      FrozenSchema schema,
      TableProfile profile,
      Protection protection,
      Map<Integer, Long> borders) {
    return new FieldCodec(new ColumnFit(schema, profile, protection).columns(borders));
  }

  /** What {@link #fit} protects, column by column; columns where it does nothing are left out. */
  public static List<ProtectionCount> protectionCounts(
      FrozenSchema schema, TableProfile profile, Protection protection) {
    return new ColumnFit(schema, profile, protection).protectionCounts();
  }

  /**
   * Text columns that do not fit in their positions: what is beyond is not learned.
   *
   * @param profile what the codec was fitted to
   */
  public List<CutText> cutTexts(FrozenSchema schema, TableProfile profile) {
    List<CutText> cut = new ArrayList<>();
    for (int c = 0; c < columns.size(); c++) {
      if (columns.get(c) instanceof TextColumn text) {
        double share = text.shareCut(profile.columns().get(c));
        if (share > 0) {
          cut.add(new CutText(schema.columns().get(c).name(), text.length(), share));
        }
      }
    }
    return cut;
  }

  /** The codec as JSON: what {@link #fromJson} reads. */
  public String toJson() {
    try {
      return json().writeValueAsString(new Saved(FORMAT_VERSION, columns));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a codec cannot be written as JSON", e);
    }
  }

  /**
   * Reads a codec.
   *
   * @param json what {@link #toJson} wrote
   * @param source where it comes from, for the error
   */
  public static FieldCodec fromJson(String json, String source) {
    try {
      Saved saved = json().readValue(json, Saved.class);
      if (saved.formatVersion() != FORMAT_VERSION) {
        throw new RunFailedException(
            source + ": encoding format " + saved.formatVersion() + " is not known; train again");
      }
      return new FieldCodec(saved.columns());
    } catch (JsonProcessingException e) {
      throw new RunFailedException(
          source + ": the encoding is corrupt or truncated; train again or restore the file", e);
    }
  }

  @Override
  public int positions() {
    return sizes.length;
  }

  @Override
  public int vocabularySize(int position) {
    return sizes[position];
  }

  /** Number of columns. */
  public int columns() {
    return columns.size();
  }

  ColumnCodec column(int column) {
    return columns.get(column);
  }

  /** The first position of a column. */
  public int firstPosition(int column) {
    return firstPositions[column];
  }

  /** Number of positions of a column. */
  public int positionsOf(int column) {
    return columns.get(column).sizes().length;
  }

  /** How well a column's tokens say a value that is not missing. */
  public Acceptance acceptance(int column, Object value) {
    return columns.get(column).acceptance(value);
  }

  /** Least and greatest tick that a column's tokens say; null where they are not numbers. */
  public long[] range(int column) {
    return columns.get(column).range();
  }

  /** The texts that a column of categories writes; null where they are not listed. */
  public List<String> categories(int column) {
    return columns.get(column).texts();
  }

  /**
   * A table's schema with the domain that this codec writes: the categories and, of numbers and
   * dates, the range that value protection left.
   */
  public FrozenSchema writable(FrozenSchema schema) {
    List<ColumnSchema> written = new ArrayList<>();
    for (int c = 0; c < columns.size(); c++) {
      ColumnSchema column = schema.columns().get(c);
      List<String> values = column.kind() == ColumnKind.CATEGORICAL ? columns.get(c).texts() : null;
      long[] range = column.kind().isNumeric() ? columns.get(c).range() : null;
      written.add(
          column.withDomain(
              range == null ? column.min() : (Long) range[0],
              range == null ? column.max() : (Long) range[1],
              values == null ? column.values() : values));
    }
    return new FrozenSchema(written);
  }

  /**
   * A value that may be written in place of another one: of an identifier, a fresh one of the same
   * form that no other record has; else the value itself.
   *
   * @param record the record's number
   */
  public Object renewed(int column, Object value, long record) {
    if (!(columns.get(column) instanceof IdentifierColumn identifier)) {
      return value;
    }
    int[] token = new int[1];
    identifier.encode(value, token, 0);
    return identifier.decode(token, 0, record, null);
  }

  /** The whole number after which a column's fresh keys go on; null for other columns. */
  public Long lastKey(int column) {
    return columns.get(column) instanceof IdentifierColumn identifier
        ? identifier.lastNumber()
        : null;
  }

  /** Whether a column's numbers are bins, of which {@link #withPlace} can make a place. */
  public boolean isBinned(int column) {
    return columns.get(column) instanceof BinnedNumberColumn;
  }

  /**
   * The same encoding, but two columns of numbers are learned as one place.
   *
   * @param first column, whose positions tell both
   * @param second column
   */
  public FieldCodec withPlace(int first, int second, PlacePoints points) {
    List<ColumnCodec> with = new ArrayList<>(columns);
    BinnedNumberColumn one = (BinnedNumberColumn) columns.get(first);
    BinnedNumberColumn two = (BinnedNumberColumn) columns.get(second);
    with.set(first, points.fit(second, one.range(), two.range(), one.missing() || two.missing()));
    with.set(second, new PlacedColumn(two.range()));
    return new FieldCodec(with);
  }

  /** Writes the tokens of one column's value; the others stay. */
  void encode(int column, Object value, int[] tokens) {
    columns.get(column).encode(value, tokens, firstPositions[column]);
  }

  /**
   * Writes the tokens at the positions of one column; the others stay.
   *
   * @param cells (columns) of the record
   */
  public void encode(int column, Object[] cells, int[] tokens) {
    if (columns.get(column) instanceof PlaceColumn place) {
      place.encode(cells[column], cells[place.partner()], tokens, firstPositions[column]);
    } else {
      columns.get(column).encode(cells[column], tokens, firstPositions[column]);
    }
  }

  /**
   * The tokens of a record of which some cells are given.
   *
   * @param cells (columns) null where nothing is given
   * @return (positions) -1 where the given cells do not tell a token
   */
  public int[] given(Object[] cells) {
    int[] tokens = new int[sizes.length];
    Arrays.fill(tokens, -1);
    for (int c = 0; c < cells.length; c++) {
      boolean isWhole =
          !(columns.get(c) instanceof PlaceColumn place) || cells[place.partner()] != null;
      if (cells[c] != null && isWhole) {
        encode(c, cells, tokens);
      }
    }
    return tokens;
  }

  /**
   * What the given cells tell of a position's tokens without telling which it is: of a place, one
   * coordinate of two.
   *
   * @param tokens (positions) of the record, as far as it is written
   * @return (V) logarithms of densities; null where they tell nothing or all
   */
  public float[] hint(Object[] cells, int position, int[] tokens) {
    int column = owners[position];
    if (!(columns.get(column) instanceof PlaceColumn place)) {
      return null;
    }
    Object first = cells[column];
    Object second = cells[place.partner()];
    if ((first == null) == (second == null)) {
      return null;
    }
    int axis = first == null ? 1 : 0;
    Long tick = (Long) (axis == 0 ? first : second);
    int at = firstPositions[column];
    return place.known(position - at, tokens, at, axis, tick);
  }

  /** The column that a position belongs to. */
  public int columnOf(int position) {
    return owners[position];
  }

  /**
   * The first position of each column whose token there tells enough to compare tables by; else -1.
   */
  public int[] comparablePositions() {
    int[] positions = firstPositions.clone();
    for (int c = 0; c < positions.length; c++) {
      positions[c] = columns.get(c).isComparable() ? positions[c] : -1;
    }
    return positions;
  }

  @Override
  public void encode(Object[] cells, int[] tokens) {
    for (int c = 0; c < firstPositions.length; c++) {
      encode(c, cells, tokens);
    }
  }

  @Override
  public Object[] decode(int[] tokens, long record, RandomGenerator random) {
    Object[] cells = new Object[columns.size()];
    for (int c = 0; c < cells.length; c++) {
      if (columns.get(c) instanceof PlaceColumn place) {
        Long[] both = place.place(tokens, firstPositions[c], random);
        cells[c] = both == null ? null : both[0];
        cells[place.partner()] = both == null ? null : both[1];
      } else if (!(columns.get(c) instanceof PlacedColumn)) {
        cells[c] = columns.get(c).decode(tokens, firstPositions[c], record, random);
      }
    }
    return cells;
  }

  /**
   * Reads one column's value from a record's tokens, as {@link #decode(int[], long,
   * RandomGenerator)}.
   */
  Object decode(int column, int[] tokens, long record, RandomGenerator random) {
    return columns.get(column).decode(tokens, firstPositions[column], record, random);
  }

  @Override
  public RecordGrammar grammar() {
    return new FieldGrammar(this, true);
  }

  /** As {@link #grammar}, but no value is missing where the column has others. */
  public RecordGrammar grammarWithoutMissing() {
    return new FieldGrammar(this, false);
  }

  /** Whether a column never has a value. */
  public boolean isAlwaysMissing(int column) {
    ColumnCodec of = columns.get(column);
    return of.missingToken() >= 0 && isTheOnlyWay(of, of.missingToken());
  }

  private boolean isTheOnlyWay(ColumnCodec column, int missingToken) {
    for (int token = 0; token < column.sizes()[0]; token++) {
      if (token != missingToken && column.isWritable(0, token)) {
        return false;
      }
    }
    return true;
  }

  /** The fixed layout's grammar is a table. */
  private record FieldGrammar(FieldCodec codec, boolean missing) implements RecordGrammar {
    @Override
    public boolean isWritable(int position, int token) {
      ColumnCodec column = codec.columns.get(codec.owners[position]);
      int own = position - codec.firstPositions[codec.owners[position]];
      boolean isMissing = own == 0 && token == column.missingToken();
      if (isMissing && !missing && !codec.isTheOnlyWay(column, token)) {
        return false;
      }
      return column.isWritable(own, token);
    }

    @Override
    public int[] limits(int position) {
      int column = codec.owners[position];
      return codec.columns.get(column).limits(position - codec.firstPositions[column]);
    }
  }
}
