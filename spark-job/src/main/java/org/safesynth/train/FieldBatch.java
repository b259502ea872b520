package org.safesynth.train;

import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.FieldDecoderConfig;

/**
 * A micro-batch as the decoder takes it, position by position.
 *
 * @param batch number of records
 * @param inputs (positions - 1, batch) rows of the embedding matrix, masked ones among them, in the
 *     order of writing
 * @param targets (positions, batch) tokens
 * @param order (positions) in which they are written; null for their own
 */
record FieldBatch(int batch, int[] inputs, long[] targets, int[] order) {

  /**
   * Reads records from a store.
   *
   * @param mostMasked each record draws a share from 0 to this and masks that share of its inputs
   * @param random draws the masks; null for none
   */
  static FieldBatch read(
      TokenStore store,
      FieldDecoderConfig config,
      long[] records,
      double mostMasked,
      RandomGenerator random) {
    return read(store, config, records, mostMasked, random, null);
  }

  /**
   * The same in another order.
   *
   * @param order (positions) in which they are written; null for their own
   */
  static FieldBatch read(
      TokenStore store,
      FieldDecoderConfig config,
      long[] records,
      double mostMasked,
      RandomGenerator random,
      int[] order) {
    int positions = config.positions();
    int batch = records.length;
    int[] offsets = config.embeddingOffsets();
    int[] inputs = new int[Math.max(1, positions - 1) * batch];
    long[] targets = new long[positions * batch];
    int[] tokens = new int[positions];
    for (int b = 0; b < batch; b++) {
      store.read(records[b], tokens);
      double share = random == null ? 0 : random.nextDouble() * mostMasked;
      for (int i = 0; i < positions; i++) {
        int t = order == null ? i : order[i];
        targets[t * batch + b] = tokens[t];
        if (i < positions - 1) {
          boolean masked = random != null && random.nextDouble() < share;
          int mask = config.vocabularySizes().get(t);
          inputs[i * batch + b] = offsets[t] + (masked ? mask : tokens[t]);
        }
      }
    }
    return new FieldBatch(batch, inputs, targets, order);
  }

  /** The batch with only some of its records. */
  FieldBatch select(int[] records) {
    int rows = inputs.length / batch;
    int positions = targets.length / batch;
    int[] newInputs = new int[rows * records.length];
    long[] newTargets = new long[positions * records.length];
    for (int b = 0; b < records.length; b++) {
      for (int t = 0; t < positions; t++) {
        newTargets[t * records.length + b] = targets[t * batch + records[b]];
      }
      for (int t = 0; t < rows; t++) {
        newInputs[t * records.length + b] = inputs[t * batch + records[b]];
      }
    }
    return new FieldBatch(records.length, newInputs, newTargets, order);
  }

  /** Whether a record uses a row of the embedding matrix more than once. */
  boolean repeatsRows() {
    int rows = inputs.length / Math.max(1, batch);
    for (int b = 0; b < batch; b++) {
      for (int t = 1; t < rows; t++) {
        for (int before = 0; before < t; before++) {
          if (inputs[t * batch + b] == inputs[before * batch + b]) {
            return true;
          }
        }
      }
    }
    return false;
  }

  Tensor inputTensor() {
    return torch.tensor(inputs).view(inputs.length / batch, batch);
  }

  Tensor targetTensor() {
    return torch.tensor(targets).view(targets.length / batch, batch);
  }
}
