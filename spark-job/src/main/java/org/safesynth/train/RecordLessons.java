package org.safesynth.train;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.ParameterLayout;
import org.safesynth.random.KeyedPermutation;
import org.safesynth.random.SeededStreams;
import org.safesynth.random.SeededStreams.Purpose;

/**
 * Single records: batches are cut from a keyed permutation of each pass, masks are keyed by step
 * and micro-batch. Of a decoder that knows any order half of the micro-batches are in random ones.
 */
final class RecordLessons implements Lessons<FieldBatch> {
  private static final int VALIDATION_MICRO_BATCH = 256;

  private final FieldDecoder decoder;
  private final TokenStore store;
  private final long firstRecord;
  private final TrainingPlan plan;
  private final long records; // what the store holds of the plan's: all that a cut schedule sees
  private final SeededStreams streams;
  private KeyedPermutation order;
  private long orderPass = -1;

  RecordLessons(FieldDecoder decoder, TokenStore store, long firstRecord, TrainingPlan plan) {
    this.decoder = decoder;
    this.store = store;
    this.firstRecord = firstRecord;
    this.plan = plan;
    this.records =
        Math.min(plan.records(), store.records() - firstRecord - plan.validationRecords());
    this.streams = new SeededStreams(plan.seed());
  }

  @Override
  public ParameterLayout layout() {
    return decoder.layout();
  }

  @Override
  public float[] initialParameters(RandomGenerator random) {
    long[] counts = new long[decoder.config().totalVocabulary()];
    int[] offsets = decoder.config().headOffsets();
    int[] tokens = new int[store.positions()];
    long from = firstRecord + plan.validationRecords();
    for (long record = from; record < from + records; record++) {
      store.read(record, tokens);
      for (int t = 0; t < tokens.length; t++) {
        counts[offsets[t] + tokens[t]]++;
      }
    }
    return decoder.initialParameters(counts, records, random);
  }

  @Override
  public List<FieldBatch> batches(long step) {
    List<FieldBatch> batches = new ArrayList<>();
    long from = step * plan.batchSize();
    for (int done = 0; done < plan.batchSize(); done += plan.microBatchSize()) {
      int count = Math.min(plan.microBatchSize(), plan.batchSize() - done);
      long[] records = new long[count];
      for (int i = 0; i < count; i++) {
        records[i] = record(from + done + i);
      }
      RandomGenerator random = streams.stream(Purpose.INPUT_MASK, step, done);
      int[] columns = order(random);
      batches.add(
          FieldBatch.read(store, decoder.config(), records, plan.mostMasked(), random, columns));
    }
    return batches;
  }

  /** The order of a micro-batch (positions); null for the positions' own. */
  private int[] order(RandomGenerator random) {
    if (!decoder.config().isAnyOrder() || random.nextBoolean()) {
      return null;
    }
    int[] columns = IntStream.range(0, decoder.config().columns().size()).toArray();
    for (int i = columns.length - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      int moved = columns[i];
      columns[i] = columns[other];
      columns[other] = moved;
    }
    return decoder.config().order(columns);
  }

  /** The record that is seen as the {@code seen}-th of all passes. */
  private long record(long seen) {
    long pass = seen / records;
    if (pass != orderPass) {
      order = new KeyedPermutation(records, streams.key(Purpose.EPOCH_ORDER, pass));
      orderPass = pass;
    }
    return firstRecord + plan.validationRecords() + order.apply(seen % records);
  }

  @Override
  public List<FieldBatch> validation() {
    List<FieldBatch> batches = new ArrayList<>();
    for (long done = 0; done < plan.validationRecords(); done += VALIDATION_MICRO_BATCH) {
      int count = (int) Math.min(VALIDATION_MICRO_BATCH, plan.validationRecords() - done);
      long[] records = new long[count];
      for (int i = 0; i < count; i++) {
        records[i] = firstRecord + done + i;
      }
      batches.add(FieldBatch.read(store, decoder.config(), records, 0, null));
    }
    return batches;
  }

  @Override
  public Tensor loss(FieldBatch batch, List<Tensor> parameters) {
    return decoder.loss(parameters, batch.inputTensor(), batch.targetTensor(), batch.order());
  }

  @Override
  public double tokensPerRecord() {
    return store.positions();
  }
}
