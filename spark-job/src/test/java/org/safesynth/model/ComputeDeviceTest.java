package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;

/** The choice of where models are computed, and products in bfloat16. */
@Tag("unit")
class ComputeDeviceTest {
  private static final int[] IDS = {1, 5, 9, 30, 31, 4, 17, 8, 3, 22, 6};
  private static final LoraConfig LORA =
      new LoraConfig(4, 4, true, Set.copyOf(LoraConfig.PROJECTIONS));

  @TempDir private Path folder;
  private HfConfig config;

  @BeforeAll
  static void loadNatives() {
    Natives.load();
  }

  @BeforeEach
  void writeModel() throws IOException {
    TinyLlama.write(folder);
    config = HfConfig.read(folder);
  }

  private static PackedExamples batch() {
    return PackedExamples.of(
        List.of(
            new PackedExamples.Example(IDS, 4),
            new PackedExamples.Example(new int[] {2, 9, 4, 7}, 1)));
  }

  /** bfloat16 keeps 8 bits of a product's factors: logits within a hundredth of their range. */
  @Test
  void productsInBfloat16AreNearThoseInFloat32() {
    ComputeDevice halves = new ComputeDevice("cpu", true);
    LoraDecoder exact = LoraDecoder.load(config, folder, LORA, ComputeDevice.CPU, 0);
    LoraDecoder half = LoraDecoder.load(config, folder, LORA, halves, 0);
    try (PointerScope scope = new PointerScope()) {
      torch.manual_seed(3);
      Tensor parameters = torch.randn(exact.layout().size()).mul_(new Scalar(0.05f)); // (P)
      double[] weights = {0.1, 0.2};
      Tensor wanted = torch.zeros(exact.layout().size()); // (P)
      Tensor found = torch.zeros(exact.layout().size()); // (P)
      double loss = exact.gradient(batch(), parameters, weights, wanted, true);
      assertEquals(loss, half.gradient(batch(), parameters, weights, found, false), 0.01 * loss);
      double cosine =
          wanted.dot(found).item_double()
              / (wanted.norm().item_double() * found.norm().item_double());
      assertTrue(cosine > 0.999, "cosine " + cosine);
      CausalDecoder sampled = CausalDecoder.load(config, folder, null, halves, 0);
      Tensor plain = torch.zeros(exact.layout().size()); // (P)
      Tensor logits = exact.logits(batch(), plain).narrow(0, 0, IDS.length);
      double range = logits.abs().max().item_double();
      double apart = CausalDecoderTest.logits(sampled, IDS).sub(logits).abs().max().item_double();
      assertTrue(apart > 0 && apart < 0.02 * range, apart + " of " + range);
    }
  }

  @Test
  void bfloat16IsChosenWhereTheProcessorHasIt() throws IOException {
    Path cpuinfo = folder.resolve("cpuinfo");
    Files.writeString(cpuinfo, "model name\t: A\nflags\t\t: fpu avx2 avx512f avx512_bf16 vnni\n");
    assertTrue(ComputeDevice.processor(cpuinfo).multipliesInBfloat16());
    Files.writeString(cpuinfo, "model name\t: amx_bf16\nflags\t\t: fpu avx2 avx512f\n");
    assertFalse(ComputeDevice.processor(cpuinfo).multipliesInBfloat16());
    assertFalse(ComputeDevice.processor(folder.resolve("none")).multipliesInBfloat16());
  }

  @Test
  void aGpuThatIsNotThereIsOneSentence() {
    assumeFalse(torch.cuda_is_available(), "there is a GPU here");
    String said =
        assertThrows(BadInputException.class, () -> ComputeDevice.choose("cuda")).getMessage();
    assertTrue(said.contains("cluster.device"), said);
    assertTrue(said.contains("-Pgpu") || said.contains("nvidia-smi"), said);
    assertEquals("cpu", ComputeDevice.choose("auto").name());
    assertEquals("cpu", ComputeDevice.choose("cpu").name());
  }
}
