package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Declarations are complete, and their words are those of the reader. */
@Tag("unit")
final class ParametersTest {
  private static Declaration find(String path) {
    return Parameters.find(path).orElseThrow();
  }

  @Test
  void aDeclarationSaysEverythingAboutAParameter() {
    Declaration declared = find("training.lora_alpha_over_r");
    assertEquals("training", declared.section());
    assertEquals("lora_alpha_over_r", declared.name());
    assertEquals("number", declared.typeText());
    assertEquals("1.0", declared.defaultText());
    assertEquals("of at least 0.5 and at most 3", declared.boundsText());
    assertFalse(declared.isUsedByEmbedded());
    assertEquals("list of text", find("data.missing_values").typeText());
    assertEquals("one of rdp, pld", find("privacy.accountant").boundsText());
    assertEquals("whole number", find("data.max_sequences_per_example").typeText());
  }

  @Test
  void meaningsAreOneLineWithoutAFullStop() {
    for (Declaration declared : Parameters.all()) {
      assertTrue(declared.meaning().length() <= 100, declared.path());
      assertTrue(declared.meaning().length() >= 10, declared.path());
      assertFalse(declared.meaning().endsWith("."), declared.path());
      assertFalse(declared.meaning().contains("\n"), declared.path());
    }
  }

  @Test
  void sectionsComeInTheirOrder() {
    assertEquals(
        "[data, training, embedded, generation, generation.validation, privacy, time_series,"
            + " evaluation, replace_pii, replace_pii.globals, replace_pii.globals.classify,"
            + " replace_pii.globals.ner, replace_pii.globals.ner.gliner, cluster]",
        Parameters.sections().keySet().toString());
  }

  @Test
  void distancesCountLetters() {
    assertEquals(0, NearestKey.distance("holdout", "holdout"));
    assertEquals(1, NearestKey.distance("holdot", "holdout"));
    assertEquals(2, NearestKey.distance("trainign", "training"));
    assertEquals(3, NearestKey.distance("", "abc"));
  }
}
