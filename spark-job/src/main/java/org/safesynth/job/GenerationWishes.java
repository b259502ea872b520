package org.safesynth.job;

import java.util.Arrays;
import java.util.List;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.schema.FrozenSchema;

/**
 * Looks at what is to be generated before anything is learned, as far as the table tells: training
 * may take hours, and what cannot be written should not end them. What only the model knows, such
 * as the values that it writes, is looked at again when it is sampled.
 */
final class GenerationWishes {
  private GenerationWishes() {}

  /** Refuses columns that the table does not have, and a table of conditions that is not there. */
  static void requireColumns(RunContext context, TableSource table) {
    SafeSynthesizerConfig config = context.config();
    List<String> names = Arrays.asList(table.rows().columns());
    if (config.generation().rebalance() != null) {
      ShareAssignment.requireColumns(config.generation().shares().keySet(), names);
    }
    if (config.generation().conditions() != null) {
      GivenCells.requireColumns(CompletionStage.conditions(context), names);
    }
  }

  /**
   * Refuses conditions that cannot be read, or that no row meets. Those of related tables are about
   * both, and are read when rows are written.
   */
  static void requireConditions(RunContext context, FrozenSchema schema) {
    List<String> texts = context.config().generation().constraints();
    if (!texts.isEmpty() && context.config().data().parent() == null) {
      RowConstraints.of(context.spark(), schema, null, texts);
    }
  }
}
