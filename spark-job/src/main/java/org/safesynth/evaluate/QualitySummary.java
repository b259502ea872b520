package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;

/**
 * Says at the end of a run how close the synthetic table is to the real one: distributions of
 * single columns and of pairs, over coarse codes, by one pass over both tables.
 *
 * <p>A similarity is one less the total variation distance: 1 when the two distributions are equal,
 * 0 when they have no value in common. Two samples of the same table also differ by chance, the
 * more the fewer rows there are. Computed from exact counts: the same for any partitioning. It is a
 * quick look, not an evaluation: it sees no more than two columns at a time.
 *
 * @param realRows real rows that were compared
 * @param syntheticRows synthetic rows that were compared
 * @param columns each column's similarity, in the table's order
 * @param shapes mean of {@code columns}
 * @param pairs mean similarity of the compared pairs, or 1 when the table has only one column
 * @param comparedPairs number of pairs compared, at most {@value CellLayout#PAIRS}
 * @param weakestColumns the three least similar columns, the least first
 * @param weakestPairs the three least similar pairs, the least first
 */
public record QualitySummary(
    long realRows,
    long syntheticRows,
    List<ColumnSimilarity> columns,
    double shapes,
    double pairs,
    int comparedPairs,
    List<ColumnSimilarity> weakestColumns,
    List<PairSimilarity> weakestPairs) {
  private static final int WEAKEST = 3;

  /** How similar one column's distribution is. */
  public record ColumnSimilarity(String column, double similarity) {}

  /** How similar the joint distribution of two columns is. */
  public record PairSimilarity(String first, String second, double similarity) {}

  /**
   * Compares two tables in one Spark job. The driver gets counts, never rows.
   *
   * @param columns the columns of both tables
   * @param real rows of codes, one a column
   * @param synthetic likewise
   * @throws IllegalArgumentException when a table has no rows
   */
  public static QualitySummary of(
      List<CodedColumn> columns, JavaRDD<int[]> real, JavaRDD<int[]> synthetic) {
    CellLayout layout = new CellLayout(columns);
    JavaRDD<CellCounts> partitions =
        real.mapPartitions(rows -> List.of(CellCounts.ofReal(layout, rows)).iterator())
            .union(
                synthetic.mapPartitions(
                    rows -> List.of(CellCounts.ofSynthetic(layout, rows)).iterator()));
    CellCounts counts =
        partitions.treeAggregate(CellCounts.none(), CellCounts::plus, CellCounts::plus);
    return of(layout, counts);
  }

  static QualitySummary of(CellLayout layout, CellCounts counts) {
    if (counts.realRows() == 0 || counts.syntheticRows() == 0) {
      throw new IllegalArgumentException(
          "nothing to compare: %,d real and %,d synthetic rows"
              .formatted(counts.realRows(), counts.syntheticRows()));
    }
    List<ColumnSimilarity> columns = new ArrayList<>(layout.columns());
    for (int column = 0; column < layout.columns(); column++) {
      double similarity = counts.similarity(layout.columnStart(column), layout.columnEnd(column));
      columns.add(new ColumnSimilarity(layout.columnName(column), similarity));
    }
    List<PairSimilarity> pairs = new ArrayList<>(layout.pairs());
    for (int pair = 0; pair < layout.pairs(); pair++) {
      double similarity = counts.similarity(layout.pairStart(pair), layout.pairEnd(pair));
      String first = layout.columnName(layout.first(pair));
      String second = layout.columnName(layout.second(pair));
      pairs.add(new PairSimilarity(first, second, similarity));
    }
    return new QualitySummary(
        counts.realRows(),
        counts.syntheticRows(),
        List.copyOf(columns),
        columns.stream().mapToDouble(ColumnSimilarity::similarity).average().orElse(1),
        pairs.stream().mapToDouble(PairSimilarity::similarity).average().orElse(1),
        pairs.size(),
        columns.stream()
            .sorted(Comparator.comparingDouble(ColumnSimilarity::similarity))
            .limit(WEAKEST)
            .toList(),
        pairs.stream()
            .sorted(Comparator.comparingDouble(PairSimilarity::similarity))
            .limit(WEAKEST)
            .toList());
  }
}
