package org.safesynth.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.FieldDecoder;

/** Clips the gradients of single records; a unit is a record of a token store. */
final class RecordClipping implements Clipping {
  private static final long THREADS = 4; // that a machine has a divisor or a multiple of

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
    this.clipping = new ClippedGradients(decoder, clipNorm, mostInAPart(microBatchSize));
    this.decoder = decoder;
    this.store = store;
    this.firstRecord = firstRecord;
    this.microBatchSize = microBatchSize;
  }

  /** Half as many again, rounded up, and one that is left over. */
  private static int mostInAPart(int microBatchSize) {
    return Math.addExact(microBatchSize, microBatchSize / 2 + 2);
  }

  /**
   * Parts of about equal size, about half as large again as a micro-batch at most. Of many there is
   * a multiple of four, whatever was drawn, so that no thread waits for a last one.
   */
  @Override
  public List<long[]> microBatches(long[] units) {
    double wanted = (double) units.length / microBatchSize;
    long multiple = wanted < 2 * THREADS ? 1 : THREADS;
    int parts = (int) Math.max(Math.min(1, units.length), multiple * Math.round(wanted / multiple));
    List<long[]> batches = new ArrayList<>();
    for (int i = 0; i < parts; i++) {
      int from = Math.toIntExact((long) i * units.length / parts);
      int to = Math.toIntExact((i + 1L) * units.length / parts);
      batches.add(Arrays.copyOfRange(units, from, to));
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
