package org.safesynth.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class VocabularyTest {
  private static final String BOTH =
      """
      {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "ByteLevel"}]}""";

  private static byte[] file(String preTokenizer, String decoder) {
    return """
        {"pre_tokenizer": %s, "decoder": %s, "model": {"type": "BPE", "vocab": {"a": 0, "\u0120b": 1}}}"""
        .formatted(preTokenizer, decoder)
        .getBytes(StandardCharsets.UTF_8);
  }

  /** As tokenizers that were converted from GGUF have it. */
  @Test
  void aDecoderOfBothKindsIsReadAsTextsAreCut() {
    for (String cut :
        new String[] {
          "{\"type\": \"ByteLevel\"}",
          "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"ByteLevel\"}]}"
        }) {
      Vocabulary vocabulary = Vocabulary.of(file(cut, BOTH), "tokenizer.json");
      assertArrayEquals("a".getBytes(StandardCharsets.UTF_8), vocabulary.bytes(0));
      assertArrayEquals(" b".getBytes(StandardCharsets.UTF_8), vocabulary.bytes(1));
    }
  }

  @Test
  void aDecoderThatIsNotKnownIsOneSentence() {
    for (byte[] unknown :
        new byte[][] {file("null", BOTH), file("null", "{\"type\": \"WordPiece\"}")}) {
      String said =
          assertThrows(BadInputException.class, () -> Vocabulary.of(unknown, "tokenizer.json"))
              .getMessage();
      assertTrue(said.startsWith("tokenizer.json: a decoder of type"), said);
    }
  }
}
