package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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
import org.safesynth.fault.RunFailedException;

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
    areNearThoseInFloat32(new ComputeDevice("cpu", true));
  }

  @Test
  void aGpuComputesWhatTheProcessorDoes() {
    assumeTrue(torch.cuda_is_available(), "there is no GPU here");
    areNearThoseInFloat32(choose("cuda"));
  }

  @Test
  void aGpuIsNotTakenBeyondItsShare() {
    assumeTrue(torch.cuda_is_available(), "there is no GPU here");
    ComputeDevice gpu = choose("cuda"); // at most .8 of its memory
    long values = 1L << 28; // 1 GiB
    RunFailedException said =
        assertThrows(
            RunFailedException.class,
            () ->
                gpu.within(
                    () -> {
                      try (PointerScope scope = new PointerScope()) {
                        Tensor one = gpu.on(torch.zeros(1));
                        for (int i = 0; i < 1024; i++) {
                          one.new_empty(values);
                        }
                        return null;
                      }
                    }));
    assertTrue(said.getMessage().contains("training.max_vram_fraction"), said.getMessage());
    String cause = String.valueOf(said.getCause().getMessage());
    assertTrue(cause.contains("allowed"), cause); // how much the process may take
  }

  private void areNearThoseInFloat32(ComputeDevice halves) {
    LoraDecoder exact = LoraDecoder.load(config, folder, LORA, ComputeDevice.CPU, 0);
    LoraDecoder half = LoraDecoder.load(config, folder, LORA, halves, 0);
    try (PointerScope scope = new PointerScope()) {
      torch.manual_seed(3);
      Tensor parameters = torch.randn(exact.layout().size()).mul_(new Scalar(0.05f)); // (P)
      double[] weights = {0.1, 0.2};
      Tensor wanted = torch.zeros(exact.layout().size()); // (P)
      Tensor found = torch.zeros(exact.layout().size()); // (P)
      Tensor there = halves.on(found); // (P)
      double loss = exact.gradient(batch(), parameters, weights, wanted, true);
      assertEquals(
          loss, half.gradient(batch(), halves.on(parameters), weights, there, false), 0.01 * loss);
      found.copy_(there);
      double cosine =
          wanted.dot(found).item_double()
              / (wanted.norm().item_double() * found.norm().item_double());
      assertTrue(cosine > 0.999, "cosine " + cosine);
      CausalDecoder sampled = CausalDecoder.load(config, folder, null, halves, 0);
      Tensor plain = torch.zeros(exact.layout().size()); // (P)
      Tensor logits = exact.logits(batch(), plain).narrow(0, 0, IDS.length);
      double range = logits.abs().max().item_double();
      double apart =
          CausalDecoderTest.logits(sampled, IDS).cpu().sub(logits).abs().max().item_double();
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
  void privateTrainingIsNotRoundedToTensorFloat() {
    torch.globalContext().setAllowTF32CuBLAS(true);
    assertTrue(torch.globalContext().allowTF32CuBLAS());
    ComputeDevice.Wish any = new ComputeDevice.Wish("auto", 0.8); // the first of a process counts
    ComputeDevice chosen = ComputeDevice.chooseForPrivateTraining(any);
    assertFalse(torch.globalContext().allowTF32CuBLAS());
    assertEquals(ComputeDevice.choose(any), chosen);
  }

  @Test
  void aGpuThatIsNotThereIsOneSentence() {
    assumeFalse(torch.cuda_is_available(), "there is a GPU here");
    String said = assertThrows(BadInputException.class, () -> choose("cuda")).getMessage();
    assertTrue(said.contains("cluster.device"), said);
    assertTrue(said.contains("-Pgpu") || said.contains("nvidia-smi"), said);
    assertEquals("cpu", choose("auto").name());
    assertEquals("cpu", choose("cpu").name());
  }

  private static ComputeDevice choose(String device) {
    return ComputeDevice.choose(new ComputeDevice.Wish(device, 0.8));
  }

  @Test
  void theDeviceIsNamed() throws IOException {
    assertEquals("cpu, float32", ComputeDevice.CPU.words());
    assertEquals("cpu, bfloat16", new ComputeDevice("cpu", true).words());
    Path gpus = folder.resolve("gpus");
    assertEquals(Optional.empty(), ComputeDevice.gpuName(gpus));
    Files.createDirectories(gpus.resolve("0000:00:04.0"));
    assertEquals(Optional.empty(), ComputeDevice.gpuName(gpus));
    Files.writeString(
        gpus.resolve("0000:00:04.0").resolve("information"),
        "Model: \t\t NVIDIA A10\nIRQ:   \t\t 11\n");
    assertEquals(Optional.of("NVIDIA A10"), ComputeDevice.gpuName(gpus));
  }

  @Test
  void aFullGpuIsOneSentenceAndOtherFaultsStay() {
    ComputeDevice gpu = new ComputeDevice("cuda", true);
    RuntimeException full =
        new IllegalStateException(
            "a worker failed", new RuntimeException("CUDA out of memory. Tried"));
    RunFailedException said =
        assertThrows(RunFailedException.class, () -> gpu.within(() -> fail(full)));
    assertTrue(said.getMessage().contains("training.batch_size"), said.getMessage());
    assertSame(full, said.getCause());
    RuntimeException other = new IllegalStateException("shapes differ");
    assertSame(other, assertThrows(RuntimeException.class, () -> gpu.within(() -> fail(other))));
    assertSame(
        full,
        assertThrows(RuntimeException.class, () -> ComputeDevice.CPU.within(() -> fail(full))));
  }

  private static Object fail(RuntimeException fault) {
    throw fault;
  }
}
