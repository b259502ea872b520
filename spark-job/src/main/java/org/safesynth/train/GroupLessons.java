package org.safesynth.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Tensor;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.ParameterLayout;
import org.safesynth.random.KeyedPermutation;
import org.safesynth.random.SeededStreams;
import org.safesynth.random.SeededStreams.Purpose;

/**
 * Whole groups of rows. A step takes random groups; inside the step they are sorted by length and
 * cut into micro-batches of about equal size, whose losses are summed: a mean per micro-batch would
 * weigh groups by the company that they are in.
 */
final class GroupLessons implements Lessons<GroupBatch> {
  private static final int ROWS_OF_A_MICRO_BATCH = 128;
  private static final int ROWS_OF_A_VALIDATION_BATCH = 512;

  /** Long groups one by one would take a memory's steps one by one: so it is 1.7 times as fast. */
  private static final int LEAST_GROUPS_OF_A_MICRO_BATCH = 4;

  private final GroupDecoder decoder;
  private final GroupStore groups;
  private final TrainingPlan plan;
  private final SeededStreams streams;
  private KeyedPermutation order;
  private long orderPass = -1;

  /**
   * @param groups the validation groups, then the training groups
   */
  GroupLessons(GroupDecoder decoder, GroupStore groups, TrainingPlan plan) {
    this.decoder = decoder;
    this.groups = groups;
    this.plan = plan;
    this.streams = new SeededStreams(plan.seed());
  }

  @Override
  public ParameterLayout layout() {
    return decoder.layout();
  }

  @Override
  public float[] initialParameters(RandomGenerator random) {
    long[] counts = new long[decoder.config().row().totalVocabulary()];
    long[] firstCounts = new long[counts.length];
    int[] offsets = decoder.config().row().headOffsets();
    int[] tokens = new int[groups.positions() + groups.features()];
    long rows = 0;
    long firstRows = 0;
    for (long g = plan.validationRecords(); g < groups.groups(); g++) {
      for (int r = groups.priming(g); r < groups.rows(g); r++) {
        groups.read(g, r, tokens);
        boolean isFirst = groups.firstIndex(g) + r == 0;
        for (int t = 0; t < groups.positions(); t++) {
          counts[offsets[t] + tokens[t]]++;
          firstCounts[offsets[t] + tokens[t]] += isFirst ? 1 : 0;
        }
        rows++;
        firstRows += isFirst ? 1 : 0;
      }
    }
    return decoder.config().hasFirstBias()
        ? decoder.initialParameters(counts, rows, firstCounts, firstRows, random)
        : decoder.initialParameters(counts, rows, random);
  }

  @Override
  public List<GroupBatch> batches(long step) {
    long[] drawn = new long[plan.batchSize()];
    for (int i = 0; i < drawn.length; i++) {
      drawn[i] = group(step * plan.batchSize() + i);
    }
    List<GroupBatch> batches = new ArrayList<>();
    for (long[] part : groups.parts(drawn, ROWS_OF_A_MICRO_BATCH, LEAST_GROUPS_OF_A_MICRO_BATCH)) {
      RandomGenerator random = streams.stream(Purpose.INPUT_MASK, step, batches.size());
      batches.add(GroupBatch.read(groups, decoder.config(), part, plan.mostMasked(), random));
    }
    return batches;
  }

  /** The group that is seen as the {@code seen}-th of all passes. */
  private long group(long seen) {
    long pass = seen / plan.records();
    if (pass != orderPass) {
      order = new KeyedPermutation(plan.records(), streams.key(Purpose.EPOCH_ORDER, pass));
      orderPass = pass;
    }
    return plan.validationRecords() + order.apply(seen % plan.records());
  }

  @Override
  public List<GroupBatch> validation() {
    long[] all = new long[Math.toIntExact(plan.validationRecords())];
    Arrays.setAll(all, i -> i);
    List<GroupBatch> batches = new ArrayList<>();
    for (long[] part :
        groups.parts(all, ROWS_OF_A_VALIDATION_BATCH, LEAST_GROUPS_OF_A_MICRO_BATCH)) {
      batches.add(GroupBatch.read(groups, decoder.config(), part, 0, null));
    }
    return batches;
  }

  @Override
  public Tensor loss(GroupBatch batch, List<Tensor> parameters) {
    return decoder.loss(parameters, batch.tensors());
  }

  @Override
  public double tokensPerRecord() {
    return groups.meanRows() * groups.positions();
  }
}
