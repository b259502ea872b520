package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.Fixtures;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

@Tag("unit")
class TokenGrammarTest {
  private static TokenizerFolder tokenizer(String model) {
    return TokenizerFolder.load(Fixtures.path("models/" + model));
  }

  private static JsonlCodec codec(FrozenSchema schema, TokenizerFolder tokenizer) {
    return new JsonlCodec(schema, Map.of(), tokenizer.vocabulary().specialTexts());
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-tiny"})
  void trainingTextIsAllowedTokenByToken(String model) {
    TokenizerFolder tokenizer = tokenizer(model);
    JsonlCodec codec = codec(Records.SCHEMA, tokenizer);
    TokenGrammar grammar = new TokenGrammar(codec, tokenizer);
    for (Object[] record : Records.records().list().ofSize(20).sample()) {
      String text = codec.encode(record) + "\n";
      if (text.matches("(?s).*\\\\ud[89a-f].*")) {
        continue;
      }
      int state = TokenGrammar.START;
      for (int token : tokenizer.tokenizer().encode(text)) {
        assertFalse(grammar.isComplete(state));
        assertTrue(Arrays.binarySearch(grammar.allowed(state), token) >= 0, text);
        state = grammar.next(state, token);
      }
      assertTrue(grammar.isComplete(state));
    }
  }

  /** Token by token at random, with runs written and the end forced: never rejected. */
  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-tiny"})
  void whateverIsSampledIsAValidRecord(String model) {
    TokenizerFolder tokenizer = tokenizer(model);
    JsonlCodec codec = codec(Records.SCHEMA, tokenizer);
    TokenGrammar grammar = new TokenGrammar(codec, tokenizer);
    SplittableRandom random = new SplittableRandom(3);
    for (int walk = 0; walk < 25; walk++) {
      int[] tokens = walk(grammar, random, 300);
      String text = tokenizer.tokenizer().decode(tokens, false);
      List<JsonlCodec.Found> found = codec.parse(text);
      assertEquals(1, found.size(), text);
      assertNull(found.get(0).decoded().rejection(), text);
      assertTrue(tokens.length <= 300);
    }
  }

  static int[] walk(LineGrammar grammar, SplittableRandom random, int room) {
    int[] tokens = new int[room];
    int count = 0;
    int state = TokenGrammar.START;
    while (!grammar.isComplete(state)) {
      int[] next = grammar.run(state);
      if (next.length == 0) {
        int[] allowed = grammar.allowed(state);
        next = new int[] {allowed[random.nextInt(allowed.length)]};
      }
      int after = state;
      for (int token : next) {
        after = grammar.next(after, token);
      }
      if (count + next.length + grammar.distance(after) > room) {
        next = grammar.shortestEnd(state);
        for (int token : next) {
          state = grammar.next(state, token);
        }
      } else {
        state = after;
      }
      System.arraycopy(next, 0, tokens, count, next.length);
      count += next.length;
    }
    return Arrays.copyOf(tokens, count);
  }

  /** The oracle is the definition: a token is allowed if its bytes can be read one by one. */
  @Test
  void allowedTokensAreThoseWhoseBytesMayBeWritten() {
    TokenizerFolder tokenizer = tokenizer("tinyllama-tiny");
    JsonlCodec codec = codec(Records.SCHEMA, tokenizer);
    TokenGrammar grammar = new TokenGrammar(codec, tokenizer);
    ByteDfa dfa = JsonlGrammar.of(codec, new byte[] {' '});
    for (int state = 0; state < dfa.size(); state += 97) {
      TreeSet<Integer> expected = new TreeSet<>();
      for (int id = 0; id < tokenizer.vocabulary().size(); id++) {
        byte[] bytes = tokenizer.vocabulary().bytes(id);
        if (bytes != null && dfa.next(state, bytes) != ByteDfa.NONE) {
          expected.add(id);
        }
      }
      if (!expected.isEmpty()) {
        assertArrayEquals(expected.stream().mapToInt(id -> id).toArray(), grammar.allowed(state));
      }
    }
  }

  private static final FrozenSchema TWO =
      new FrozenSchema(
          List.of(
              new ColumnSchema(
                  "age", "bigint", ColumnKind.INTEGER, false, 0, 0, null, null, null, null, 0),
              new ColumnSchema(
                  "workclass",
                  "string",
                  ColumnKind.CATEGORICAL,
                  false,
                  0,
                  0,
                  null,
                  null,
                  null,
                  null,
                  0)));

  /** Runs are cut as the tokenizer cuts the record, so the model sees what it was trained on. */
  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-tiny"})
  void runsAreThoseOfTrainingText(String model) {
    TokenizerFolder tokenizer = tokenizer(model);
    JsonlCodec codec = codec(TWO, tokenizer);
    TokenGrammar grammar = new TokenGrammar(codec, tokenizer);
    for (String value : values()) {
      for (long age : new long[] {39, -7, 0}) {
        int[] record = tokenizer.tokenizer().encode(codec.encode(new Object[] {age, value}) + "\n");
        int written = writtenByRuns(grammar, record);
        assertTrue(
            !value.equals("Private") || written >= record.length / 4,
            written + " of " + record.length);
      }
    }
    String first =
        new String(
            tokenizer.vocabulary().bytes(grammar.run(TokenGrammar.START)), StandardCharsets.UTF_8);
    assertTrue(first.contains("{\""), first);
  }

  /** A value for each character that one may begin with, and some whose beginnings are joined. */
  private static List<String> values() {
    List<String> values =
        new ArrayList<>(List.of("Private", "", "é", "日本", "😀", "--", "...", "a\"b"));
    for (char first = 1; first < 0x7f; first++) {
      values.add(first + "50K");
      values.add("" + first + first + "x");
      values.add(first + "/");
    }
    return values;
  }

  private static int writtenByRuns(TokenGrammar grammar, int[] record) {
    int state = TokenGrammar.START;
    int written = 0;
    for (int at = 0; at < record.length; ) {
      int[] run = grammar.run(state);
      if (run.length > 0) {
        assertArrayEquals(run, Arrays.copyOfRange(record, at, at + run.length));
        written += run.length;
        for (int token : run) {
          state = grammar.next(state, token);
        }
        at += run.length;
      } else {
        state = grammar.next(state, record[at++]);
      }
    }
    assertTrue(grammar.isComplete(state));
    return written;
  }

  /** It is held against room that is counted in tokens. */
  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-tiny"})
  void theWayToTheEndIsCountedInTokens(String model) {
    TokenizerFolder tokenizer = tokenizer(model);
    JsonlCodec codec = codec(TWO, tokenizer);
    TokenGrammar grammar = new TokenGrammar(codec, tokenizer);
    String shortest = codec.encode(new Object[] {0L, ""}) + "\n";
    int canonical = tokenizer.tokenizer().encode(shortest).length;
    int state = TokenGrammar.START;
    int left = grammar.distance(state);
    assertTrue(left < shortest.length() && left <= canonical + 4, left + " of " + canonical);
    for (int token : grammar.shortestEnd(state)) {
      state = grammar.next(state, token);
      left--;
    }
    assertEquals(0, left);
    assertTrue(grammar.isComplete(state));
    assertEquals(0, grammar.distance(state));
  }
}
