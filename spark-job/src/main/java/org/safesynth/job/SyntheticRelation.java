package org.safesynth.job;

import java.util.Arrays;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.sources.PrunedScan;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.LongAccumulator;
import org.safesynth.schema.FrozenSchema;

/**
 * The table that a model writes, sampled on the executors whenever it is scanned. A scan of some
 * columns samples whole rows and drops the others, so that a column's values do not depend on what
 * else is read.
 */
final class SyntheticRelation extends BaseRelation implements PrunedScan {
  private final RunContext context;
  private final FrozenSchema schema;
  private final CompletionStage completion; // Spark lets go of its rows with this object

  /**
   * @param completion completes given rows; null where whole rows are sampled
   */
  SyntheticRelation(RunContext context, FrozenSchema schema, CompletionStage completion) {
    this.context = context;
    this.schema = schema;
    this.completion = completion;
  }

  @Override
  public SQLContext sqlContext() {
    return context.spark().sqlContext();
  }

  @Override
  public StructType schema() {
    return completion == null ? GenerateStage.type(schema) : completion.type();
  }

  @Override
  public RDD<Row> buildScan(String[] requiredColumns) {
    LongAccumulator rows = context.spark().sparkContext().longAccumulator("synthetic rows");
    Dataset<Row> table = table(rows);
    Column[] columns =
        Arrays.stream(requiredColumns)
            .map(name -> functions.col('`' + name.replace("`", "``") + '`'))
            .toArray(Column[]::new);
    return table.select(columns).rdd();
  }

  private Dataset<Row> table(LongAccumulator rows) {
    if (completion != null) {
      return completion.table(rows);
    }
    return context.config().isEmbedded()
        ? GenerateStage.run(context, schema, rows)
        : new LanguageStage(context, schema).table(null, rows);
  }
}
