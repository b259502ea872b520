package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights that are held in fewer bytes than float32. */
@Tag("unit")
class FrozenMatrixTest {
  @TempDir private Path folder;

  @BeforeAll
  static void loadNatives() {
    Natives.load();
  }

  private static float[][] values(int out, int in, long seed) {
    Random random = new Random(seed);
    float[][] values = new float[out][in];
    for (float[] row : values) {
      float scale = (float) Math.exp(random.nextGaussian());
      for (int i = 0; i < in; i++) {
        row[i] = scale * (float) random.nextGaussian();
      }
    }
    return values;
  }

  private static Tensor tensor(float[][] values) {
    float[] flat = new float[values.length * values[0].length];
    for (int r = 0; r < values.length; r++) {
      System.arraycopy(values[r], 0, flat, r * values[0].length, values[0].length);
    }
    return torch.tensor(flat).clone().view(values.length, values[0].length);
  }

  /** The construction of the paper, appendix E, as its authors' code has it. */
  @Test
  void levelsAreTheQuantilesOfTheNormalDistribution() {
    double offset = 0.9677083;
    NormalDistribution normal = new NormalDistribution(null, 0, 1);
    List<Double> levels = new ArrayList<>(List.of(0.0));
    for (int i = 0; i < 8; i++) {
      levels.add(normal.inverseCumulativeProbability(offset + (0.5 - offset) * i / 8));
    }
    for (int i = 0; i < 7; i++) {
      levels.add(-normal.inverseCumulativeProbability(offset + (0.5 - offset) * i / 7));
    }
    Collections.sort(levels);
    double most = levels.get(15);
    float[] found = NormalFloat.levels();
    for (int i = 0; i < 16; i++) {
      assertEquals(levels.get(i) / most, found[i], 1e-6, "level " + i);
    }
  }

  @Test
  void eightBitsAreWholeNumbersOfARowsScale() {
    float[][] values = values(5, 70, 1);
    values[3] = new float[70]; // a row of zeros stays one
    try (PointerScope scope = new PointerScope()) {
      Tensor found = FrozenMatrix.Int8.of(tensor(values)).floats(); // (5, 70)
      for (int r = 0; r < 5; r++) {
        float most = 0;
        for (float v : values[r]) {
          most = Math.max(most, Math.abs(v));
        }
        for (int c = 0; c < 70; c++) {
          double scale = most / 127.0;
          double wanted = most == 0 ? 0 : Math.rint(values[r][c] / scale) * scale;
          assertEquals(wanted, found.select(0, r).select(0, c).item_float(), 1e-6 * (1 + most));
        }
      }
    }
  }

  @Test
  void fourBitsAreTheNearestLevelOfABlock() {
    float[][] values = values(3, 75, 2); // the last of four blocks is not full
    float[] levels = NormalFloat.levels();
    try (PointerScope scope = new PointerScope()) {
      FrozenMatrix.Nf4 matrix = FrozenMatrix.Nf4.of(tensor(values));
      assertEquals(4 * 32, matrix.packed().nbytes());
      Tensor found = matrix.floats(); // (3, 75)
      for (int i = 0; i < 3 * 75; i++) {
        float value = values[i / 75][i % 75];
        float most = 0;
        for (int j = i / 64 * 64; j < Math.min(3 * 75, i / 64 * 64 + 64); j++) {
          most = Math.max(most, Math.abs(values[j / 75][j % 75]));
        }
        double best = Double.POSITIVE_INFINITY;
        for (float level : levels) {
          best = Math.min(best, Math.abs(level * most - value));
        }
        float is = found.select(0, i / 75).select(0, i % 75).item_float();
        assertEquals(best, Math.abs(is - value), 1e-6 * most);
      }
    }
  }

  @Test
  void piecesGiveWhatTheWholeGives() {
    try (PointerScope scope = new PointerScope()) {
      // More rows than a piece has, so that there are several and a last one that is not full.
      Tensor weight = torch.randn(700, 4097).mul_(new Scalar(0.02f)); // (out, in)
      Tensor bias = torch.randn(700); // (out)
      Tensor x = torch.randn(3, 4097); // (n, in)
      Tensor gradient = torch.randn(3, 700); // (n, out)
      List<FrozenMatrix> forms =
          List.of(
              new FrozenMatrix.Stored(weight.to(torch.ScalarType.BFloat16), false),
              FrozenMatrix.Int8.of(weight),
              FrozenMatrix.Nf4.of(weight));
      for (FrozenMatrix form : forms) {
        Tensor whole = form.floats(); // (out, in)
        double most = whole.abs().max().item_double();
        assertTrue(whole.sub(weight).abs().max().item_double() < 0.2 * most);
        Tensor projected = x.matmul(whole.t()).add(bias); // (n, out)
        assertClose(projected, form.project(x, bias));
        try (NoGradGuard guard = new NoGradGuard()) {
          assertClose(projected, form.project(x, bias));
        }
        assertClose(gradient.matmul(whole), form.back(gradient));
      }
    }
  }

  private static void assertClose(Tensor wanted, Tensor found) {
    double most = wanted.abs().max().item_double();
    assertTrue(wanted.sub(found).abs().max().item_double() < 1e-5 * most);
  }

  /** What a model's matrices are when a form has been through them, in float32. */
  private static FrozenWeights floats(Path model) {
    return new FrozenWeights(model, ComputeDevice.CPU, 0, Long.MAX_VALUE);
  }

  private Path model() throws IOException {
    TinyLlama.write(folder);
    return folder;
  }

  @ParameterizedTest
  @CsvSource({"0,1e-5", "8,0.05", "4,0.6"})
  void lossAndGradientAreThoseOfTheMatricesThatAreHeld(int bits, double apart) throws IOException {
    Path model = model();
    HfConfig config = HfConfig.read(model);
    LoraConfig lora = new LoraConfig(4, 4, true, Set.copyOf(LoraConfig.PROJECTIONS));
    LoraDecoder plain = LoraDecoder.load(config, floats(model), lora);
    LoraDecoder held =
        LoraDecoder.load(config, new FrozenWeights(model, ComputeDevice.CPU, bits, 0), lora);
    int[] ids = {1, 5, 9, 30, 31, 4, 17, 8, 3, 22, 6};
    PackedExamples batch = PackedExamples.of(List.of(new PackedExamples.Example(ids, 4)));
    try (PointerScope scope = new PointerScope()) {
      torch.manual_seed(3);
      Tensor parameters = torch.randn(plain.layout().size()).mul_(new Scalar(0.05f)); // (P)
      Tensor gradient = torch.zeros(plain.layout().size()); // (P)
      double[] weights = {0.1};
      double loss = held.gradient(batch, parameters, weights, gradient, false);
      assertEquals(held.loss(batch, parameters, weights), loss, 1e-6);
      assertEquals(plain.loss(batch, parameters, weights), loss, apart);
      // The gradient is the loss's own: a central difference along a random direction.
      Tensor direction = torch.randn(parameters.numel()); // (P)
      Scalar step = new Scalar(1e-3f);
      double up = held.loss(batch, parameters.add(direction, step), weights);
      double down = held.loss(batch, parameters.sub(direction, step), weights);
      double slope = gradient.dot(direction).item_double();
      assertEquals((up - down) / 2e-3, slope, 0.02 * Math.abs(slope) + 1e-3);
      // Training and sampling hold the same matrices.
      Tensor trained = held.logits(batch, parameters); // (tokens, vocabulary)
      float[] flat = new float[(int) parameters.numel()];
      parameters.data_ptr_float().get(flat);
      assertClose(trained, sampled(config, model, bits, held, flat, ids));
    }
  }

  /** Logits of a decoder for inference with the adapter. */
  private Tensor sampled(
      HfConfig config, Path model, int bits, LoraDecoder of, float[] flat, int[] ids)
      throws IOException {
    Path adapter = java.nio.file.Files.createDirectories(folder.resolve("adapter" + bits));
    for (var file : PeftAdapter.files(of.lora(), of.layout(), flat, "tiny").entrySet()) {
      java.nio.file.Files.write(adapter.resolve(file.getKey()), file.getValue());
    }
    CausalDecoder decoder =
        CausalDecoder.load(
            config,
            new FrozenWeights(model, ComputeDevice.CPU, bits, 0),
            PeftAdapter.read(adapter));
    return CausalDecoderTest.logits(decoder, ids);
  }
}
