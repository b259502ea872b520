package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.fault.BadInputException;

/** Holds losses and gradients of adapters to what PEFT and autograd computed in Python. */
@Tag("unit")
class LoraDecoderTest {
  private static final double RELATIVE = 5e-5; // to the largest entry of a tensor

  @ParameterizedTest
  @ValueSource(
      strings = {
        "smollm3-tiny/lora-r4-rs",
        "smollm3-tiny/lora-r8-all",
        "tinyllama-tiny/lora-r4-rs",
        "tinyllama-tiny/lora-r8-all",
        "mistral-sliding-tiny/lora-r4-rs"
      })
  void lossesAndGradientsAreThoseOfPeft(String name) {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of(name);
    JsonNode json = goldens.json("lora.json");
    LoraDecoder decoder = goldens.decoder();
    PackedExamples batch = goldens.batch();
    int[] counts = batch.lossTokens();
    double[] each = Arrays.stream(counts).mapToDouble(n -> 1.0 / n).toArray();
    double[] all = new double[counts.length];
    Arrays.fill(all, 1.0 / Arrays.stream(counts).sum());
    long size = decoder.layout().size();
    try (PointerScope scope = new PointerScope()) {
      Tensor flat = torch.tensor(goldens.parameters()); // (P)
      Tensor golden = goldens.vector("batch_grad.safetensors", 0); // (P)
      for (boolean recomputes : new boolean[] {true, false}) {
        Tensor gradient = torch.zeros(size); // (P)
        double loss = decoder.gradient(batch, flat, all, gradient, recomputes);
        assertEquals(json.path("loss").asDouble(), loss, 1e-5);
        assertClose(decoder.layout().views(golden), decoder.layout().views(gradient), decoder);
      }
      assertEquals(json.path("loss").asDouble(), decoder.loss(batch, flat, all), 1e-5);
      Tensor own = torch.zeros(3, size); // (B, P)
      Tensor copies = flat.unsqueeze(0).expand(3, size); // (B, P)
      decoder.gradient(batch, copies, each, own, true);
      Tensor wanted = goldens.vector("per_sample_grad.safetensors", 3); // (B, P)
      for (int e = 0; e < 3; e++) {
        assertClose(
            decoder.layout().views(wanted.select(0, e)),
            decoder.layout().views(own.select(0, e)),
            decoder);
        double norm = own.select(0, e).norm().item_double();
        double of = json.path("per_sample_norms").get(e).asDouble();
        assertEquals(of, norm, 2e-5 * of);
      }
      for (String clip : List.of("1.0", "median")) {
        double c = json.path("clip").path(clip).path("C").asDouble();
        Tensor factors =
            own.norm(new org.bytedeco.pytorch.ScalarOptional(new Scalar(2)), 1)
                .add(new Scalar(1e-6))
                .reciprocal()
                .mul(new Scalar(c))
                .clamp_max(new Scalar(1)); // (B)
        Tensor sum = own.t().mv(factors); // (P)
        assertClose(
            decoder.layout().views(goldens.vector("clipped_sum_" + clip + ".safetensors", 0)),
            decoder.layout().views(sum),
            decoder);
      }
    }
  }

  private static void assertClose(List<Tensor> wanted, List<Tensor> found, LoraDecoder decoder) {
    for (int i = 0; i < wanted.size(); i++) {
      double largest = wanted.get(i).abs().max().item_double();
      double worst = wanted.get(i).sub(found.get(i)).abs().max().item_double();
      String name = decoder.layout().entries().get(i).name();
      assertTrue(worst <= RELATIVE * largest, name + ": " + worst + " of " + largest);
    }
  }

  /** A set of Java's own has another order in every process, and so would a fingerprint of it. */
  @Test
  void projectionsAreToldInOneOrder() {
    LoraConfig lora = new LoraConfig(4, 4, true, Set.copyOf(LoraConfig.PROJECTIONS));
    assertEquals(LoraConfig.PROJECTIONS, List.copyOf(lora.targets()));
    assertTrue(lora.toString().contains(LoraConfig.PROJECTIONS.toString()), lora.toString());
  }

  @Test
  void anExampleIsNotChangedByItsNeighbours() {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of("smollm3-tiny/lora-r4-rs");
    PackedExamples batch = goldens.batch();
    int first = batch.lengths()[0];
    int[] ids = Arrays.copyOf(batch.ids(), first);
    PackedExamples alone = PackedExamples.of(List.of(new PackedExamples.Example(ids, first)));
    try (PointerScope scope = new PointerScope()) {
      Tensor flat = torch.tensor(goldens.parameters()); // (P)
      Tensor together = goldens.decoder().logits(batch, flat).narrow(0, 0, first);
      Tensor apart = goldens.decoder().logits(alone, flat); // (first, vocabulary)
      assertTrue(together.sub(apart).abs().max().item_double() < 1e-4);
    }
  }

  @Test
  void anAdapterComesBackAsItWasWritten(@TempDir Path folder) throws IOException {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of("tinyllama-tiny/lora-r8-all");
    float[] flat = goldens.parameters();
    LoraConfig lora = goldens.decoder().lora();
    Map<String, byte[]> files =
        PeftAdapter.files(lora, goldens.decoder().layout(), flat, "tinyllama-tiny");
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
    PeftAdapter read = PeftAdapter.read(folder);
    assertEquals(lora, read.config());
    assertArrayEquals(flat, read.flat(goldens.decoder().config()));
  }

  @Test
  void anAdapterForOtherProjectionsIsRefused() {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of("tinyllama-tiny/lora-r8-all");
    HfConfig config = goldens.decoder().config();
    PeftAdapter adapter = PeftAdapter.read(goldens.folder().resolve("adapter"));
    LoraConfig other = new LoraConfig(4, 4, true, Set.of("q_proj"));
    BadInputException fault =
        assertThrows(
            BadInputException.class,
            () -> new PeftAdapter(adapter.weights(), other, adapter.folder()).flat(config));
    assertTrue(fault.getMessage().contains("does not fit the model"), fault.getMessage());
  }

  @Test
  void theAdapterStartsAsTheModelItself() {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of("smollm3-tiny/lora-r4-rs");
    LoraDecoder decoder = goldens.decoder();
    float[] start =
        decoder.initialParameters(
            new org.safesynth.random.SeededStreams(7)
                .stream(org.safesynth.random.SeededStreams.Purpose.INITIAL_WEIGHTS));
    try (PointerScope scope = new PointerScope()) {
      Tensor plain = torch.zeros(decoder.layout().size()); // (P)
      Tensor with = decoder.logits(goldens.batch(), torch.tensor(start));
      assertTrue(with.equal(decoder.logits(goldens.batch(), plain)));
      assertTrue(torch.tensor(start).abs().max().item_double() > 0.1);
    }
  }
}
