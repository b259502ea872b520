package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.fault.RunFailedException;
import org.safesynth.model.LoraGoldens;
import org.safesynth.model.Natives;
import org.safesynth.model.PackedExamples;

/** Holds the training of adapters to 20 steps of PyTorch's AdamW, and to itself. */
@Tag("unit")
class LoraTrainerTest {
  private static final String GOLDEN = "smollm3-tiny/lora-r4-rs";

  /** Keeps the newest checkpoint in memory. */
  private static final class MemoryStore implements CheckpointStore {
    private Checkpoint newest;

    @Override
    public void save(Checkpoint checkpoint) {
      newest = checkpoint;
    }

    @Override
    public Optional<Checkpoint> newest() {
      return Optional.ofNullable(newest);
    }
  }

  static List<PackedExamples.Example> examples(PackedExamples batch) {
    List<PackedExamples.Example> examples = new ArrayList<>();
    int at = 0;
    for (int length : batch.lengths()) {
      int prompt = 1;
      while (batch.targets()[at + prompt - 1] == PackedExamples.NO_LOSS) {
        prompt++;
      }
      int[] ids = Arrays.copyOfRange(batch.ids(), at, at + length);
      examples.add(new PackedExamples.Example(ids, prompt));
      at += length;
    }
    return examples;
  }

  private static LoraTrainer trainer(
      LoraGoldens goldens, LoraPlan plan, double[] rates, CheckpointStore store, int workers) {
    List<PackedExamples.Example> three = examples(goldens.batch());
    return new LoraTrainer(
        goldens.decoder(),
        number -> three.get((int) (number % 3)),
        plan,
        step -> rates[(int) step],
        store,
        progress -> {},
        workers);
  }

  @ParameterizedTest
  @CsvSource({
    "smollm3-tiny/lora-r4-rs,plain",
    "smollm3-tiny/lora-r4-rs,clip1",
    "smollm3-tiny/lora-r4-rs,clip0.1",
    "tinyllama-tiny/lora-r8-all,plain",
    "tinyllama-tiny/lora-r8-all,clip1",
    "tinyllama-tiny/lora-r8-all,clip0.1"
  })
  void twentyStepsAreThoseOfPyTorch(String name, String variant) {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of(name);
    JsonNode of = goldens.json("adamw.json").path("variants").path(variant);
    double norm = of.path("max_norm").asDouble(Double.POSITIVE_INFINITY);
    double[] rates = new double[20];
    Arrays.setAll(rates, i -> of.path("lr_of_step").get(i).asDouble());
    LoraPlan plan = new LoraPlan(60, 0, 3, 1, 0.01, norm, 100, false, false);
    LoraTrainer.Outcome outcome =
        trainer(goldens, plan, rates, new MemoryStore(), 1).train(goldens.parameters());
    for (int i = 0; i < 20; i++) {
      double wanted = of.path("loss_before_step").get(i).asDouble();
      assertEquals(wanted, outcome.losses().get(i), 2e-5, "step " + i);
    }
    try (PointerScope scope = new PointerScope()) {
      Tensor wanted = goldens.vector("adamw_" + variant + "_final.safetensors", 0); // (P)
      Tensor apart = wanted.sub(torch.tensor(outcome.adapter())).abs(); // (P)
      assertTrue(apart.max().item_double() < 1e-3);
      assertTrue(apart.median().item_double() < 1e-6);
    }
  }

  private static double[] steady(int steps) {
    double[] rates = new double[steps];
    Arrays.fill(rates, 2e-3);
    return rates;
  }

  @Test
  void theResultIsTheSameForAnyNumberOfWorkers() {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of(GOLDEN);
    LoraPlan plan = new LoraPlan(47, 3, 2, 4, 0.01, 1, 2, false, true);
    float[] start = LoraTrainer.initial(goldens.decoder(), 5);
    LoraTrainer.Outcome one = trainer(goldens, plan, steady(6), new MemoryStore(), 1).train(start);
    LoraTrainer.Outcome three =
        trainer(goldens, plan, steady(6), new MemoryStore(), 3).train(start);
    assertArrayEquals(one.adapter(), three.adapter());
    assertEquals(6, one.last().step());
    assertTrue(one.lastValidation() < one.firstValidation() - 0.1);
  }

  @Test
  void resumedTrainingEqualsUninterrupted() {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of(GOLDEN);
    LoraPlan plan = new LoraPlan(60, 0, 1, 6, 0.01, 1, 100, false, true);
    float[] start = LoraTrainer.initial(goldens.decoder(), 5);
    float[] whole = trainer(goldens, plan, steady(10), new MemoryStore(), 2).train(start).adapter();
    MemoryStore store = new MemoryStore();
    store.save(trainer(goldens, plan, steady(10), store, 2).trainTo(4, start));
    assertArrayEquals(whole, trainer(goldens, plan, steady(10), store, 1).train(start).adapter());
  }

  @Test
  void aRateThatFollowsTheLossFallsAndIsResumed() {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of(GOLDEN);
    // A rate so low that the loss does not fall, so the rate does.
    LoraPlan plan = new LoraPlan(40, 3, 1, 1, 0.01, 1, 1, true, true);
    float[] start = LoraTrainer.initial(goldens.decoder(), 5);
    double[] rates = {1e-6};
    Checkpoint whole = trainer(goldens, plan, rates, new MemoryStore(), 1).train(start).last();
    assertTrue(whole.learningRate() < 1.1e-7, "rate " + whole.learningRate());
    MemoryStore store = new MemoryStore();
    store.save(trainer(goldens, plan, rates, store, 1).trainTo(17, start));
    Checkpoint resumed = trainer(goldens, plan, rates, store, 1).train(start).last();
    assertArrayEquals(whole.parameters(), resumed.parameters());
    assertEquals(whole.learningRate(), resumed.learningRate());
    assertEquals(whole.bestLoss(), resumed.bestLoss());
  }

  @Test
  void aCheckpointOfAnotherScheduleIsRefused() {
    Natives.load();
    LoraGoldens goldens = LoraGoldens.of(GOLDEN);
    float[] start = LoraTrainer.initial(goldens.decoder(), 5);
    LoraPlan plan = new LoraPlan(12, 0, 1, 6, 0.01, 1, 100, false, true);
    MemoryStore store = new MemoryStore();
    store.save(trainer(goldens, plan, steady(2), store, 1).trainTo(1, start));
    LoraPlan longer = new LoraPlan(60, 0, 1, 6, 0.01, 1, 100, false, true);
    assertThrows(
        RunFailedException.class,
        () -> trainer(goldens, longer, steady(10), store, 1).train(start));
  }
}
