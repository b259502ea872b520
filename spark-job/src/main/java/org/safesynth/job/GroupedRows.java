package org.safesynth.job;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.Partitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.safesynth.codec.Rhythm;
import org.safesynth.schema.TimeOfDay;
import scala.Tuple2;

/**
 * Brings the rows of each group together, in order, wherever the input had them. A group is read as
 * a stream, never held, and may have any number of rows.
 *
 * <p>Groups are known by the keyed hash of their key. Rows of equal order stand by the keyed hash
 * of their content, since a table's rows have no stable order; without an order column they stand
 * as the source gives them.
 */
final class GroupedRows {
  /** Of fewer times as many groups as protect a value, these are no small part. */
  private static final int FEW = 10;

  /** Groups of so many rows or more are counted as one size: the smallest are looked for. */
  private static final int COUNTED_SIZES = 2_000;

  private GroupedRows() {}

  /**
   * A row of a group.
   *
   * @param high of the group's identity
   * @param low of the group's identity
   * @param index number of the row in its group, from 0
   * @param before the order column's tick in the row before; null for the first and without order
   * @param rhythm of the group up to this row; null without order
   * @param isLast whether it is the group's last row
   * @param isCut whether rows after it were left out, as {@link CappedGroups} does
   * @param cells of the table
   */
  record Member(
      long high,
      long low,
      int index,
      Long before,
      Rhythm rhythm,
      boolean isLast,
      boolean isCut,
      Object[] cells)
      implements Serializable {}

  /** Where a row stands. */
  record Place(long high, long low, long order, long tieHigh, long tieLow)
      implements Serializable {}

  /** Compares unsigned hashes, then the order, then the content. */
  static final class ByPlace implements Comparator<Place>, Serializable {
    @Override
    public int compare(Place a, Place b) {
      int c = Long.compareUnsigned(a.high(), b.high());
      c = c != 0 ? c : Long.compareUnsigned(a.low(), b.low());
      c = c != 0 ? c : Long.compare(a.order(), b.order());
      c = c != 0 ? c : Long.compareUnsigned(a.tieHigh(), b.tieHigh());
      return c != 0 ? c : Long.compareUnsigned(a.tieLow(), b.tieLow());
    }
  }

  /** Whole groups to a partition, and partitions in the order of the groups' identities. */
  static final class ByGroup extends Partitioner {
    private final int partitions;

    ByGroup(int partitions) {
      this.partitions = partitions;
    }

    @Override
    public int numPartitions() {
      return partitions;
    }

    @Override
    public int getPartition(Object place) {
      return NumberedCopies.range(((Place) place).high(), partitions);
    }
  }

  /**
   * The rows, group by group.
   *
   * @param cells reads a row's canonical cells
   * @param orderColumn -1 for the source's order
   * @param partitions that the groups are spread over
   */
  static JavaRDD<Member> of(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      int groupColumn,
      int orderColumn,
      RecordIdentity identity,
      int partitions) {
    return of(rows, cells, groupColumn, orderColumn, null, identity, partitions);
  }

  /**
   * The same for times of day, which order nothing: rows stand as the source gives them, and a time
   * before that of the row before is one of the next day.
   *
   * @param rolling how the order column's times are written; null for what orders the rows
   */
  static JavaRDD<Member> of(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      int groupColumn,
      int orderColumn,
      TimeOfDay rolling,
      RecordIdentity identity,
      int partitions) {
    int sortColumn = rolling == null ? orderColumn : -1;
    return sorted(rows, cells, groupColumn, sortColumn, identity, partitions)
        .mapPartitions(sorted -> new Members(sorted, orderColumn, rolling));
  }

  /** The same, where longer groups are cut to so many rows by a key ({@link CappedGroups}). */
  static JavaRDD<Member> capped(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      int groupColumn,
      int orderColumn,
      RecordIdentity identity,
      int partitions,
      int mostRows) {
    return sorted(rows, cells, groupColumn, orderColumn, identity, partitions)
        .mapPartitions(sorted -> new CappedGroups(sorted, orderColumn, mostRows));
  }

  private static JavaPairRDD<Place, Object[]> sorted(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      int groupColumn,
      int orderColumn,
      RecordIdentity identity,
      int partitions) {
    return numbered(rows, orderColumn)
        .mapPartitionsToPair(part -> new Placed(part, cells, groupColumn, orderColumn, identity))
        .repartitionAndSortWithinPartitions(new ByGroup(partitions), new ByPlace());
  }

  /**
   * One row of each group: the one whose content has the least keyed hash. Which one that is
   * depends on the group's own rows alone.
   */
  static Dataset<Row> oneOfEach(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      int groupColumn,
      RecordIdentity identity) {
    JavaRDD<Row> chosen =
        rows.javaRDD()
            .mapPartitionsToPair(
                part -> {
                  RecordIdentity.Hasher hasher = identity.hasher();
                  return new Iterator<Tuple2<RecordIdentity.Hash, Tuple2<Place, Row>>>() {
                    @Override
                    public boolean hasNext() {
                      return part.hasNext();
                    }

                    @Override
                    public Tuple2<RecordIdentity.Hash, Tuple2<Place, Row>> next() {
                      Row row = part.next();
                      Object[] of = EncodedRows.called(cells, row);
                      RecordIdentity.Hash group = hasher.ofCells(new Object[] {of[groupColumn]});
                      RecordIdentity.Hash own = hasher.ofCells(new Object[] {row.toString()});
                      Place place = new Place(own.high(), own.low(), 0, 0, 0);
                      return new Tuple2<>(group, new Tuple2<>(place, row));
                    }
                  };
                })
            .reduceByKey((a, b) -> new ByPlace().compare(a._1(), b._1()) <= 0 ? a : b)
            .values()
            .map(Tuple2::_2);
    return rows.sparkSession().createDataFrame(chosen, rows.schema());
  }

  /** The rows with their numbers in the source's order; all 0 where a column orders them. */
  static JavaPairRDD<Row, Long> numbered(Dataset<Row> rows, int orderColumn) {
    return orderColumn < 0
        ? GivenCells.inOrder(rows).javaRDD().zipWithIndex()
        : rows.javaRDD().mapPartitionsToPair(Unnumbered::new);
  }

  private record Unnumbered(Iterator<Row> rows) implements Iterator<Tuple2<Row, Long>> {
    @Override
    public boolean hasNext() {
      return rows.hasNext();
    }

    @Override
    public Tuple2<Row, Long> next() {
      return new Tuple2<>(rows.next(), 0L);
    }
  }

  private static final class Placed implements Iterator<Tuple2<Place, Object[]>> {
    private final Iterator<Tuple2<Row, Long>> rows;
    private final MapFunction<Row, Object[]> cells;
    private final int groupColumn;
    private final int orderColumn;
    private final RecordIdentity.Hasher hasher;

    Placed(
        Iterator<Tuple2<Row, Long>> rows,
        MapFunction<Row, Object[]> cells,
        int groupColumn,
        int orderColumn,
        RecordIdentity identity) {
      this.rows = rows;
      this.cells = cells;
      this.groupColumn = groupColumn;
      this.orderColumn = orderColumn;
      this.hasher = identity.hasher();
    }

    @Override
    public boolean hasNext() {
      return rows.hasNext();
    }

    @Override
    public Tuple2<Place, Object[]> next() {
      Tuple2<Row, Long> row = rows.next();
      Object[] of = EncodedRows.called(cells, row._1());
      RecordIdentity.Hash group = hasher.ofCells(new Object[] {of[groupColumn]});
      long order = orderColumn < 0 ? row._2() : (Long) of[orderColumn];
      RecordIdentity.Hash tie = hasher.ofCells(of);
      return new Tuple2<>(new Place(group.high(), group.low(), order, tie.high(), tie.low()), of);
    }
  }

  /** Numbers the rows of each group; looks one row ahead. */
  static final class Members implements Iterator<Member> {
    private final Iterator<Tuple2<Place, Object[]>> sorted;
    private final int orderColumn;
    private final TimeOfDay rolling; // null for what orders the rows
    private Tuple2<Place, Object[]> next;
    private Place group;
    private int index;
    private Rhythm rhythm;

    Members(Iterator<Tuple2<Place, Object[]>> sorted, int orderColumn) {
      this(sorted, orderColumn, null);
    }

    Members(Iterator<Tuple2<Place, Object[]>> sorted, int orderColumn, TimeOfDay rolling) {
      this.sorted = sorted;
      this.orderColumn = orderColumn;
      this.rolling = rolling;
      advance();
    }

    private void advance() {
      next = sorted.hasNext() ? sorted.next() : null;
    }

    private boolean isOfGroup() {
      return next != null && next._1().high() == group.high() && next._1().low() == group.low();
    }

    @Override
    public boolean hasNext() {
      return next != null;
    }

    @Override
    public Member next() {
      if (next == null) {
        throw new NoSuchElementException();
      }
      Tuple2<Place, Object[]> row = next;
      if (group == null || !isOfGroup()) {
        group = row._1();
        index = 0;
        rhythm = null;
      }
      advance();
      Long before = rhythm == null ? null : rhythm.last();
      Object[] cells = row._2();
      if (orderColumn >= 0 && cells[orderColumn] != null) {
        if (rolling != null && before != null) {
          cells = cells.clone();
          cells[orderColumn] = rolling.notBefore(before, (Long) cells[orderColumn]);
        }
        long tick = (Long) cells[orderColumn];
        rhythm = rhythm == null ? Rhythm.of(tick) : rhythm.next(tick);
      }
      return new Member(
          group.high(), group.low(), index++, before, rhythm, !isOfGroup(), false, cells);
    }
  }

  /** What one pass finds of the groups. */
  static final class Facts implements Serializable {
    private long groups;
    private long rows;
    private int mostRows;
    private final long[] sizes = new long[COUNTED_SIZES + 1]; // groups of so many rows
    private long firstEnd = Long.MAX_VALUE;
    private long lastEnd = Long.MIN_VALUE;
    private final boolean[] varies; // (columns)
    private transient Object[] first;

    Facts(int columns) {
      this.varies = new boolean[columns];
    }

    void add(Member member) {
      rows++;
      if (member.index() == 0) {
        groups++;
        first = member.cells();
      }
      mostRows = Math.max(mostRows, member.index() + 1);
      sizes[Math.min(COUNTED_SIZES, member.index() + 1)] += member.isLast() ? 1 : 0;
      if (member.isLast() && member.rhythm() != null) {
        firstEnd = Math.min(firstEnd, member.rhythm().last());
        lastEnd = Math.max(lastEnd, member.rhythm().last());
      }
      for (int c = 0; c < varies.length; c++) {
        varies[c] |= !java.util.Objects.equals(first[c], member.cells()[c]);
      }
    }

    private Facts add(Facts other) {
      groups += other.groups;
      rows += other.rows;
      mostRows = Math.max(mostRows, other.mostRows);
      Arrays.setAll(sizes, size -> sizes[size] + other.sizes[size]);
      firstEnd = Math.min(firstEnd, other.firstEnd);
      lastEnd = Math.max(lastEnd, other.lastEnd);
      for (int c = 0; c < varies.length; c++) {
        varies[c] |= other.varies[c];
      }
      return this;
    }

    long groups() {
      return groups;
    }

    long rows() {
      return rows;
    }

    int mostRows() {
      return mostRows;
    }

    /**
     * Rows that groups have at least, as far as enough of them show it; 1 of a few groups, of which
     * those that show it would be too many to be the smallest.
     *
     * @param threshold groups that have no more rows
     */
    int leastRows(int threshold) {
      if (groups < (long) FEW * threshold) {
        return 1;
      }
      long smaller = 0;
      int size = 0;
      while (smaller < threshold) {
        smaller += sizes[++size];
      }
      return size;
    }

    /** The tick of every whole group's last row; null where they end at different ones. */
    Long commonEnd() {
      return firstEnd == lastEnd ? lastEnd : null;
    }

    /** Columns with one value in every group; none where no group has a second row. */
    boolean[] constant() {
      boolean[] constant = new boolean[varies.length];
      for (int c = 0; c < constant.length; c++) {
        constant[c] = mostRows > 1 && !varies[c];
      }
      return constant;
    }
  }

  static Facts facts(JavaRDD<Member> members, int columns) {
    return members
        .mapPartitions(
            part -> {
              Facts facts = new Facts(columns);
              part.forEachRemaining(facts::add);
              return Arrays.asList(facts).iterator();
            })
        .reduce(Facts::add);
  }
}
