package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.safesynth.Fixtures;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

/** Records of which some values are given, whichever they are. */
@Tag("unit")
class GivenGrammarTest {
  private static TokenizerFolder tokenizer(String model) {
    return TokenizerFolder.load(Fixtures.path("models/" + model));
  }

  private static TokenGrammar grammar(FrozenSchema schema, TokenizerFolder tokenizer) {
    return new TokenGrammar(
        new JsonlCodec(schema, Map.of(), tokenizer.vocabulary().specialTexts()), tokenizer);
  }

  private static boolean[] randomly(int columns, SplittableRandom random) {
    boolean[] isGiven = new boolean[columns];
    for (int c = 0; c < columns; c++) {
      isGiven[c] = random.nextBoolean();
    }
    return isGiven;
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-tiny"})
  void whateverIsSampledHoldsWhatIsGivenAndIsValidElsewhere(String model) {
    TokenizerFolder tokenizer = tokenizer(model);
    TokenGrammar all = grammar(Records.SCHEMA, tokenizer);
    SplittableRandom random = new SplittableRandom(5);
    for (Object[] record : Records.records().list().ofSize(40).sample()) {
      boolean[] isGiven = randomly(record.length, random);
      LineGrammar grammar = all.withGiven(record, isGiven);
      int[] tokens = TokenGrammarTest.walk(grammar, random, 600);
      String text = tokenizer.tokenizer().decode(tokens, false);
      List<JsonlCodec.Found> found = all.codec().parse(text);
      assertEquals(1, found.size(), text);
      assertNull(found.get(0).decoded().rejection(), text);
      for (int c = 0; c < record.length; c++) {
        if (isGiven[c]) {
          String cell = all.codec().encodeCell(c, record[c]);
          assertEquals(cell, all.codec().encodeCell(c, found.get(0).decoded().cells()[c]), text);
        }
      }
    }
  }

  /** The model sees the tokens of the training text, whatever is given of it. */
  @ParameterizedTest
  @ValueSource(strings = {"smollm3-tiny", "tinyllama-tiny", "mistral-tiny"})
  void aRecordIsAllowedTokenByTokenWhateverOfItIsGiven(String model) {
    TokenizerFolder tokenizer = tokenizer(model);
    TokenGrammar all = grammar(Records.SCHEMA, tokenizer);
    SplittableRandom random = new SplittableRandom(6);
    for (Object[] record : Records.records().list().ofSize(30).sample()) {
      String text = all.codec().encode(record) + "\n";
      if (text.matches("(?s).*\\\\ud[89a-f].*")) {
        continue; // the grammar writes no halves of pairs
      }
      boolean[] isGiven = randomly(record.length, random);
      LineGrammar grammar = all.withGiven(record, isGiven);
      int state = LineGrammar.START;
      int[] tokens = tokenizer.tokenizer().encode(text);
      for (int at = 0; at < tokens.length; ) {
        int[] run = grammar.run(state);
        if (run.length > 0) {
          assertArrayEquals(run, Arrays.copyOfRange(tokens, at, at + run.length), text);
          at += run.length;
          for (int token : run) {
            state = grammar.next(state, token);
          }
        } else {
          assertTrue(Arrays.binarySearch(grammar.allowed(state), tokens[at]) >= 0, text);
          state = grammar.next(state, tokens[at++]);
        }
      }
      assertTrue(grammar.isComplete(state));
    }
  }

  private static final FrozenSchema SHORT =
      new FrozenSchema(
          List.of(
              column("a", "string", ColumnKind.CATEGORICAL, null, null, List.of("x", "yy")),
              column("b", "date", ColumnKind.DATE, 10_000L, 20_000L, null),
              column("c", "int", ColumnKind.INTEGER, -20L, 300L, null)));

  private static ColumnSchema column(
      String name, String type, ColumnKind kind, Long min, Long max, List<String> values) {
    return new ColumnSchema(name, type, kind, false, 0, 0, null, min, max, values, 0);
  }

  @Test
  void aGivenValueMayBeOneThatTheSchemaHasNot() {
    TokenizerFolder tokenizer = tokenizer("tinyllama-tiny");
    TokenGrammar all = grammar(SHORT, tokenizer);
    Object[] given = {"rare </s> \"é\"", null, 4_000L};
    LineGrammar grammar = all.withGiven(given, new boolean[] {true, false, true});
    int[] tokens = TokenGrammarTest.walk(grammar, new SplittableRandom(1), 200);
    String text = tokenizer.tokenizer().decode(tokens, false);
    String first = all.codec().encodeCell(0, given[0]);
    assertTrue(
        text.matches(" ?\\{\"a\":" + Pattern.quote(first) + ",\"b\":\"[0-9-]+\",\"c\":4000\\}\n"),
        text);
    assertEquals(0, grammar.distance(endOf(grammar, tokens)));
  }

  private static int endOf(LineGrammar grammar, int[] tokens) {
    int state = LineGrammar.START;
    for (int token : tokens) {
      state = grammar.next(state, token);
    }
    return state;
  }

  @Test
  void aBoundHoldsAndLeavesWhatIsAboveIt() {
    TokenizerFolder tokenizer = tokenizer("mistral-tiny");
    TokenGrammar all = grammar(SHORT, tokenizer);
    SplittableRandom random = new SplittableRandom(2);
    boolean[] isGiven = {true, false, false};
    List<Long> met = new ArrayList<>();
    for (int walk = 0; walk < 200; walk++) {
      LineGrammar grammar = all.withGiven(new Object[] {"x", null, null}, isGiven, 2, 295);
      String text =
          tokenizer.tokenizer().decode(TokenGrammarTest.walk(grammar, random, 200), false);
      met.add((Long) all.codec().parse(text).get(0).decoded().cells()[2]);
    }
    assertEquals(
        List.of(295L, 296L, 297L, 298L, 299L, 300L), met.stream().distinct().sorted().toList());
    for (long least : new long[] {15_000, 20_000}) {
      LineGrammar dates = all.withGiven(new Object[3], new boolean[3], 1, least);
      String text = tokenizer.tokenizer().decode(TokenGrammarTest.walk(dates, random, 200), false);
      long day = (Long) all.codec().parse(text).get(0).decoded().cells()[1];
      assertTrue(day >= least && day <= 20_000, text);
    }
    assertSame(all, all.withGiven(new Object[3], new boolean[3]));
  }

  @Test
  void aStepOfTimesOfDayMayLeadOverMidnight() {
    TokenizerFolder tokenizer = tokenizer("mistral-tiny");
    ColumnSchema time =
        new ColumnSchema(
            "t", "string", ColumnKind.INTEGER, false, 0, 0, "HH:mm", null, null, null, 0);
    TokenGrammar all = grammar(new FrozenSchema(List.of(time)), tokenizer);
    SplittableRandom random = new SplittableRandom(2);
    long last = 3 * 1_440 - 2; // 23:58 of the third day
    LineGrammar grammar = all.withGiven(new Object[1], new boolean[1], 0, last, last + 3);
    List<Long> met = new ArrayList<>();
    for (int walk = 0; walk < 100; walk++) {
      String text = tokenizer.tokenizer().decode(TokenGrammarTest.walk(grammar, random, 50), false);
      met.add((Long) all.codec().parse(text).get(0).decoded().cells()[0]);
    }
    assertEquals(List.of(0L, 1L, 1_438L, 1_439L), met.stream().distinct().sorted().toList());
  }
}
