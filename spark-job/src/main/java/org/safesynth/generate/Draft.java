package org.safesynth.generate;

/**
 * One way to complete a record: a sequence that adds up how likely the model finds what is given
 * behind what was chosen.
 */
final class Draft implements TextSampler.Sequence {
  private final RecordSequence record;
  private final boolean isWeighed;
  private boolean isHeard = true; // no likelihood is waited for
  private double logWeight;

  /**
   * @param isWeighed whether it is one of several, of which one is drawn by weight
   */
  Draft(RecordSequence record, boolean isWeighed) {
    this.record = record;
    this.isWeighed = isWeighed;
  }

  double logWeight() {
    return logWeight;
  }

  RecordReader.Reading reading() {
    return record.reading();
  }

  @Override
  public int[] forced() {
    return record.forced();
  }

  @Override
  public int[] allowed() {
    return record.allowed();
  }

  @Override
  public void accept(int token) {
    record.accept(token);
    isHeard = false;
  }

  @Override
  public boolean isWeighed() {
    return isWeighed;
  }

  @Override
  public boolean counts() {
    return record.isGiven();
  }

  @Override
  public void weigh(double logLikelihood) {
    logWeight += logLikelihood;
    isHeard = true;
  }

  @Override
  public boolean isComplete() {
    return record.isFinished();
  }

  @Override
  public boolean isFinished() {
    return record.isFinished() && (isHeard || !isWeighed);
  }

  @Override
  public float uniform() {
    return record.uniform();
  }
}
