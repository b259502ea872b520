package org.safesynth.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.Fixtures;
import org.safesynth.fault.BadInputException;

/** Compared with Hugging Face's tokenizers 0.23.3, whose values the fixtures hold. */
@Tag("unit")
class TokenizerGoldensTest {
  private static JsonNode golden(String name) throws IOException {
    Path file = Fixtures.path("goldens/tokenizers/" + name + ".json");
    return new ObjectMapper().readTree(Files.readAllBytes(file));
  }

  private static int[] ints(JsonNode array) {
    int[] ints = new int[array.size()];
    Arrays.setAll(ints, i -> array.get(i).asInt());
    return ints;
  }

  @ParameterizedTest
  @CsvSource({
    "smollm3, smollm3-tiny",
    "llama3, llama3-rope-tiny",
    "tinyllama, tinyllama-tiny",
    "mistral, mistral-tiny"
  })
  void idsAndTextsAreHuggingFaces(String name, String model) throws IOException {
    TokenizerFolder folder = TokenizerFolder.load(Fixtures.path("models/" + model));
    JsonNode golden = golden(name);
    assertEquals(65, golden.path("cases").size());
    for (JsonNode c : golden.path("cases")) {
      String text = c.path("text").asText();
      int[] ids = ints(c.path("ids"));
      assertArrayEquals(ids, folder.tokenizer().encodeWithSpecialTokens(text), text);
      assertArrayEquals(ints(c.path("ids_without_special")), folder.tokenizer().encode(text), text);
      assertEquals(c.path("decoded").asText(), folder.tokenizer().decode(ids, false));
      assertEquals(c.path("decoded_skip_special").asText(), folder.tokenizer().decode(ids, true));
    }
    for (JsonNode c : golden.path("decode_cases")) {
      int[] ids = ints(c.path("ids"));
      assertEquals(c.path("decoded").asText(), folder.tokenizer().decode(ids, false));
      assertEquals(c.path("decoded_skip_special").asText(), folder.tokenizer().decode(ids, true));
    }
    int[] ids = ints(golden.path("growing_decode").path("ids"));
    for (int n = 0; n < ids.length; n++) {
      assertEquals(
          golden.path("growing_decode").path("texts").get(n).asText(),
          folder.tokenizer().decode(Arrays.copyOf(ids, n + 1), true));
    }
  }

  /** The oracle of what a token writes is the tokenizer's own decoder. */
  @ParameterizedTest
  @CsvSource({"smollm3, smollm3-tiny", "tinyllama, tinyllama-tiny", "mistral, mistral-tiny"})
  void bytesOfTokensAddUpToTheText(String name, String model) throws IOException {
    TokenizerFolder folder = TokenizerFolder.load(Fixtures.path("models/" + model));
    for (JsonNode c : golden(name).path("cases")) {
      int[] ids = ints(c.path("ids_without_special"));
      String written = new String(folder.vocabulary().bytes(ids), StandardCharsets.UTF_8);
      String decoded = folder.tokenizer().decode(ids, true);
      boolean byteLevel = name.equals("smollm3");
      // The SentencePiece decoders strip the space that they put before a text.
      assertEquals(decoded, byteLevel || !written.startsWith(" ") ? written : written.substring(1));
    }
  }

  @Test
  void specialTokensAreNamedByTheFolder() {
    TokenizerFolder smol = TokenizerFolder.load(Fixtures.path("models/smollm3-tiny"));
    assertNull(smol.bosId());
    assertEquals(511, smol.eosId());
    assertNull(smol.vocabulary().bytes(511));
    TokenizerFolder llama = TokenizerFolder.load(Fixtures.path("models/tinyllama-tiny"));
    assertEquals(1, llama.bosId());
    assertEquals(2, llama.eosId());
    assertTrue(llama.vocabulary().specialTexts().contains("</s>"));
  }

  @Test
  void equalTokenizersAreLoadedOnce() {
    Path folder = Fixtures.path("models/mistral-tiny");
    assertSame(TokenizerFolder.load(folder).tokenizer(), TokenizerFolder.load(folder).tokenizer());
  }

  @Test
  void aFolderWithoutTokenizerIsOneSentence(@TempDir Path folder) {
    BadInputException fault =
        assertThrows(BadInputException.class, () -> TokenizerFolder.load(folder));
    assertEquals(
        "the model folder %s has no tokenizer.json: copy it there from where the model came from"
            .formatted(folder),
        fault.getMessage());
  }

  @Test
  void whatIsNoTokenizerIsOneSentence(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": 1");
    BadInputException fault =
        assertThrows(BadInputException.class, () -> TokenizerFolder.load(folder));
    assertTrue(
        fault.getMessage().startsWith(folder.resolve("tokenizer.json") + " is no"),
        fault.getMessage());
    assertEquals(1, fault.getMessage().lines().count());
  }
}
