package org.safesynth.evaluate;

/**
 * What the tables are: sizes, missing cells, and synthetic rows that equal a real one.
 *
 * @param reference the real rows that were learned from
 * @param synthetic the synthetic rows
 * @param holdout the real rows that were not learned from, or null
 * @param memorizedLines distinct sampled synthetic rows that equal a sampled real row
 */
public record TableFacts(Facts reference, Facts synthetic, Facts holdout, long memorizedLines)
    implements Finding {
  /**
   * A table.
   *
   * @param rows of the whole table
   * @param sampled rows that the scores look at
   * @param columns that are looked at
   * @param missingPercent missing cells of the sample, cut to a whole number
   */
  public record Facts(long rows, int sampled, int columns, int missingPercent) {}

  static TableFacts of(Evidence evidence) {
    return new TableFacts(
        facts(evidence.count(Side.REFERENCE), evidence.reference()),
        facts(evidence.count(Side.SYNTHETIC), evidence.synthetic()),
        evidence.holdout().map(frame -> facts(evidence.count(Side.HOLDOUT), frame)).orElse(null),
        EqualRows.distinctShared(evidence.reference(), evidence.synthetic()));
  }

  private static Facts facts(long rows, Frame frame) {
    long missing = frame.columns().stream().mapToLong(FrameColumn::missing).sum();
    long cells = (long) frame.rows() * frame.columns().size();
    return new Facts(
        rows, frame.rows(), frame.columns().size(), (int) (cells == 0 ? 0 : 100 * missing / cells));
  }
}
