package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.safesynth.codec.GroupCodec;
import org.safesynth.fault.RunFailedException;
import org.safesynth.schema.FrozenSchema;

/**
 * Groups all of whose rows meet {@code generation.constraints}: a group with a row that does not is
 * thrown away whole and counted, so that what is left is distributed as the model's groups that
 * meet them. Rows alone cannot be thrown away: the rows after them were written in their context.
 */
final class GroupConstraints {
  private final RunContext context;
  private final RowConstraints constraints;
  private final long[] missed; // (constraints) rows
  private long groups;
  private long keptGroups;
  private long rows;
  private long keptRows;

  GroupConstraints(RunContext context, RowConstraints constraints) {
    this.context = context;
    this.constraints = constraints;
    this.missed = new long[constraints.texts().size()];
  }

  /** Reads the conditions against the rows of the groups. */
  static GroupConstraints of(RunContext context, FrozenSchema schema, GroupCodec codec) {
    List<String> texts = context.config().generation().constraints();
    return new GroupConstraints(
        context,
        RowConstraints.of(
            context.spark(),
            schema,
            codec.fields(),
            column ->
                column == codec.layout().orderColumn() ? -1 : codec.layout().derivedColumn(column),
            texts));
  }

  /** Share of the groups that are kept, so far. */
  double keptShare() {
    return groups == 0 ? 1 : (double) keptGroups / groups;
  }

  boolean hasRejected() {
    return keptGroups < groups;
  }

  /**
   * The groups that are kept.
   *
   * @param candidates numbered rows of whole groups
   * @param scratch where they are written, to be looked at twice
   */
  Dataset<Row> kept(Dataset<Row> candidates, Path scratch) {
    candidates.write().mode(SaveMode.Overwrite).parquet(scratch.toString());
    Dataset<Row> all = context.spark().read().parquet(scratch.toString());
    Dataset<Row> broken =
        all.where(not(constraints.allMet())).select(col(FirstGroups.NUMBER)).distinct();
    Dataset<Row> kept =
        all.join(broken, new String[] {FirstGroups.NUMBER}, "left_anti")
            .select(TableSource.columns(all));
    ConditionFaults.evaluating(constraints.texts(), () -> count(all, kept));
    return kept;
  }

  private void count(Dataset<Row> all, Dataset<Row> kept) {
    Column isFirst = col(FirstGroups.INDEX).equalTo(0);
    Column[] misses = new Column[missed.length];
    for (int i = 0; i < misses.length; i++) {
      misses[i] = count_if(not(RowConstraints.met(constraints.texts().get(i))));
    }
    Row of = all.agg(count_if(lit(true)), prepended(count_if(isFirst), misses)).head();
    rows += of.getLong(0);
    groups += of.getLong(1);
    for (int i = 0; i < missed.length; i++) {
      missed[i] += of.getLong(i + 2);
    }
    Row left = kept.agg(count_if(lit(true)), count_if(isFirst)).head();
    keptRows += left.getLong(0);
    keptGroups += left.getLong(1);
  }

  private static Column[] prepended(Column first, Column[] others) {
    Column[] all = new Column[others.length + 1];
    all[0] = first;
    System.arraycopy(others, 0, all, 1, others.length);
    return all;
  }

  RunFailedException tooFew() {
    int worst = 0;
    for (int i = 1; i < missed.length; i++) {
      worst = missed[i] > missed[worst] ? i : worst;
    }
    return new RunFailedException(
        "only %,d of %,d sampled groups meet generation.constraints in all of their rows ('%s' is missed by %,d of %,d rows); relax it, or ask for less"
            .formatted(keptGroups, groups, constraints.texts().get(worst), missed[worst], rows));
  }

  /** What was thrown away: the content of {@code rejected.json}. */
  Map<String, Object> rejected() {
    Map<String, Object> summary = new LinkedHashMap<>();
    summary.put("rejected", rows - keptRows);
    summary.put("rejected_groups", groups - keptGroups);
    summary.put("valid", keptRows);
    summary.put("valid_fraction", rows == 0 ? 1.0 : (double) keptRows / rows);
    summary.put("reasons", RowConstraints.reasons(List.copyOf(constraints.texts()), missed));
    return summary;
  }
}
