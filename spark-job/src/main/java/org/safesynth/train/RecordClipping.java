package org.safesynth.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.FieldDecoder;

/** Clips the gradients of single records; a unit is a record of a token store. */
final class RecordClipping implements Clipping {
  private final ClippedGradients clipping;
  private final FieldDecoder decoder;
  private final TokenStore store;
  private final long firstRecord;
  private final int microBatchSize;

  /**
   * @param firstRecord number of the record that is unit 0
   */
  RecordClipping(
      FieldDecoder decoder,
      TokenStore store,
      long firstRecord,
      double clipNorm,
      int microBatchSize) {
    this.clipping = new ClippedGradients(decoder, clipNorm);
    this.decoder = decoder;
    this.store = store;
    this.firstRecord = firstRecord;
    this.microBatchSize = microBatchSize;
  }

  @Override
  public List<long[]> microBatches(long[] units) {
    List<long[]> batches = new ArrayList<>();
    for (int from = 0; from < units.length; from += microBatchSize) {
      batches.add(Arrays.copyOfRange(units, from, Math.min(units.length, from + microBatchSize)));
    }
    return batches;
  }

  @Override
  public double addTo(List<Tensor> parameters, long[] microBatch, List<Tensor> sum) {
    long[] records = Arrays.stream(microBatch).map(unit -> firstRecord + unit).toArray();
    // No input masks: they would depend on a record's place in its batch, and so on who else is
    // in it.
    FieldBatch batch = FieldBatch.read(store, decoder.config(), records, 0, null);
    return clipping.addTo(parameters, batch, sum);
  }
}
