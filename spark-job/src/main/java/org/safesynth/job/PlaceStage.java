package org.safesynth.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Row;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.PlacePoints;
import org.safesynth.codec.Protection;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Finds pairs of columns that are latitude and longitude, and has each pair learned as one place,
 * so that what is written lies where something real was near: {@code data.coordinates}, or columns
 * that are called so and hold degrees.
 */
final class PlaceStage {
  /** Points that cells are fitted to, at most. */
  private static final int MOST_POINTS = 200_000;

  /** So many more are taken below the bound, so that chance leaves enough. */
  private static final double SPARE = 1.05;

  private static final double MOST_LATITUDE = 90;
  private static final double MOST_LONGITUDE = 180;
  private static final Set<String> LATITUDE = Set.of("latitude", "lat");
  private static final List<String> LONGITUDE = List.of("longitude", "lon", "lng", "long");

  private final RunContext context;
  private final TableSource table;
  private final SchemaStage.Inferred inferred;

  PlaceStage(RunContext context, TableSource table, SchemaStage.Inferred inferred) {
    this.context = context;
    this.table = table;
    this.inferred = inferred;
  }

  /** A latitude and its longitude, as columns of the table. */
  record Pair(int latitude, int longitude) implements Serializable {}

  /** The encoding with places in it. */
  FieldCodec placed(FieldCodec codec) {
    FieldCodec placed = codec;
    Protection protection = CodecStage.protection(context);
    for (Pair pair : pairs(codec)) {
      String latitude = inferred.schema().columns().get(pair.latitude()).name();
      String longitude = inferred.schema().columns().get(pair.longitude()).name();
      List<Point> points = points(pair);
      if (!areTogether(pair, points.size())) {
        context
            .console()
            .warn(
                "'%s' and '%s' are learned apart, not as one place: rows have one of them without the other"
                    .formatted(latitude, longitude));
        continue;
      }
      PlacePoints of =
          new PlacePoints(
              points.stream().mapToLong(Point::latitude).toArray(),
              points.stream().mapToLong(Point::longitude).toArray(),
              units(inferred.schema(), pair, points),
              inferred.profile().rows(),
              Math.max(protection.threshold(latitude), protection.threshold(longitude)));
      placed = placed.withPlace(pair.latitude(), pair.longitude(), of);
      context
          .console()
          .progress(
              "places",
              "'%s' and '%s' are learned as one place".formatted(latitude, longitude),
              Map.of("latitude", latitude, "longitude", longitude));
    }
    return placed;
  }

  /**
   * Whether rows have both coordinates or none: a place is missing as a whole. Of a table whose
   * rows were not all looked at, the numbers of missing values tell.
   */
  private boolean areTogether(Pair pair, int points) {
    List<ColumnProfile> profiles = inferred.profile().columns();
    long missing = profiles.get(pair.latitude()).missing();
    long rows = inferred.profile().rows();
    boolean isWhole = rows > MOST_POINTS || points == rows - missing;
    return points > 0 && missing == profiles.get(pair.longitude()).missing() && isWhole;
  }

  private List<Pair> pairs(FieldCodec codec) {
    Map<String, String> declared = context.config().data().coordinates();
    if (declared == null) {
      return found(inferred.schema()).stream()
          .filter(pair -> codec.isBinned(pair.latitude()) && codec.isBinned(pair.longitude()))
          .filter(this::holdsDegrees)
          .toList();
    }
    List<Pair> pairs = new ArrayList<>();
    declared.forEach(
        (latitude, longitude) -> {
          Pair pair = new Pair(column(latitude), column(longitude));
          if (codec.isBinned(pair.latitude()) && codec.isBinned(pair.longitude())) {
            pairs.add(pair);
          } else {
            context
                .console()
                .warn(
                    "'%s' and '%s' have few different values: each is learned as a set, not both as one place"
                        .formatted(latitude, longitude));
          }
        });
    return pairs;
  }

  private int column(String name) {
    int column = GroupStages.column(inferred.schema(), name);
    if (column < 0) {
      throw new BadInputException(
          "data.coordinates names '%s', but %s has no such column (it has %s)"
              .formatted(name, table.name(), String.join(", ", table.rows().columns())));
    }
    ColumnKind kind = inferred.schema().columns().get(column).kind();
    if (kind != ColumnKind.DECIMAL && kind != ColumnKind.INTEGER) {
      throw new BadInputException(
          "data.coordinates names '%s', which is read as %s; name columns of numbers, or declare its kind in data.schema_file"
              .formatted(name, SchemaStage.word(kind)));
    }
    return column;
  }

  /** Pairs by name: the same words, but for the one that says which coordinate it is. */
  static List<Pair> found(FrozenSchema schema) {
    Map<List<String>, Integer> byWords = new LinkedHashMap<>();
    for (int c = 0; c < schema.columns().size(); c++) {
      ColumnKind kind = schema.columns().get(c).kind();
      if (kind == ColumnKind.DECIMAL || kind == ColumnKind.INTEGER) {
        byWords.putIfAbsent(words(schema.columns().get(c).name()), c);
      }
    }
    List<Pair> pairs = new ArrayList<>();
    for (Map.Entry<List<String>, Integer> entry : byWords.entrySet()) {
      Integer partner = longitude(entry.getKey(), byWords);
      if (partner != null) {
        pairs.add(new Pair(entry.getValue(), partner));
      }
    }
    return pairs;
  }

  private static Integer longitude(List<String> words, Map<List<String>, Integer> byWords) {
    for (int i = 0; i < words.size(); i++) {
      for (String longitude : LATITUDE.contains(words.get(i)) ? LONGITUDE : List.<String>of()) {
        List<String> partner = new ArrayList<>(words);
        partner.set(i, longitude);
        if (byWords.containsKey(partner)) {
          return byWords.get(partner);
        }
      }
    }
    return null;
  }

  /** A name's words: pickupLatitude, pickup_latitude and "Pickup latitude" have the same ones. */
  private static List<String> words(String name) {
    return Arrays.stream(name.split("[^\\p{L}\\p{N}]+|(?<=\\p{Ll})(?=\\p{Lu})"))
        .filter(word -> !word.isEmpty())
        .map(word -> word.toLowerCase(Locale.ROOT))
        .toList();
  }

  private boolean holdsDegrees(Pair pair) {
    return isWithin(pair.latitude(), MOST_LATITUDE) && isWithin(pair.longitude(), MOST_LONGITUDE);
  }

  private boolean isWithin(int column, double most) {
    double unit = unit(inferred.schema().columns().get(column));
    long[] lows = inferred.profile().columns().get(column).lowTicks();
    long[] highs = inferred.profile().columns().get(column).highTicks();
    return lows[0] * unit >= -most && highs[highs.length - 1] * unit <= most;
  }

  /** Degrees of a tick. */
  private static double unit(ColumnSchema column) {
    return Math.pow(10, -column.scale());
  }

  /** A degree of longitude is as long as one of latitude times the cosine of the latitude. */
  private static double[] units(FrozenSchema schema, Pair pair, List<Point> points) {
    double latitude = unit(schema.columns().get(pair.latitude()));
    double mean = points.stream().mapToLong(Point::latitude).average().orElse(0) * latitude;
    double shrink = Math.max(0.01, Math.cos(Math.toRadians(mean)));
    return new double[] {latitude, unit(schema.columns().get(pair.longitude())) * shrink};
  }

  /**
   * A place with the keyed hash of its row, by which it is or is not taken.
   *
   * @param latitude in ticks
   * @param longitude in ticks
   */
  record Point(long high, long low, long latitude, long longitude) implements Serializable {}

  private static final class ByHash implements Comparator<Point>, Serializable {
    @Override
    public int compare(Point a, Point b) {
      int c = Long.compareUnsigned(a.high(), b.high());
      c = c != 0 ? c : Long.compareUnsigned(a.low(), b.low());
      c = c != 0 ? c : Long.compare(a.latitude(), b.latitude());
      return c != 0 ? c : Long.compare(a.longitude(), b.longitude());
    }
  }

  /**
   * Places of the table, those of the rows with the least hashes where there are many: tasks send
   * the few that lie below a bound, not as many each as are wanted of all.
   */
  private List<Point> points(Pair pair) {
    MapFunction<Row, Object[]> cells = inferred.cells();
    RecordIdentity identity = new RecordIdentity(context.seed());
    double share = Math.min(1, SPARE * MOST_POINTS / inferred.profile().rows());
    return table.reading(
        () ->
            table
                .rows()
                .javaRDD()
                .mapPartitions(part -> new Points(part, cells, pair, identity.hasher()))
                .filter(point -> (point.high() >>> 1) <= share * Long.MAX_VALUE)
                .takeOrdered(MOST_POINTS, new ByHash()));
  }

  /** The places of a partition's rows; rows without one are passed over. */
  private static final class Points implements Iterator<Point> {
    private final Iterator<Row> rows;
    private final MapFunction<Row, Object[]> cells;
    private final Pair pair;
    private final RecordIdentity.Hasher hasher;
    private Point next;

    Points(
        Iterator<Row> rows,
        MapFunction<Row, Object[]> cells,
        Pair pair,
        RecordIdentity.Hasher hasher) {
      this.rows = rows;
      this.cells = cells;
      this.pair = pair;
      this.hasher = hasher;
    }

    @Override
    public boolean hasNext() {
      while (next == null && rows.hasNext()) {
        Object[] of = EncodedRows.called(cells, rows.next());
        if (of[pair.latitude()] != null && of[pair.longitude()] != null) {
          RecordIdentity.Hash hash = hasher.ofCells(of);
          next =
              new Point(
                  hash.high(), hash.low(), (Long) of[pair.latitude()], (Long) of[pair.longitude()]);
        }
      }
      return next != null;
    }

    @Override
    public Point next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Point point = next;
      next = null;
      return point;
    }
  }
}
