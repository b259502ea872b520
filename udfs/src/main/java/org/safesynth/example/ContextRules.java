package org.safesynth.example;

/**
 * How long an example may be: the model's context, capped, and how far it is stretched.
 *
 * @param tokens most tokens of an example
 * @param ropeFactor what the rotary positions are divided by; 1 leaves them
 * @param warning what to tell the user, or null
 */
public record ContextRules(int tokens, int ropeFactor, String warning) {
  /** The longest context that is trained unless it is stretched: 2,048 times 6. */
  public static final int CAP = 12_288;

  static final int MOST_STRETCH = 6;
  private static final long RECORDS_SEEN = 25_000;

  /**
   * The context of a run.
   *
   * @param maxPositions {@code max_position_embeddings} of the model
   * @param longestExample tokens of the longest example of one record, counted with the tokenizer
   * @param wanted {@code training.rope_scaling_factor}, or null for auto
   */
  public static ContextRules of(
      PromptTemplate template, int maxPositions, long longestExample, Integer wanted) {
    int context = Math.min(maxPositions, CAP);
    if (!template.stretchesRope()) {
      String warning =
          wanted == null || wanted == 1
              ? null
              : "training.rope_scaling_factor %d is ignored: the context of %s is not stretched"
                  .formatted(wanted, template.name());
      return new ContextRules(context, 1, warning);
    }
    int factor = wanted == null ? automaticFactor(context, longestExample) : wanted;
    return new ContextRules(context * factor, factor, null);
  }

  private static int automaticFactor(int context, long longestExample) {
    long factor = (longestExample + context - 1) / context;
    return (int) Math.max(1, Math.min(MOST_STRETCH, factor));
  }

  /** Records seen in training when {@code training.num_input_records_to_sample} is auto. */
  public long automaticRecordsSeen() {
    return RECORDS_SEEN * ropeFactor;
  }

  /**
   * Most records of an example.
   *
   * @param isAuto whether {@code data.max_sequences_per_example} is auto
   * @param wanted its number, or null to fill the context
   * @return 0 to fill the context
   */
  public static int mostRecords(boolean isAuto, Integer wanted, boolean dpEnabled) {
    if (dpEnabled) {
      return 1;
    }
    if (isAuto) {
      return 10;
    }
    return wanted == null ? 0 : wanted;
  }
}
