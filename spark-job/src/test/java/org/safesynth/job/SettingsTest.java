package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.fault.BadInputException;

@Tag("unit")
final class SettingsTest {
  private final Configuration hadoop = new Configuration();
  private final Settings settings = new Settings(new TextFiles(hadoop));
  @TempDir private java.nio.file.Path temp;
  private RunFolder folder;

  @BeforeEach
  void openFolder() {
    folder = RunFolder.toWrite(hadoop, new Path(temp.resolve("run").toUri()));
  }

  private SafeSynthesizerConfig begin(Map<String, String> overrides) {
    SafeSynthesizerConfig config = settings.forRun(folder, null, overrides);
    folder.write(RunFolder.CONFIG, Settings.saved(config));
    return config;
  }

  @Test
  void aSeedIsDrawnOnceAndKept() {
    Long seed = begin(Map.of()).data().randomState();
    assertNotNull(seed);
    assertEquals(seed, settings.forRun(folder, null, Map.of()).data().randomState());
    assertEquals(
        seed,
        settings.forRun(folder, null, Map.of("generation.num_records", "5")).data().randomState());
  }

  @Test
  void aGivenSeedIsUsed() {
    assertEquals(7L, begin(Map.of("data__random_state", "7")).data().randomState());
  }

  @Test
  void aResumedRunKeepsWhatItWasBegunWith() throws IOException {
    begin(Map.of("data.holdout", "0.1"));
    assertEquals(
        0.2,
        settings.forRun(folder, null, Map.of("data.holdout", "0.2")).data().holdout(),
        "before training has begun nothing is lost");

    Files.createDirectories(temp.resolve("run/checkpoints"));
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () -> settings.forRun(folder, null, Map.of("data.holdout", "0.2")));
    assertTrue(e.getMessage().contains("other parameters of data"), e.getMessage());
    assertEquals(
        0.1,
        settings
            .forRun(folder, null, Map.of("data.holdout", "0.1", "training.resume", "true"))
            .data()
            .holdout());
  }

  @Test
  void samplingTakesGenerationParametersOnly() throws IOException {
    begin(Map.of("data.holdout", "0.1"));
    assertEquals(
        5,
        settings
            .forGeneration(folder, null, Map.of("generation__num_records", "5"))
            .generation()
            .numRecords());
    assertThrows(
        BadInputException.class,
        () -> settings.forGeneration(folder, null, Map.of("data.holdout", "0.2")));

    Files.writeString(
        temp.resolve("c.yaml"), "data: {holdout: 0.3}\ngeneration: {num_records: 9}\n");
    SafeSynthesizerConfig config =
        settings.forGeneration(folder, temp.resolve("c.yaml").toString(), Map.of());
    assertEquals(9, config.generation().numRecords());
    assertEquals(0.1, config.data().holdout());
    assertTrue(config.isExplicit("generation.num_records"));
  }

  @Test
  void credentialsAreNotSaved() {
    begin(Map.of("data.format", "jdbc", "data.options", "{dbtable: t, password: s3cr3t}"));
    String saved = folder.read(RunFolder.CONFIG).orElseThrow();
    assertFalse(saved.contains("s3cr3t"), saved);
    assertTrue(saved.contains("dbtable"), saved);
    assertThrows(BadInputException.class, () -> settings.forRun(folder, null, Map.of()));
  }

  @Test
  void credentialsOfTheParentTableAreNotSaved() {
    begin(
        Map.of(
            "data.parent",
            "{path: 'jdbc://me:s3cr3t@host/db', key: id, options: {dbtable: t, password: s3cr3t}}"));
    String saved = folder.read(RunFolder.CONFIG).orElseThrow();
    assertFalse(saved.contains("s3cr3t"), saved);
    assertTrue(saved.contains("dbtable") && saved.contains("key: id"), saved);
    assertThrows(BadInputException.class, () -> settings.forRun(folder, null, Map.of()));
  }

  @Test
  void secretsThatWereNotSavedAreAskedForAgain() throws IOException {
    begin(Map.of("data.options", "{url: here, password: hidden}"));
    BadInputException e =
        assertThrows(BadInputException.class, () -> settings.forEvaluation(folder, null, Map.of()));
    assertTrue(e.getMessage().contains("run evaluate reads the table again"), e.getMessage());
    assertThrows(BadInputException.class, () -> settings.forImputation(folder, null, Map.of()));
    assertEquals(
        "***",
        settings.forGeneration(folder, null, Map.of()).data().options().get("password"),
        "sampling reads no table");
    String file = temp.resolve("again.yaml").toString();
    Files.writeString(
        temp.resolve("again.yaml"), "data: {options: {url: elsewhere, password: hidden}}");
    Map<String, String> options = settings.forEvaluation(folder, file, Map.of()).data().options();
    assertEquals(Map.of("url", "here", "password", "hidden"), options);
  }

  @Test
  void aParentsSecretsAreAskedForAgain() throws IOException {
    begin(Map.of("data.parent", "{path: p, key: k, foreign_key: f, options: {password: hidden}}"));
    assertThrows(BadInputException.class, () -> settings.forEvaluation(folder, null, Map.of()));
    String file = temp.resolve("again.yaml").toString();
    Files.writeString(
        temp.resolve("again.yaml"),
        "data: {parent: {path: p, key: k, foreign_key: f, options: {password: hidden}}}");
    assertEquals(
        "hidden",
        settings
            .forEvaluation(folder, file, Map.of())
            .data()
            .parentTable()
            .options()
            .get("password"));
  }
}
