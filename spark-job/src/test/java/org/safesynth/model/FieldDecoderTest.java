package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.DoubleArrayRef;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
class FieldDecoderTest {
  private static final FieldDecoderConfig CONFIG =
      new FieldDecoderConfig(8, 2, 2, List.of(3, 1, 5, 4));
  private static final int BATCH = 6;

  private final FieldDecoder decoder = new FieldDecoder(CONFIG);

  @BeforeAll
  static void load() {
    Natives.load();
  }

  private double[] weights() {
    SplittableRandom random = new SplittableRandom(7);
    return random.doubles(decoder.layout().size()).map(x -> (x - 0.5)).toArray();
  }

  private static Tensor float64(double[] values) {
    return torch.tensor(new DoubleArrayRef(new DoublePointer(values), values.length));
  }

  private static int[][] records() {
    SplittableRandom random = new SplittableRandom(3);
    int[][] records = new int[BATCH][CONFIG.positions()];
    for (int[] record : records) {
      for (int t = 0; t < record.length; t++) {
        record[t] = random.nextInt(CONFIG.vocabularySizes().get(t));
      }
    }
    return records;
  }

  private static Tensor inputs() {
    int[] rows = new int[(CONFIG.positions() - 1) * BATCH];
    for (int b = 0; b < BATCH; b++) {
      for (int t = 0; t < CONFIG.positions() - 1; t++) {
        rows[t * BATCH + b] = CONFIG.embeddingOffsets()[t] + records()[b][t];
      }
    }
    return torch.tensor(rows).view(CONFIG.positions() - 1, BATCH);
  }

  private static Tensor targets() {
    long[] tokens = new long[CONFIG.positions() * BATCH];
    for (int b = 0; b < BATCH; b++) {
      for (int t = 0; t < CONFIG.positions(); t++) {
        tokens[t * BATCH + b] = records()[b][t];
      }
    }
    return torch.tensor(tokens).view(CONFIG.positions(), BATCH);
  }

  private double loss(double[] weights) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      return decoder
          .loss(decoder.layout().views(float64(weights)), inputs(), targets())
          .item_double();
    }
  }

  @Test
  void gradientEqualsFiniteDifferencesInFloat64() {
    double[] weights = weights();
    double[] gradient = new double[weights.length];
    try (PointerScope scope = new PointerScope()) {
      Tensor flat = float64(weights);
      flat.requires_grad_(true);
      decoder.loss(decoder.layout().views(flat), inputs(), targets()).backward();
      flat.grad().data_ptr_double().get(gradient);
    }
    double step = 1e-5;
    for (int i = 0; i < weights.length; i += 13) {
      double[] up = weights.clone();
      double[] down = weights.clone();
      up[i] += step;
      down[i] -= step;
      double expected = (loss(up) - loss(down)) / (2 * step);
      assertEquals(expected, gradient[i], 1e-6 * Math.max(1, Math.abs(expected)), "weight " + i);
    }
  }

  /** The same model written out in plain loops, one record at a time. */
  @Test
  void lossEqualsAModelInPlainLoops() {
    double[] weights = weights();
    double expected = 0;
    for (int[] record : records()) {
      expected += new PlainLoopDecoder(decoder, weights).loss(record);
    }
    assertEquals(expected, loss(weights), 1e-9 * expected);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void decodingStepByStepGivesTheLossOfTheWholeRecord(boolean isOpened) {
    double[] weights = weights();
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      float[] floats = new float[weights.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) weights[i];
      }
      List<Tensor> views = decoder.layout().views(torch.tensor(floats));
      FieldDecoding decoding =
          decoder.startDecoding(views, BATCH, isOpened ? decoder.opening(views) : null);
      double sum = 0;
      for (int t = 0; t < CONFIG.positions(); t++) {
        int[] before = new int[BATCH];
        for (int b = 0; b < BATCH && t > 0; b++) {
          before[b] = CONFIG.embeddingOffsets()[t - 1] + records()[b][t - 1];
        }
        Tensor logits = torch.log_softmax(decoding.logits(t, torch.tensor(before)), 1);
        for (int b = 0; b < BATCH; b++) {
          sum -= logits.select(0, b).select(0, records()[b][t]).item_double();
        }
      }
      assertEquals(loss(weights), sum, 1e-4);
    }
  }

  @Test
  void trainingStartsAtTheMarginals() {
    long[] counts = new long[CONFIG.totalVocabulary()];
    java.util.Arrays.fill(counts, 10);
    float[] start = decoder.initialParameters(counts, 40, new SplittableRandom(1));
    double expected = 0;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int size : CONFIG.vocabularySizes()) {
        expected += BATCH * Math.log(size);
      }
      double loss =
          decoder
              .loss(decoder.layout().views(torch.tensor(start)), inputs(), targets())
              .item_double();
      assertEquals(expected, loss, 1e-4);
    }
  }

  @Test
  void viewsShareTheFlatVectorsMemory() {
    try (PointerScope scope = new PointerScope()) {
      Tensor flat = torch.zeros(decoder.layout().size());
      decoder.layout().views(flat).forEach(view -> view.add_(new Scalar(1)));
      assertEquals(decoder.layout().size(), flat.sum().item_double());
    }
  }

  @Test
  void parametersComeBackFromASafetensorsFile() {
    float[] flat = new float[(int) decoder.layout().size()];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = i * 0.5f - 3;
    }
    byte[] file = SafetensorsFile.write(decoder.layout(), flat);
    assertArrayEquals(flat, SafetensorsFile.read(decoder.layout(), file, "model.safetensors"));
  }

  @Test
  void aDamagedFileIsNamedAndRefused() {
    byte[] file = SafetensorsFile.write(decoder.layout(), new float[(int) decoder.layout().size()]);
    byte[] cut = java.util.Arrays.copyOf(file, file.length - 1);
    byte[] none = new byte[3];
    byte[] hostile = file.clone();
    hostile[6] = 0x7f; // a header of 2^54 bytes
    for (byte[] damaged : List.of(cut, none, hostile)) {
      var fault =
          org.junit.jupiter.api.Assertions.assertThrows(
              org.safesynth.fault.RunFailedException.class,
              () -> SafetensorsFile.read(decoder.layout(), damaged, "model.safetensors"));
      assertTrue(fault.getMessage().startsWith("model.safetensors is corrupt or truncated: "));
    }
  }
}
