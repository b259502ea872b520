package org.safesynth.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.concurrent.ConcurrentHashMap;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

/**
 * The tokenizer of a model folder on the local disk: {@code tokenizer.json} and the special tokens
 * that {@code tokenizer_config.json} or {@code special_tokens_map.json} name. Equal files are
 * loaded once in a JVM.
 *
 * @param tokenizer text to ids
 * @param vocabulary what each id writes
 * @param bosToken text of the token that begins a sequence, or null when the tokenizer has none
 * @param eosToken text of the token that ends a sequence, or null when none is named
 */
public record TokenizerFolder(
    TextTokenizer tokenizer, Vocabulary vocabulary, String bosToken, String eosToken) {
  /** The file that makes a folder one of a tokenizer. */
  public static final String FILE = "tokenizer.json";

  private record Loaded(TextTokenizer tokenizer, Vocabulary vocabulary) {}

  private static final ConcurrentHashMap<String, Loaded> LOADED = new ConcurrentHashMap<>();

  /** Loads the tokenizer of a folder. */
  public static TokenizerFolder load(Path folder) {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(
          "the model folder %s has no %s: copy it there from where the model came from"
              .formatted(folder, FILE));
    }
    byte[] json = read(file);
    Loaded loaded =
        LOADED.computeIfAbsent(
            sha256(json),
            digest ->
                new Loaded(
                    TextTokenizer.of(json, file.toString()), Vocabulary.of(json, file.toString())));
    return new TokenizerFolder(
        loaded.tokenizer(),
        loaded.vocabulary(),
        special(folder, "bos_token"),
        special(folder, "eos_token"));
  }

  /** The id of the token that begins a sequence, or null. */
  public Integer bosId() {
    return bosToken == null ? null : vocabulary.idOf(bosToken);
  }

  /** The id of the token that ends a sequence, or null. */
  public Integer eosId() {
    return eosToken == null ? null : vocabulary.idOf(eosToken);
  }

  private static String special(Path folder, String name) {
    for (String file : new String[] {"tokenizer_config.json", "special_tokens_map.json"}) {
      Path path = folder.resolve(file);
      if (Files.isRegularFile(path)) {
        JsonNode token = parse(path).path(name);
        String text = token.isTextual() ? token.asText() : token.path("content").asText("");
        if (!text.isEmpty()) {
          return text;
        }
      }
    }
    return null;
  }

  private static JsonNode parse(Path file) {
    try {
      return new ObjectMapper().readTree(read(file));
    } catch (IOException e) {
      throw new BadInputException(file + " is not JSON; restore the file", e);
    }
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new RunFailedException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
