package org.safesynth.train;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;

/**
 * A micro-batch of groups, the longest first, as {@link GroupDecoder.Rows} takes it.
 *
 * @param groups number of groups
 * @param rows number of rows of all groups, group by group
 * @param lengths (groups) rows of each group
 */
record GroupBatch(
    int groups,
    int rows,
    int[] inputs,
    long[] targets,
    int[] index,
    int[] features,
    int[] featuresBefore,
    int[] fed,
    int[] before,
    int[] lengths) {
  private static final long NOT_ASKED = -100;

  /**
   * Reads groups.
   *
   * @param numbers of the groups, the longest first
   * @param mostMasked each row draws a share from 0 to this and masks that share of its inputs
   * @param random draws the masks; null for none
   */
  static GroupBatch read(
      GroupStore store,
      GroupDecoderConfig config,
      long[] numbers,
      double mostMasked,
      RandomGenerator random) {
    int rows = 0;
    for (long number : numbers) {
      rows += store.rows(number);
    }
    int[] lengths = new int[numbers.length];
    int positions = store.positions();
    int steps = store.rows(numbers[0]) - 1;
    int[] offsets = config.row().embeddingOffsets();
    int[] inputs = new int[Math.max(1, positions - 1) * rows];
    long[] targets = new long[positions * rows];
    int[] index = new int[rows];
    int[] features = new int[store.features() * rows];
    int[] featuresBefore = new int[store.features() * rows];
    int[] fed = new int[steps * numbers.length];
    Arrays.fill(fed, rows);
    int[] before = new int[rows];
    int[] tokens = new int[positions + store.features()];
    int at = 0;
    for (int g = 0; g < numbers.length; g++) {
      int length = store.rows(numbers[g]);
      int firstIndex = store.firstIndex(numbers[g]);
      lengths[g] = length;
      if (firstIndex > 0) {
        store.read(numbers[g], -1, tokens); // the times of the row before
      }
      for (int r = 0; r < length; r++, at++) {
        for (int f = 0; f < store.features(); f++) {
          boolean isFirst = firstIndex + r == 0;
          featuresBefore[f * rows + at] = isFirst ? store.noFeature(f) : tokens[positions + f];
        }
        store.read(numbers[g], r, tokens);
        index[at] = GroupDecoderConfig.indexBucket(firstIndex + r);
        for (int f = 0; f < store.features(); f++) {
          features[f * rows + at] = tokens[positions + f];
        }
        before[at] = r == 0 ? fed.length : (r - 1) * numbers.length + g;
        if (r < length - 1) {
          fed[r * numbers.length + g] = at;
        }
        double share = random == null ? 0 : random.nextDouble() * mostMasked;
        for (int t = 0; t < positions; t++) {
          boolean isAsked =
              r >= store.priming(numbers[g])
                  && store.isDrawn(t, firstIndex + r, tokens)
                  && store.isKnown(t, tokens[t]);
          targets[t * rows + at] = isAsked ? tokens[t] : NOT_ASKED;
          if (t < positions - 1) {
            boolean masked = random != null && random.nextDouble() < share;
            int mask = config.row().vocabularySizes().get(t);
            inputs[t * rows + at] = offsets[t] + (masked ? mask : tokens[t]);
          }
        }
      }
    }
    return new GroupBatch(
        numbers.length,
        rows,
        inputs,
        targets,
        index,
        features,
        featuresBefore,
        fed,
        before,
        lengths);
  }

  /** (rows) number of the group of each row. */
  int[] groupOfRow() {
    int[] of = new int[rows];
    int row = 0;
    for (int g = 0; g < groups; g++) {
      Arrays.fill(of, row, row + lengths[g], g);
      row += lengths[g];
    }
    return of;
  }

  /** The same batch with some of its groups, numbers ascending, so that the longest is first. */
  GroupBatch select(int[] kept) {
    int[] groupOf = groupOfRow();
    boolean[] isKept = new boolean[groups];
    int[] keptLengths = new int[kept.length];
    for (int k = 0; k < kept.length; k++) {
      isKept[kept[k]] = true;
      keptLengths[k] = lengths[kept[k]];
    }
    int[] from = IntStream.range(0, rows).filter(r -> isKept[groupOf[r]]).toArray();
    int steps = kept.length == 0 ? 0 : keptLengths[0] - 1;
    int[] keptFed = new int[steps * kept.length];
    Arrays.fill(keptFed, from.length);
    int[] keptBefore = new int[from.length];
    int at = 0;
    for (int g = 0; g < kept.length; g++) {
      for (int r = 0; r < keptLengths[g]; r++, at++) {
        keptBefore[at] = r == 0 ? keptFed.length : (r - 1) * kept.length + g;
        if (r < keptLengths[g] - 1) {
          keptFed[r * kept.length + g] = at;
        }
      }
    }
    long[] keptTargets = new long[targets.length / rows * from.length];
    for (int i = 0; i < keptTargets.length; i++) {
      keptTargets[i] = targets[i / from.length * rows + from[i % from.length]];
    }
    return new GroupBatch(
        kept.length,
        from.length,
        columns(inputs, from),
        keptTargets,
        columns(index, from),
        columns(features, from),
        columns(featuresBefore, from),
        keptFed,
        keptBefore,
        keptLengths);
  }

  /** Some rows of an array (parts, rows). */
  private int[] columns(int[] array, int[] from) {
    int[] of = new int[array.length / rows * from.length];
    for (int i = 0; i < of.length; i++) {
      of[i] = array[i / from.length * rows + from[i % from.length]];
    }
    return of;
  }

  GroupDecoder.Rows tensors() {
    return new GroupDecoder.Rows(
        torch.tensor(inputs).view(inputs.length / rows, rows),
        torch.tensor(targets).view(targets.length / rows, rows),
        torch.tensor(index),
        torch.tensor(features).view(features.length / rows, rows),
        torch.tensor(featuresBefore).view(features.length / rows, rows),
        fed.length == 0 ? torch.zeros(0) : torch.tensor(fed),
        torch.tensor(before),
        groups);
  }
}
