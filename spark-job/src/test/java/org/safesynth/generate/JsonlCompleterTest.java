package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.FixtureFiles;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.LineGrammar;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.PromptTemplate;
import org.safesynth.fault.BadInputException;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.KvCache;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

/** Completions by a model whose every way through the grammar can be told. */
@Tag("unit")
class JsonlCompleterTest {
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              category("first", "x", "yes", "zero"),
              category("second", "a", "bee"),
              category("third", "p", "queue", "row")));

  private final Path folder = FixtureFiles.path("models/tinyllama-tiny");
  private final CausalDecoder model =
      CausalDecoder.load(HfConfig.read(folder), folder, null, ComputeDevice.CPU, 0);
  private final TokenizerFolder tokenizer = TokenizerFolder.load(folder);
  private final JsonlCodec codec =
      new JsonlCodec(SCHEMA, Map.of(), tokenizer.vocabulary().specialTexts());
  private final ExampleFormat format =
      ExampleFormat.of(PromptTemplate.choose("tinyllama", "", ""), tokenizer, codec, null);
  private final TokenGrammar grammar = new TokenGrammar(codec, tokenizer);

  private static ColumnSchema category(String name, String... values) {
    return new ColumnSchema(
        name, "string", ColumnKind.CATEGORICAL, false, 0, 0, null, null, null, List.of(values), 0);
  }

  private Object[][] complete(int drafts, int count, Object... given) {
    JsonlSampler.Options options =
        new JsonlSampler.Options(new TokenDistribution(1, 1, 1), 512, 40, 1, null, 64, 3, 1);
    Object[][] all = new Object[count][];
    long[] numbers = new long[count];
    for (int i = 0; i < count; i++) {
      all[i] = given.clone();
      numbers[i] = i;
    }
    try (JsonlCompleter completer = new JsonlCompleter(model, format, grammar, options, drafts)) {
      return completer.complete(all, numbers, new SeededStreams(3));
    }
  }

  /** The probabilities of what is open, by all ways through the grammar, one token at a time. */
  private Map<String, Double> exact(Object... given) {
    boolean[] isGiven = new boolean[given.length];
    for (int c = 0; c < given.length; c++) {
      isGiven[c] = given[c] != null;
    }
    Map<String, Double> weights = new HashMap<>();
    LineGrammar of = grammar.withGiven(given, isGiven);
    walk(of, LineGrammar.START, new int[0], false, 0, weights, given, isGiven);
    double sum = weights.values().stream().mapToDouble(Double::doubleValue).sum();
    weights.replaceAll((record, weight) -> weight / sum);
    return weights;
  }

  private void walk(
      LineGrammar of,
      int state,
      int[] written,
      boolean hasChosen,
      double logWeight,
      Map<String, Double> weights,
      Object[] given,
      boolean[] isGiven) {
    if (of.isComplete(state)) {
      String text = tokenizer.tokenizer().decode(written, true).strip();
      Object[] cells = codec.decode(text, given, isGiven).cells();
      weights.merge(Arrays.toString(cells), Math.exp(logWeight), Double::sum);
      return;
    }
    int[] run = of.run(state);
    if (run.length > 0) {
      int[] longer = written;
      double with = logWeight;
      int at = state;
      for (int token : run) {
        with += hasChosen && of.isGiven(at, token) ? logLikelihoods(longer)[token] : 0;
        longer = with(longer, token);
        at = of.next(at, token);
      }
      walk(of, at, longer, hasChosen, with, weights, given, isGiven);
      return;
    }
    double[] logs = logLikelihoods(written);
    double allowed = 0;
    for (int token : of.allowed(state)) {
      allowed += Math.exp(logs[token]);
    }
    for (int token : of.allowed(state)) {
      double with = logWeight + logs[token] - Math.log(allowed);
      int next = of.next(state, token);
      walk(of, next, with(written, token), true, with, weights, given, isGiven);
    }
  }

  private static int[] with(int[] tokens, int token) {
    int[] longer = Arrays.copyOf(tokens, tokens.length + 1);
    longer[tokens.length] = token;
    return longer;
  }

  /** Of every token behind the prompt and a text. */
  private double[] logLikelihoods(int[] written) {
    int[] prompt = format.samplingPrompt();
    int[] all = Arrays.copyOf(prompt, prompt.length + written.length);
    System.arraycopy(written, 0, all, prompt.length, written.length);
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        KvCache cache = new KvCache(model, 1, all.length)) {
      Tensor logits = cache.append(new int[][] {all}, new int[] {0}); // (1, vocabulary)
      Tensor logs = torch.log_softmax(logits.to(torch.ScalarType.Double), 1).contiguous();
      double[] read = new double[model.config().vocabularySize()];
      logs.data_ptr_double().get(read);
      return read;
    }
  }

  private static double distance(Map<String, Double> expected, Object[][] records) {
    Map<String, Double> found = new HashMap<>();
    for (Object[] record : records) {
      found.merge(Arrays.toString(record), 1.0 / records.length, Double::sum);
    }
    assertTrue(expected.keySet().containsAll(found.keySet()), found.toString());
    return expected.keySet().stream()
            .mapToDouble(r -> Math.abs(expected.get(r) - found.getOrDefault(r, 0.0)))
            .sum()
        / 2;
  }

  @Test
  void whatIsGivenFirstLeavesTheModelsOwnDistribution() {
    Object[] given = {"yes", null, null};
    assertTrue(distance(exact(given), complete(1, 800, given)) < 0.06);
    Object[] rare = {"none of these", null, null};
    assertTrue(distance(exact(rare), complete(1, 800, rare)) < 0.06);
  }

  @Test
  void draftsFollowTheModelGivenWhatComesLater() {
    assertFollows(null, "bee", "queue");
    assertFollows(null, null, "row");
  }

  private void assertFollows(Object... given) {
    Map<String, Double> expected = exact(given);
    double ignorant = distance(expected, complete(1, 600, given));
    double few = distance(expected, complete(JsonlCompleter.DRAFTS, 400, given));
    double many = distance(expected, complete(32, 400, given));
    assertTrue(ignorant > 0.2, "what is given must matter: " + ignorant);
    assertTrue(few < 0.5 * ignorant, few + " of " + ignorant);
    assertTrue(many < 0.08, "" + many); // the noise of 400 records is about .03
  }

  @Test
  void theSameNumbersGiveTheSameRecordsAndAWholeOneStays() {
    Object[] given = {null, "bee", null};
    assertArrayEquals(complete(8, 20, given), complete(8, 20, given));
    Object[] whole = {"zero", "a", "row"};
    assertArrayEquals(whole, complete(8, 3, whole)[2]);
  }

  @Test
  void aTextThatTheContextDoesNotHoldIsNamed() {
    BadInputException fault =
        assertThrows(
            BadInputException.class, () -> complete(1, 1, "long ".repeat(300), null, null));
    assertTrue(fault.getMessage().startsWith("row 1 of the given rows takes"), fault.getMessage());
    assertEquals(-1, fault.getMessage().indexOf("long"), "values are not told");
  }
}
