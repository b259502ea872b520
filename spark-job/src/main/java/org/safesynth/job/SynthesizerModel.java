package org.safesynth.job;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.Model;
import org.apache.spark.ml.param.LongParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.safesynth.fault.BadInputException;

/**
 * What {@link TableSynthesizer} has learned: a Spark ML model whose {@code transform} gives a
 * synthetic table in place of a real one. It keeps the path of the run folder, not a copy of it.
 */
public final class SynthesizerModel extends Model<SynthesizerModel>
    implements DefaultParamsWritable {
  private final String uid;
  private final Param<String> runPath;
  private final LongParam numRecords;
  private final LongParam seed;

  public SynthesizerModel(String uid) {
    this.uid = uid; // before the parameters, which take it for their parent's
    this.runPath = new Param<>(this, "runPath", "folder of the run that trained the model");
    this.numRecords =
        new LongParam(
            this, "numRecords", "rows to sample; without it as many as the table given has");
    this.seed = new LongParam(this, "seed", "seed of sampling; without it the run's");
  }

  SynthesizerModel(String uid, String runPath) {
    this(uid);
    set(this.runPath, runPath);
  }

  @Override
  public String uid() {
    return uid;
  }

  public Param<String> runPath() {
    return runPath;
  }

  public LongParam numRecords() {
    return numRecords;
  }

  public LongParam seed() {
    return seed;
  }

  public SynthesizerModel setNumRecords(long rows) {
    set(numRecords, rows);
    return this;
  }

  public SynthesizerModel setSeed(long value) {
    set(seed, value);
    return this;
  }

  /** A synthetic table with as many rows as are set, or as the given one has. */
  @Override
  public Dataset<Row> transform(Dataset<?> table) {
    long rows = isDefined(numRecords) ? (Long) getOrDefault(numRecords) : table.count();
    if (rows < 1) {
      throw new BadInputException(
          "SynthesizerModel: the table given has no rows; set numRecords to the rows wanted");
    }
    return generate(table.sparkSession(), rows);
  }

  /** A synthetic table, sampled when it is read. */
  public Dataset<Row> generate(SparkSession spark, long rows) {
    DataFrameReader reader =
        spark
            .read()
            .format(SyntheticSource.class.getName())
            .option("model", getOrDefault(runPath))
            .option("num_records", rows);
    return isDefined(seed)
        ? reader.option("seed", (Long) getOrDefault(seed)).load()
        : reader.load();
  }

  @Override
  public StructType transformSchema(StructType schema) {
    Configuration hadoop = SparkSession.active().sparkContext().hadoopConfiguration();
    RunFolder folder = RunFolder.toGenerate(hadoop, new Path(getOrDefault(runPath)));
    return GenerateStage.type(SchemaStage.read(folder));
  }

  @Override
  public SynthesizerModel copy(ParamMap extra) {
    SynthesizerModel copied = (SynthesizerModel) defaultCopy(extra);
    copied.setParent(parent());
    return copied;
  }

  @Override
  public MLWriter write() {
    return DefaultParamsWritable.super.write();
  }

  /** Reads what {@link #write} wrote. */
  public static MLReader<SynthesizerModel> read() {
    return new DefaultParamsReader<>();
  }

  /** Loads what was saved in a folder. */
  public static SynthesizerModel load(String path) {
    return read().load(path);
  }
}
