package org.safesynth.job;

import java.util.Iterator;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.codec.FieldCodec;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.FrozenSchema;
import scala.Tuple2;

/** The run's model as it completes rows of which some cells are given. */
interface RowCompleter {
  /** What the model knows of the columns' values; null where that is not written down. */
  FieldCodec codec();

  /** How rows are completed whose given values the model has not learned, in words. */
  String withRareValues();

  /**
   * Completes the rows of a partition, which come with their numbers.
   *
   * @param output the schema, of types that hold what is given
   * @param writesMissing whether what is not given may be missing
   * @param rowsDone takes the rows of each finished shard
   */
  FlatMapFunction<Iterator<Tuple2<Long, Object[]>>, Row> sampler(
      FrozenSchema output, boolean writesMissing, LongAccumulator rowsDone);

  /** The run's embedded model. */
  static RowCompleter ofEmbedded(RunContext context) {
    FieldCodec codec = new ModelFolder(context.hadoop(), context.folder().model()).read().codec();
    SafeSynthesizerConfig config = context.config();
    String javaTime = context.spark().conf().get("spark.sql.datetime.java8API.enabled");
    return new RowCompleter() {
      @Override
      public FieldCodec codec() {
        return codec;
      }

      @Override
      public String withRareValues() {
        return "as the nearest known value would have it";
      }

      @Override
      public FlatMapFunction<Iterator<Tuple2<Long, Object[]>>, Row> sampler(
          FrozenSchema output, boolean writesMissing, LongAccumulator rowsDone) {
        return new CompletingSampler(
            new SerializableConfiguration(context.hadoop()),
            context.folder().model().toString(),
            output,
            new CompletingSampler.Sampling(
                config.generationSeed(),
                config.temperature(),
                config.generation().topP(),
                writesMissing,
                Boolean.parseBoolean(javaTime)),
            rowsDone);
      }
    };
  }

  /** The run's model, whichever it is. */
  static RowCompleter of(RunContext context, FrozenSchema schema) {
    if (!context.config().isEmbedded()) {
      return new LanguageStage(context, schema).completer();
    }
    if (GroupStages.isAsked(context)) {
      throw new BadInputException(
          "the model in %s has learned groups, and single rows are completed; train one without groups, related tables and time series"
              .formatted(context.folder().model()));
    }
    return ofEmbedded(context);
  }
}
