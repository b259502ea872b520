package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

/** Values set in code are checked like those of a file. */
@Tag("unit")
final class ConfigBuilderTest {
  @Test
  void valuesOfJavaTypesAreSet() {
    SafeSynthesizerConfig config =
        new ConfigBuilder()
            .set("training.lora_r", 16)
            .set("data.holdout", 0.1)
            .set("data.group_training_examples_by", "null")
            .set("data.missing_values", List.of("NA", "a,b", ""))
            .set("data.options", Map.of("sep", "\t"))
            .set("cluster.device", ClusterConfig.Device.CPU)
            .set("embedded.hidden_size", Auto.of(32))
            .set("embedded__num_layers", Auto.auto())
            .set("privacy", null)
            .build();
    assertEquals(16, config.training().loraR());
    assertEquals(0.1, config.data().holdout());
    assertEquals("null", config.data().groupTrainingExamplesBy());
    assertEquals(List.of("NA", "a,b", ""), config.data().missingValues());
    assertEquals(Map.of("sep", "\t"), config.data().options());
    assertEquals(ClusterConfig.Device.CPU, config.cluster().device());
    assertEquals(32, config.embedded().hiddenSize().value());
    assertTrue(config.isExplicit("training.lora_r") && config.isExplicit("privacy"));
  }

  @Test
  void lastValueOfAPathCounts() {
    SafeSynthesizerConfig config =
        new ConfigBuilder()
            .set("generation.seed", 1)
            .set("generation__seed", 2)
            .set("generation.seed", null)
            .build();
    assertNull(config.generation().seed());
  }

  @Test
  void aSectionMayBeSetAtOnce() {
    SafeSynthesizerConfig config =
        new ConfigBuilder().set("privacy", Map.of("epsilon", 2, "delta", "auto")).build();
    assertEquals(2.0, config.privacy().epsilon());
    assertEquals(Set.of("privacy.epsilon", "privacy.delta"), config.explicit());
  }

  @Test
  void wrongValuesAreNamedByTheirPath() {
    ConfigBuilder builder = new ConfigBuilder().set("training.lora_r", 0);
    BadInputException e = assertThrows(BadInputException.class, builder::build);
    assertEquals(
        "builder: training.lora_r is '0', but must be a whole number of at least 1",
        e.getMessage());
    ConfigBuilder unknown = new ConfigBuilder().set("training.lora", Arrays.asList(1, null));
    assertThrows(BadInputException.class, unknown::build);
  }

  @Test
  void anotherConfigurationIsTheBeginning() {
    SafeSynthesizerConfig base = new ConfigBuilder().set("data.holdout", 0.2).build();
    SafeSynthesizerConfig changed =
        ConfigBuilder.from(base).set("generation.num_records", 7L).build();
    assertEquals(0.2, changed.data().holdout());
    assertEquals(7, changed.generation().numRecords());
    assertEquals(Set.of("data.holdout", "generation.num_records"), changed.explicit());
  }

  @Test
  void whatTheJobResolvesIsNotTheUsersWish() {
    SafeSynthesizerConfig base = new ConfigBuilder().set("embedded.batch_size", "auto").build();
    SafeSynthesizerConfig resolved =
        ConfigBuilder.from(base)
            .resolve("data.random_state", 99L)
            .resolve("embedded.batch_size", 256)
            .build();
    assertEquals(99L, resolved.data().randomState());
    assertEquals(256, resolved.embedded().batchSize().value());
    assertEquals(Set.of("embedded.batch_size"), resolved.explicit());
  }
}
