package org.safesynth.train;

import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.GroupDecoder;

/** Clips the gradients of whole groups of rows; a unit is a group of a store. */
final class GroupClipping implements Clipping {
  private static final int ROWS_OF_A_MICRO_BATCH = 128;

  private final GroupClippedGradients clipping;
  private final GroupDecoder decoder;
  private final GroupStore groups;

  /**
   * @param mostRows of a group, as it is known without looking at those that are learned
   */
  GroupClipping(GroupDecoder decoder, GroupStore groups, double clipNorm, int mostRows) {
    this.clipping =
        new GroupClippedGradients(
            decoder, clipNorm, Math.addExact(ROWS_OF_A_MICRO_BATCH, mostRows));
    this.decoder = decoder;
    this.groups = groups;
  }

  /** Groups of about equal length together, so that little of a micro-batch is empty. */
  @Override
  public List<long[]> microBatches(long[] units) {
    return groups.parts(units, ROWS_OF_A_MICRO_BATCH, 1);
  }

  @Override
  public double addTo(List<Tensor> parameters, long[] microBatch, List<Tensor> sum) {
    // No input masks, as for records.
    GroupBatch batch = GroupBatch.read(groups, decoder.config(), microBatch, 0, null);
    return clipping.addTo(parameters, batch, sum);
  }
}
