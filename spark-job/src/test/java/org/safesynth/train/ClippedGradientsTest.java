package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleArrayRef;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.Natives;

/** The oracle is one ordinary backward pass a record, in float64, over all parameters. */
@Tag("unit")
class ClippedGradientsTest {
  @BeforeAll
  static void load() {
    Natives.load();
  }

  /** A decoder of {@code positions} positions with random weights. */
  private static final class Case {
    private final FieldDecoder decoder;
    private final float[] weights;
    private final SplittableRandom random = new SplittableRandom(17);

    Case(int positions, int hidden, int layers) {
      List<Integer> sizes =
          random.ints(positions, 1, 7).map(v -> positions == 1 ? 5 : v).boxed().toList();
      decoder = new FieldDecoder(new FieldDecoderConfig(hidden, layers, 2, sizes));
      weights = new float[(int) decoder.layout().size()];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) (random.nextGaussian() * 0.3);
      }
    }

    /**
     * Random records.
     *
     * @param rows inputs come from the first rows of the embedding matrix: with few, they repeat
     */
    FieldBatch batch(int records, int rows) {
      int positions = decoder.config().positions();
      int[] inputs = random.ints((long) Math.max(1, positions - 1) * records, 0, rows).toArray();
      long[] targets = new long[positions * records];
      for (int i = 0; i < targets.length; i++) {
        targets[i] = random.nextInt(decoder.config().vocabularySizes().get(i / records));
      }
      return new FieldBatch(records, inputs, targets, null);
    }

    /** The gradient of one record's loss in float64, by a backward pass of its own. */
    double[] oracle(FieldBatch batch, int record) {
      FieldBatch alone = batch.select(new int[] {record});
      try (PointerScope scope = new PointerScope()) {
        double[] wide = new double[weights.length];
        for (int i = 0; i < wide.length; i++) {
          wide[i] = weights[i];
        }
        Tensor flat =
            torch.tensor(new DoubleArrayRef(new DoublePointer(wide), wide.length)).clone();
        flat.requires_grad_(true);
        Tensor loss =
            decoder.loss(decoder.layout().views(flat), alone.inputTensor(), alone.targetTensor());
        loss.backward();
        double[] gradient = new double[wide.length];
        flat.grad().contiguous().data_ptr_double().get(gradient);
        return gradient;
      }
    }

    float[] clippedSum(FieldBatch batch, double clipNorm) {
      try (PointerScope scope = new PointerScope()) {
        Tensor sum = torch.zeros(weights.length);
        new ClippedGradients(decoder, clipNorm, 64)
            .addTo(
                decoder.layout().views(torch.tensor(weights)), batch, decoder.layout().views(sum));
        float[] values = new float[weights.length];
        sum.data_ptr_float().get(values);
        return values;
      }
    }

    double[] norms(FieldBatch batch) {
      try (PointerScope scope = new PointerScope()) {
        return new ClippedGradients(decoder, 1, batch.batch())
            .norms(decoder.layout().views(torch.tensor(weights)), batch);
      }
    }
  }

  private static double norm(double[] x) {
    double sum = 0;
    for (double v : x) {
      sum += v * v;
    }
    return Math.sqrt(sum);
  }

  /** Narrow decoders have gradients of their own; of wide ones few places make Gram matrices. */
  @ParameterizedTest
  @CsvSource({"1, 16", "2, 16", "24, 16", "2, 66", "24, 66"})
  void normsAndClippedSumEqualABackwardPassPerRecord(int positions, int hidden) {
    Case it = new Case(positions, hidden, 2);
    int all = it.decoder.config().embeddingRows();
    checkAgainstOracle(it, it.batch(9, all));
  }

  @Test
  void aTokenThatRepeatsInARecordSumsItsGradientsBeforeTheNorm() {
    Case it = new Case(8, 16, 1);
    FieldBatch batch = it.batch(6, 2); // seven inputs of two rows: each record repeats some
    checkAgainstOracle(it, batch);
  }

  private static void checkAgainstOracle(Case it, FieldBatch batch) {
    double clipNorm = 2;
    double[] norms = it.norms(batch);
    double[] expected = new double[it.weights.length];
    for (int b = 0; b < batch.batch(); b++) {
      double[] gradient = it.oracle(batch, b);
      double norm = norm(gradient);
      assertEquals(norm, norms[b], 2e-4 * norm, "norm of record " + b);
      assertTrue(norms[b] >= norm * (1 - 1e-5), "record %d: %s < %s".formatted(b, norms[b], norm));
      double factor = Math.min(1, clipNorm / norm);
      for (int i = 0; i < expected.length; i++) {
        expected[i] += factor * gradient[i];
      }
    }
    float[] sum = it.clippedSum(batch, clipNorm);
    for (int i = 0; i < sum.length; i++) {
      assertEquals(expected[i], sum[i], 1e-3, "parameter " + i);
    }
  }

  @Test
  void recordsWithinTheBoundAreNotScaled() {
    Case it = new Case(4, 16, 1);
    FieldBatch batch = it.batch(1, it.decoder.config().embeddingRows());
    double[] gradient = it.oracle(batch, 0);
    float[] sum = it.clippedSum(batch, 10 * norm(gradient));
    for (int i = 0; i < sum.length; i++) {
      assertEquals(gradient[i], sum[i], 1e-5 * norm(gradient));
    }
  }

  @Test
  void anEmptyBatchAddsNothing() {
    Case it = new Case(3, 16, 1);
    FieldBatch none = it.batch(2, 3).select(new int[0]);
    for (float value : it.clippedSum(none, 1)) {
      assertEquals(0f, value);
    }
  }

  /** Also where the record is inserted in the middle, so that all behind it move. */
  @Test
  void oneRecordMovesTheClippedSumByAtMostTheBound() {
    Case it = new Case(12, 16, 2);
    FieldBatch batch = it.batch(64, it.decoder.config().embeddingRows());
    for (double clipNorm : new double[] {0.1, 1, 30}) {
      float[] with = it.clippedSum(batch, clipNorm);
      for (int left : new int[] {0, 31, 63}) {
        int[] others = java.util.stream.IntStream.range(0, 64).filter(b -> b != left).toArray();
        float[] without = it.clippedSum(batch.select(others), clipNorm);
        double[] moved = new double[with.length];
        for (int i = 0; i < moved.length; i++) {
          moved[i] = (double) with[i] - without[i];
        }
        double bound = clipNorm * (1 + 1e-5);
        assertTrue(norm(moved) <= bound, "%s > %s".formatted(norm(moved), bound));
        assertTrue(clipNorm > 1 || norm(moved) > 0.99 * clipNorm, "clipped too much");
      }
    }
  }

  @Test
  void aRecordWithoutAFiniteGradientAddsNothing() {
    Case it = new Case(3, 16, 1);
    FieldBatch batch = it.batch(3, 2);
    long offset =
        it.decoder.layout().entries().stream()
            .filter(entry -> entry.name().equals("embedding.weight"))
            .findFirst()
            .orElseThrow()
            .offset();
    int[] inputs = batch.inputs().clone();
    for (int i = 0; i < inputs.length; i++) {
      inputs[i] = i == 1 ? 1 : 0; // the second record alone uses row 1
    }
    FieldBatch infected = new FieldBatch(3, inputs, batch.targets(), null);
    it.weights[(int) offset + 16] = Float.POSITIVE_INFINITY;
    float[] sum = it.clippedSum(infected, 1);
    float[] healthy = it.clippedSum(infected.select(new int[] {0, 2}), 1);
    for (int i = 0; i < sum.length; i++) {
      assertTrue(Float.isFinite(sum[i]));
      assertEquals(healthy[i], sum[i], 0f);
    }
  }
}
