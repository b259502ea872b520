package org.safesynth.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.safesynth.fault.BadInputException;

/**
 * The bytes that each token writes: what a decoder of text does token by token. Special tokens
 * write nothing.
 *
 * <p>Two spellings occur in the Llama family. GPT-2's maps each byte to a printable character; the
 * SentencePiece one writes a space as {@code ▁} and bytes without a token of their own as {@code
 * <0xNN>}.
 */
public final class Vocabulary {
  private final byte[][] bytes; // (vocabulary), null for ids without text
  private final Map<String, Integer> added; // content of added tokens to id
  private final Set<String> specials;

  private Vocabulary(byte[][] bytes, Map<String, Integer> added, Set<String> specials) {
    this.bytes = bytes;
    this.added = Map.copyOf(added);
    this.specials = Set.copyOf(specials);
  }

  /**
   * Reads the vocabulary.
   *
   * @param json the content of {@code tokenizer.json}
   * @param source its path, for the error
   */
  public static Vocabulary of(byte[] json, String source) {
    JsonNode file;
    try {
      file = new ObjectMapper().readTree(json);
    } catch (IOException e) {
      throw new BadInputException(source + " is not JSON: " + firstLine(e), e);
    }
    boolean namesByteLevel = mentions(file.path("decoder"), "ByteLevel");
    boolean namesPieces =
        mentions(file.path("decoder"), "ByteFallback")
            || mentions(file.path("decoder"), "Metaspace");
    // Some converters write both; how texts are cut then tells how tokens are written.
    boolean byteLevel =
        namesByteLevel && (!namesPieces || mentions(file.path("pre_tokenizer"), "ByteLevel"));
    if (!byteLevel && (namesByteLevel || !namesPieces)) {
      throw new BadInputException(
          "%s: a decoder of type %s is not known, only ByteLevel, ByteFallback and Metaspace"
              .formatted(source, file.path("decoder").path("type").asText("none")));
    }
    Map<Integer, String> pieces = pieces(file.path("model").path("vocab"));
    Map<String, Integer> added = new HashMap<>();
    Set<String> specials = new HashSet<>();
    for (JsonNode token : file.path("added_tokens")) {
      String content = token.path("content").asText();
      added.put(content, token.path("id").asInt());
      if (token.path("special").asBoolean()) {
        specials.add(content);
      }
    }
    int size = 0;
    for (int id : pieces.keySet()) {
      size = Math.max(size, id + 1);
    }
    for (int id : added.values()) {
      size = Math.max(size, id + 1);
    }
    byte[][] bytes = new byte[size][];
    int[] byteOf = byteLevel ? bytesOfCharacters() : null;
    pieces.forEach(
        (id, piece) -> bytes[id] = byteLevel ? ofByteLevel(piece, byteOf) : ofPiece(piece));
    added.forEach(
        (content, id) ->
            bytes[id] =
                specials.contains(content) ? null : content.getBytes(StandardCharsets.UTF_8));
    return new Vocabulary(bytes, added, specials);
  }

  private static String firstLine(IOException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /** Whether it is of a type, or a sequence with a part that is. */
  private static boolean mentions(JsonNode step, String type) {
    if (step.path("type").asText().equals(type)) {
      return true;
    }
    for (String parts : List.of("decoders", "pretokenizers")) {
      for (JsonNode part : step.path(parts)) {
        if (mentions(part, type)) {
          return true;
        }
      }
    }
    return false;
  }

  private static Map<Integer, String> pieces(JsonNode vocab) {
    Map<Integer, String> pieces = new HashMap<>();
    if (vocab.isArray()) { // Unigram: a list of piece and score
      for (int id = 0; id < vocab.size(); id++) {
        pieces.put(id, vocab.get(id).path(0).asText());
      }
      return pieces;
    }
    for (Iterator<Map.Entry<String, JsonNode>> all = vocab.fields(); all.hasNext(); ) {
      Map.Entry<String, JsonNode> entry = all.next();
      pieces.put(entry.getValue().asInt(), entry.getKey());
    }
    return pieces;
  }

  /** GPT-2's table: printable bytes stand for themselves, the others are moved above U+00FF. */
  private static int[] bytesOfCharacters() {
    int[] byteOf = new int[512];
    Arrays.fill(byteOf, -1);
    int moved = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      byteOf[printable ? b : moved++] = b;
    }
    return byteOf;
  }

  private static byte[] ofByteLevel(String piece, int[] byteOf) {
    byte[] bytes = new byte[piece.length()];
    for (int i = 0; i < bytes.length; i++) {
      int c = piece.charAt(i);
      if (c >= byteOf.length || byteOf[c] < 0) {
        return piece.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) byteOf[c];
    }
    return bytes;
  }

  private static byte[] ofPiece(String piece) {
    if (piece.length() == 6 && piece.startsWith("<0x") && piece.endsWith(">")) {
      return new byte[] {(byte) Integer.parseInt(piece.substring(3, 5), 16)};
    }
    return piece.replace('▁', ' ').getBytes(StandardCharsets.UTF_8);
  }

  /** Number of ids, from 0. */
  public int size() {
    return bytes.length;
  }

  /** What a token writes; null for special tokens and ids without a token. */
  public byte[] bytes(int id) {
    return id < bytes.length ? bytes[id] : null;
  }

  /** The bytes that tokens write, one after the other. */
  public byte[] bytes(int[] ids) {
    int length = 0;
    for (int id : ids) {
      length += bytes(id) == null ? 0 : bytes(id).length;
    }
    byte[] all = new byte[length];
    int at = 0;
    for (int id : ids) {
      byte[] of = bytes(id);
      if (of != null) {
        System.arraycopy(of, 0, all, at, of.length);
        at += of.length;
      }
    }
    return all;
  }

  /** The id of an added token, or null when there is none of this content. */
  public Integer idOf(String addedToken) {
    return added.get(addedToken);
  }

  /** The texts that become special tokens wherever they stand, the longest first. */
  public List<String> specialTexts() {
    List<String> texts = new ArrayList<>(specials);
    texts.sort((a, b) -> a.length() == b.length() ? a.compareTo(b) : b.length() - a.length());
    return texts;
  }
}
