package org.safesynth.example;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.Fixtures;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

/** The examples are the reference implementation's, character by character. */
@Tag("unit")
class ExampleFormatTest {
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              new ColumnSchema(
                  "a", "bigint", ColumnKind.INTEGER, false, 0, 0, null, null, null, null, 0),
              new ColumnSchema(
                  "b", "string", ColumnKind.TEXT, false, 0, 0, null, null, null, null, 0)));

  private static ExampleFormat format(String model, String family) {
    TokenizerFolder tokenizer = TokenizerFolder.load(Fixtures.path("models/" + model));
    JsonlCodec codec = new JsonlCodec(SCHEMA, Map.of(), tokenizer.vocabulary().specialTexts());
    return ExampleFormat.of(PromptTemplate.choose(family, "", ""), tokenizer, codec, null);
  }

  private static String[] halves(ExampleFormat format) {
    ExampleFormat.Example example =
        format.example(
            List.of(format.record(new Object[] {1L, "x"}), format.record(new Object[] {2L, "y"})));
    int[] ids = example.ids();
    int[] prompt = Arrays.copyOf(ids, example.promptTokens());
    int[] records = Arrays.copyOfRange(ids, example.promptTokens(), ids.length);
    assertArrayEquals(format.prompt(), prompt);
    int[] sampled = format.samplingPrompt();
    assertArrayEquals(Arrays.copyOf(ids, sampled.length), sampled);
    return new String[] {
      format.tokenizer().tokenizer().decode(prompt, false),
      format.tokenizer().tokenizer().decode(records, false)
    };
  }

  @Test
  void tinyLlamasExampleIsTheReferences() {
    assertArrayEquals(
        new String[] {
          "<s> [INST] Generate a JSONL dataset with the following columns:  "
              + "\"a\":<unk> ,\"b\":<unk>  [/INST]</s>",
          "<s> {\"a\":1,\"b\":\"x\"}\n {\"a\":2,\"b\":\"y\"}\n</s>"
        },
        halves(format("tinyllama-tiny", "tinyllama")));
  }

  @Test
  void mistralsExampleIsTheReferences() {
    assertArrayEquals(
        new String[] {
          "<s> [INST] Generate a JSONL dataset with the following columns:  \n\n "
              + "\"a\":<unk>,\"b\":<unk> [/INST]</s>",
          "<s> {\"a\":1,\"b\":\"x\"}\n {\"a\":2,\"b\":\"y\"}\n</s>"
        },
        halves(format("mistral-tiny", "mistral")));
  }

  @Test
  void smolLm3sExampleIsTheReferences() {
    assertArrayEquals(
        new String[] {
          "<|im_start|>user\n Generate a JSONL dataset with the following columns:  "
              + "\"a\":<unk>,\"b\":<unk> <|im_end|> \n assistant\n",
          "<|im_start|>{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n<|im_end|>"
        },
        halves(format("smollm3-tiny", "smollm3")));
  }

  private static String groups(ExampleFormat format) {
    List<int[]> first =
        List.of(format.record(new Object[] {1L, "x"}), format.record(new Object[] {1L, "y"}));
    List<int[]> second = List.of(format.record(new Object[] {2L, "z"}));
    ExampleFormat.Example example = format.examples(List.of(first, second));
    int[] ids = example.ids();
    assertArrayEquals(format.prompt(), Arrays.copyOf(ids, example.promptTokens()));
    int[] groups = Arrays.copyOfRange(ids, example.promptTokens(), ids.length);
    int records = first.get(0).length + first.get(1).length + second.get(0).length;
    assertEquals(groups.length, records + 2 * format.marks());
    return format.tokenizer().tokenizer().decode(groups, false);
  }

  @Test
  void groupsStandBehindOneAnotherEachBetweenItsMarks() {
    assertEquals(
        "<s> {\"a\":1,\"b\":\"x\"}\n {\"a\":1,\"b\":\"y\"}\n</s><s> {\"a\":2,\"b\":\"z\"}\n</s>",
        groups(format("tinyllama-tiny", "tinyllama")));
    assertEquals(
        "<s> {\"a\":1,\"b\":\"x\"}\n {\"a\":1,\"b\":\"y\"}\n</s><s> {\"a\":2,\"b\":\"z\"}\n</s>",
        groups(format("mistral-tiny", "mistral")));
    assertEquals(
        "<|im_start|>{\"a\":1,\"b\":\"x\"}\n{\"a\":1,\"b\":\"y\"}\n<|im_end|>"
            + "<|im_start|>{\"a\":2,\"b\":\"z\"}\n<|im_end|>",
        groups(format("smollm3-tiny", "smollm3")));
  }

  @Test
  void aWindowOfASeriesIsReadUpToWhatIsNew() {
    ExampleFormat format = format("tinyllama-tiny", "tinyllama");
    int[] before = format.record(new Object[] {1L, "x"});
    int[] after = format.record(new Object[] {1L, "y"});
    int[] both = Arrays.copyOf(before, before.length + after.length);
    System.arraycopy(after, 0, both, before.length, after.length);
    ExampleFormat.Example middle = format.window(both, before.length, false);
    int[] learned = Arrays.copyOfRange(middle.ids(), middle.promptTokens(), middle.ids().length);
    assertArrayEquals(after, learned);
    int[] whole = format.example(List.of(before, after)).ids();
    assertArrayEquals(Arrays.copyOf(whole, whole.length - 1), middle.ids());
    ExampleFormat.Example all = format.window(both, 0, true);
    assertArrayEquals(whole, all.ids());
    assertEquals(format.prompt().length, all.promptTokens());
  }

  @Test
  void theOtherFamiliesDifferInPromptAndMarksOnly() {
    String prompt =
        "user\n Generate a JSONL dataset with the following columns:  "
            + "\"a\":<unk>,\"b\":<unk> \n assistant\n";
    String[] smol2 = halves(format("smollm3-tiny", "smollm2"));
    assertEquals(prompt, smol2[0]);
    assertEquals("<|im_start|>{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n<|im_end|>", smol2[1]);
    assertEquals(prompt, halves(format("llama3-rope-tiny", "llama32"))[0]);
    assertEquals("<|begin_of_text|>" + prompt, halves(format("llama3-rope-tiny", "qwen"))[0]);
    assertEquals(prompt, halves(format("smollm3-tiny", "granite"))[0].replace("<|im_end|>", ""));
    assertEquals(
        halves(format("mistral-tiny", "mistral"))[0],
        halves(format("mistral-tiny", "nemotron"))[0]);
  }

  @Test
  void theFamilyFollowsTheNameThenTheArchitecture() {
    assertEquals("smollm3", name("HuggingFaceTB/SmolLM3-3B", "smollm3"));
    assertEquals("tinyllama", name("/models/mistral/TinyLlama-1.1B-Chat-v1.0/", "llama"));
    assertEquals("mistral", name("mistralai/Mistral-7B-Instruct-v0.3", "mistral"));
    assertEquals("llama32", name("meta-llama/Llama-3.2-1B", "llama"));
    assertEquals("qwen", name("Qwen/Qwen2.5-0.5B", "qwen2"));
    assertEquals("nemotron", name("nvidia/Nemotron-Mini", "nemotron"));
    assertEquals("granite", name("ibm/Granite-3", "granite"));
    assertEquals("smollm3", name("my-own-model", "smollm3"));
    assertEquals("tinyllama", name("my-own-model", "llama"));
  }

  private static String name(String model, String architecture) {
    return PromptTemplate.choose(null, model, architecture).name();
  }

  @Test
  void anUnknownTemplateNamesTheKnownOnes() {
    BadInputException fault =
        assertThrows(
            BadInputException.class, () -> PromptTemplate.choose("smolm3", "model", "llama"));
    assertEquals(
        "training.prompt_template 'smolm3' is neither a family (tinyllama, qwen, llama32, smollm2,"
            + " smollm3, mistral, nemotron, granite) nor a template with the place {schema}",
        fault.getMessage());
    assertEquals(
        "Columns \"a\":<unk>, go:",
        PromptTemplate.choose("Columns {schema}, go:{prefill}", "m", "llama")
            .of(new String[] {"a"}));
  }

  @Test
  void aRecordThatFitsNoExampleIsNamedByItsColumnsSizes() {
    ExampleFormat format = format("smollm3-tiny", "smollm3");
    Packing packing = new Packing(format.prompt().length, format.prompt().length + 60, 0);
    Object[] fits = {1L, "short"};
    format.requireFits(fits, format.record(fits), packing);
    Object[] secret = {1L, "secret ".repeat(30)};
    BadInputException fault =
        assertThrows(
            BadInputException.class,
            () -> format.requireFits(secret, format.record(secret), packing));
    assertTrue(
        fault.getMessage().matches("a record of \\d+ tokens does not fit .*'b' \\d+, 'a' 1\\).*"),
        fault.getMessage());
    assertFalse(fault.getMessage().contains("secret"));
  }

  @Test
  void examplesCloseAtTheCountAtTheContextAndAtTheEnd() {
    List<long[]> byCount = new Packing(20, 1000, 3).pack(LongStream.range(0, 7), r -> 10);
    assertEquals(
        List.of("[0, 1, 2]", "[3, 4, 5]", "[6]"), byCount.stream().map(Arrays::toString).toList());
    // 100 - 20 - 4 = 76 tokens for records: seven of 10, not eight
    List<long[]> byRoom = new Packing(20, 100, 0).pack(LongStream.range(0, 8), r -> 10);
    assertEquals(List.of(7, 1), byRoom.stream().map(e -> e.length).toList());
    List<long[]> exact = new Packing(20, 104, 0).pack(LongStream.range(0, 8), r -> 10);
    assertEquals(List.of(8), exact.stream().map(e -> e.length).toList());
  }

  @Test
  void trainingSeesWholeShufflesAndAPartOfOneMore() {
    long[] seen = TrainingOrder.of(10, 25, 7).stream().toArray();
    assertEquals(25, seen.length);
    for (int from : new int[] {0, 10}) {
      long[] shuffle = Arrays.copyOfRange(seen, from, from + 10);
      Arrays.sort(shuffle);
      assertArrayEquals(LongStream.range(0, 10).toArray(), shuffle);
    }
    assertEquals(5, Arrays.stream(seen, 20, 25).distinct().count());
    assertArrayEquals(seen, TrainingOrder.of(10, 25, 7).stream().toArray());
    assertEquals(10, TrainingOrder.of(10, 0, 7).stream().count());
  }

  @Test
  void theContextIsCappedAndStretchedWhereTheFamilyAllows() {
    PromptTemplate llama = PromptTemplate.choose("tinyllama", "", "");
    PromptTemplate smol = PromptTemplate.choose("smollm3", "", "");
    assertEquals(new ContextRules(12_288, 1, null), ContextRules.of(smol, 65_536, 500, null));
    assertEquals(new ContextRules(2048, 1, null), ContextRules.of(llama, 2048, 500, null));
    assertEquals(new ContextRules(6144, 3, null), ContextRules.of(llama, 2048, 5000, null));
    assertEquals(6, ContextRules.of(llama, 2048, 1_000_000, null).ropeFactor());
    assertEquals(75_000, ContextRules.of(llama, 2048, 5000, null).automaticRecordsSeen());
    assertEquals(
        "training.rope_scaling_factor 2 is ignored: the context of smollm3 is not stretched",
        ContextRules.of(smol, 65_536, 500, 2).warning());
    List<Integer> most = new ArrayList<>();
    most.add(ContextRules.mostRecords(true, null, false));
    most.add(ContextRules.mostRecords(false, null, false));
    most.add(ContextRules.mostRecords(false, 4, false));
    most.add(ContextRules.mostRecords(true, null, true));
    assertEquals(List.of(10, 0, 4, 1), most);
  }
}
