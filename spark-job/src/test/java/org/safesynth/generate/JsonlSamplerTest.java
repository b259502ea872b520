package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.PromptTemplate;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.TinyLlama;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

/** Records of a model of random weights, which hardly ever ends a text by itself. */
@Tag("unit")
class JsonlSamplerTest {
  private static final int RECORDS = 20;

  @TempDir private Path folder;

  private static ColumnSchema column(String name, String type, ColumnKind kind) {
    return new ColumnSchema(name, type, kind, false, 0, 0, null, null, null, null, 0);
  }

  private JsonlSampler.Sampled sampled(int longestRecord) throws IOException {
    return sampled(longestRecord, 2, null, RECORDS, records -> {});
  }

  private JsonlSampler.Sampled sampled(
      int longestRecord, int perSequence, GroupRules groups, int count, IntConsumer written)
      throws IOException {
    FrozenSchema schema =
        new FrozenSchema(
            List.of(
                column("note", "string", ColumnKind.TEXT),
                column("age", "int", ColumnKind.INTEGER)));
    HfConfig config = HfConfig.read(folder);
    TokenizerFolder tokenizer = TokenizerFolder.load(folder);
    JsonlCodec codec = new JsonlCodec(schema, Map.of(), tokenizer.vocabulary().specialTexts());
    PromptTemplate template = PromptTemplate.choose(null, "tinyllama", config.modelType());
    ExampleFormat format = ExampleFormat.of(template, tokenizer, codec, null);
    JsonlSampler.Options options =
        new JsonlSampler.Options(
            new TokenDistribution(1, 1, 1),
            1024,
            longestRecord,
            perSequence,
            groups,
            Math.min(count, RECORDS / 2),
            3,
            1.0);
    try (JsonlSampler sampler =
        new JsonlSampler(
            CausalDecoder.load(config, folder, null, ComputeDevice.CPU, 0),
            format,
            new TokenGrammar(codec, tokenizer),
            options)) {
      return sampler.sample(count, 0, new SeededStreams(4), written);
    }
  }

  @Test
  void aRecordTwiceAsLongAsAnyThatWasLearnedIsEnded() throws IOException {
    TinyLlama.write(folder);
    int longest = 8;
    int most = 2 * longest + 64;
    JsonlSampler.Sampled ended = sampled(longest);
    assertEquals(RECORDS, ended.units().size());
    assertEquals(Map.of(), ended.rejections());
    assertTrue(ended.tokens() <= (long) RECORDS * most, "tokens " + ended.tokens());
    assertTrue(sampled(0).tokens() > (long) RECORDS * most, "by themselves " + sampled(0).tokens());
  }

  @Test
  void aSeriesIsWrittenInWindowsThatAreToldOnTheWay() throws IOException {
    TinyLlama.write(folder);
    SeriesRules series = new SeriesRules(new SeriesSpan(1, 1L, 20L, 0), true, 3, 8, null);
    GroupRules rules =
        new GroupRules(-1, 1, new boolean[2], 100, series, false, false, false, false);
    List<Integer> told = new ArrayList<>();
    JsonlSampler.Sampled sampled = sampled(8, series.windowRecords(), rules, 1, told::add);
    assertEquals(
        LongStream.rangeClosed(1, 20).boxed().toList(),
        sampled.units().get(0).stream().map(cells -> cells[1]).toList());
    assertEquals(List.of(8, 5, 5), told, "behind three of the window before");
  }
}
