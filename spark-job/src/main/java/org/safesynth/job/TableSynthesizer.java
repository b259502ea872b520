package org.safesynth.job;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.ml.Estimator;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.param.StringArrayParam;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.types.StructType;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

/**
 * A Spark ML estimator that learns a table: {@code fit} does what {@code run train} does, on a
 * dataset instead of a path, and leaves the same run folder.
 *
 * <p>The dataset is read several times: cache it where that is dear, and let it be deterministic.
 */
public final class TableSynthesizer extends Estimator<SynthesizerModel>
    implements DefaultParamsWritable {
  private final String uid;
  private final Param<String> artifactPath;
  private final Param<String> runId;
  private final Param<String> config;
  private final StringArrayParam parameters;

  public TableSynthesizer() {
    this(Identifiable$.MODULE$.randomUID("tableSynthesizer"));
  }

  public TableSynthesizer(String uid) {
    this.uid = uid; // before the parameters, which take it for their parent's
    this.artifactPath = new Param<>(this, "artifactPath", "folder that holds the run folders");
    this.runId = new Param<>(this, "runId", "the run's folder; without one it is named by time");
    this.config = new Param<>(this, "config", "parameters as a YAML file");
    this.parameters =
        new StringArrayParam(
            this, "parameters", "parameters as NAME=VALUE, over those of the file");
    setDefault(artifactPath, "safe-synthesizer-artifacts");
    setDefault(parameters, new String[0]);
  }

  @Override
  public String uid() {
    return uid;
  }

  public Param<String> artifactPath() {
    return artifactPath;
  }

  public Param<String> runId() {
    return runId;
  }

  public Param<String> config() {
    return config;
  }

  public StringArrayParam parameters() {
    return parameters;
  }

  public TableSynthesizer setArtifactPath(String folder) {
    set(artifactPath, folder);
    return this;
  }

  public TableSynthesizer setRunId(String name) {
    set(runId, name);
    return this;
  }

  public TableSynthesizer setConfig(String file) {
    set(config, file);
    return this;
  }

  /**
   * Sets a parameter of the run, over the file's.
   *
   * @param name its path, such as {@code privacy.epsilon}
   */
  public TableSynthesizer setParameter(String name, Object value) {
    String[] before = getOrDefault(parameters);
    String[] all = Arrays.copyOf(before, before.length + 1);
    all[before.length] = name + "=" + value;
    set(parameters, all);
    return this;
  }

  @Override
  public StructType transformSchema(StructType schema) {
    if (schema.isEmpty()) {
      throw new BadInputException("TableSynthesizer: the dataset has no columns to learn");
    }
    return schema;
  }

  @Override
  public SynthesizerModel fit(Dataset<?> table) {
    transformSchema(table.schema());
    Configuration hadoop = table.sparkSession().sparkContext().hadoopConfiguration();
    String name = "safesynth_" + UUID.randomUUID().toString().replace("-", "");
    RunOptions options = new RunOptions();
    options.artifactPath = getOrDefault(artifactPath);
    options.runId = runIdOrNew();
    options.config = isDefined(config) ? getOrDefault(config) : null;
    options.dataSource = "table:global_temp." + name;
    try {
      table.createGlobalTempView(name);
    } catch (AnalysisException e) {
      throw new IllegalStateException("a name that was drawn at random is taken", e);
    }
    try (Console console = Console.plain()) {
      RunJob job = new RunJob(RunJob.Stages.TRAIN, options, overrides(), console, false, hadoop);
      int exitCode = job.run();
      Path folder = new Path(options.artifactPath, RunFolder.folderName(options.runId));
      requireSuccess(exitCode, hadoop, folder);
      String runPath = RunFolder.toGenerate(hadoop, folder).path().toString();
      SynthesizerModel model = new SynthesizerModel(uid, runPath);
      model.setParent(this);
      return model;
    } finally {
      table.sparkSession().catalog().dropGlobalTempView(name);
    }
  }

  private String runIdOrNew() {
    return isDefined(runId)
        ? getOrDefault(runId)
        : RunFolder.newRunId(java.time.Clock.systemUTC().instant());
  }

  private Map<String, String> overrides() {
    Map<String, String> overrides = new LinkedHashMap<>();
    for (String parameter : getOrDefault(parameters)) {
      int equals = parameter.indexOf('=');
      if (equals < 1) {
        throw new BadInputException(
            "TableSynthesizer: the parameter '%s' is not NAME=VALUE".formatted(parameter));
      }
      overrides.put(parameter.substring(0, equals).strip(), parameter.substring(equals + 1));
    }
    return overrides;
  }

  private static void requireSuccess(int exitCode, Configuration hadoop, Path folder) {
    if (exitCode == 0) {
      return;
    }
    String why =
        new TextFiles(hadoop)
            .read(new Path(folder, RunFolder.RESULT))
            .flatMap(text -> Json.parse(text, RunResult.class))
            .map(RunResult::error)
            .orElse("the run in %s failed".formatted(folder));
    throw exitCode == 2 ? new BadInputException(why) : new RunFailedException(why);
  }

  @Override
  public TableSynthesizer copy(ParamMap extra) {
    return (TableSynthesizer) defaultCopy(extra);
  }

  @Override
  public MLWriter write() {
    return DefaultParamsWritable.super.write();
  }

  /** Reads what {@link #write} wrote. */
  public static MLReader<TableSynthesizer> read() {
    return new DefaultParamsReader<>();
  }

  /** Loads what was saved in a folder. */
  public static TableSynthesizer load(String path) {
    return read().load(path);
  }
}
