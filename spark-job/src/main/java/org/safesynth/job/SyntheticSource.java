package org.safesynth.job;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SQLContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.sources.BaseRelation;
import org.apache.spark.sql.sources.DataSourceRegister;
import org.apache.spark.sql.sources.RelationProvider;
import org.safesynth.config.Availability;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.FrozenSchema;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A trained model as a table that Spark can read: {@code spark.read().format("safesynth")} and
 * {@code CREATE TABLE ... USING safesynth OPTIONS (...)}.
 *
 * <p>Options: {@code model}, the folder of a run (or its {@code model} folder), which a path given
 * to {@code load} may stand for, and the parameters of {@code generation} by name, such as {@code
 * num_records}, {@code seed}, {@code temperature} and {@code conditions}, a table whose rows are
 * completed in their order. What is not given is as the run has it. Each read samples anew and, for
 * the same options, gives the rows that {@code run generate} writes.
 */
public final class SyntheticSource implements RelationProvider, DataSourceRegister {
  private static final String MODEL = "model";
  private static final String PATH = "path";

  /** What a catalog adds of its own. */
  private static final Set<String> OF_CATALOGS = Set.of(PATH, "serialization.format");

  private static final String PARAMETERS = "generation.";

  @Override
  public String shortName() {
    return "safesynth";
  }

  @Override
  public BaseRelation createRelation(
      SQLContext sqlContext, scala.collection.immutable.Map<String, String> parameters) {
    SparkSession spark = sqlContext.sparkSession();
    Map<String, String> options = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    options.putAll(CollectionConverters.asJava(parameters));
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    RunFolder folder = RunFolder.toGenerate(hadoop, runOf(options));
    Map<String, String> overrides = new HashMap<>();
    options.forEach(
        (name, value) -> {
          if (!name.equalsIgnoreCase(MODEL) && !OF_CATALOGS.contains(name)) {
            overrides.put(name.startsWith(PARAMETERS) ? name : PARAMETERS + name, value);
          }
        });
    SafeSynthesizerConfig config =
        new Settings(new TextFiles(hadoop)).forGeneration(folder, null, overrides);
    Availability.check(config);
    requireSingleRows(config);
    RunContext context =
        new RunContext(spark, config, folder, Console.plain(), config.data().randomState());
    FrozenSchema schema = SchemaStage.read(folder);
    // Conditions that cannot be met are refused here and not when the table is used.
    CompletionStage completion =
        CompletionStage.isAsked(config) ? CompletionStage.of(context, schema) : null;
    return new SyntheticRelation(context, schema, completion);
  }

  private static Path runOf(Map<String, String> options) {
    String model = options.getOrDefault(MODEL, options.get(PATH));
    if (model == null || model.isBlank()) {
      throw new BadInputException(
          "format safesynth needs option(\"model\", the folder of a run that has trained a model)");
    }
    Path path = new Path(model);
    boolean isModel = path.getName().equals("model") || path.getName().equals("adapter");
    return isModel && path.getParent() != null ? path.getParent() : path;
  }

  private static void requireSingleRows(SafeSynthesizerConfig config) {
    if (config.data().groupColumn() != null) {
      throw new BadInputException(
          "format safesynth reads tables of single rows, and this model writes groups; sample it with run generate");
    }
    if (config.isSingleSeries()) {
      throw new BadInputException(
          "format safesynth reads tables of single rows, and this model writes one time series; sample it with run generate");
    }
    if (!config.generation().constraints().isEmpty()) {
      throw new BadInputException(
          "format safesynth knows no constraints; use run generate for them");
    }
  }
}
