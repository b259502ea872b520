import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.PromptTemplate;
import org.safesynth.generate.JsonlSampler;
import org.safesynth.generate.TokenDistribution;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.PeftAdapter;
import org.safesynth.random.SeededStreams;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaFile;
import org.safesynth.tokenizer.TokenizerFolder;

/**
 * Rows a second of a pretrained model with an adapter, in one thread, with and without the grammar.
 * Called by scripts/bench/generate, which runs Hugging Face's generate beside it.
 */
final class GenerateBench {
  private GenerateBench() {}

  public static void main(String[] arguments) throws Exception {
    Path base = Paths.get(arguments[0]);
    Path run = Paths.get(arguments[1]);
    int rows = Integer.parseInt(arguments[2]);
    TokenizerFolder tokenizer = TokenizerFolder.load(base);
    HfConfig config = HfConfig.read(base);
    long begin = System.nanoTime();
    ComputeDevice device = ComputeDevice.choose(new ComputeDevice.Wish("cpu", 1));
    CausalDecoder decoder =
        CausalDecoder.load(config, base, PeftAdapter.read(run.resolve("adapter")), device, 0);
    double loading = (System.nanoTime() - begin) / 1e9;
    FrozenSchema schema =
        SchemaFile.readSchema(Files.readString(run.resolve("schema.json")), "schema.json");
    Path writes = run.resolve("adapter/encoding.json");
    if (Files.exists(writes)) {
      schema = FieldCodec.fromJson(Files.readString(writes), "encoding.json").writable(schema);
    }
    JsonlCodec codec = new JsonlCodec(schema, Map.of(), tokenizer.vocabulary().specialTexts());
    PromptTemplate template = PromptTemplate.choose(null, base.toString(), config.modelType());
    ExampleFormat format = ExampleFormat.of(template, tokenizer, codec, null);
    Path context = run.resolve("adapter/context.json");
    int longest =
        Files.exists(context)
            ? new ObjectMapper().readTree(context.toFile()).path("longest_record").asInt()
            : 0;
    System.out.printf(Locale.ROOT, "loaded in %.1f s, on %s%n", loading, device.words());
    for (boolean structured : List.of(true, false)) {
      TokenGrammar grammar = structured ? new TokenGrammar(codec, tokenizer) : null;
      JsonlSampler.Options options =
          new JsonlSampler.Options(new TokenDistribution(0.9, 1, 1), 2048, longest, 1, null, 64, 3, 1.0);
      try (JsonlSampler sampler = new JsonlSampler(decoder, format, grammar, options)) {
        long from = System.nanoTime();
        JsonlSampler.Sampled sampled = sampler.sample(rows, 0, new SeededStreams(1));
        double seconds = (System.nanoTime() - from) / 1e9;
        long invalid = sampled.rejections().values().stream().mapToLong(Long::longValue).sum();
        System.out.printf(
            Locale.ROOT,
            "%s: %d rows in %.1f s, %.2f rows/s, %d tokens, %.0f tokens/s, %d passes, %d rejected%n",
            structured ? "structured" : "free",
            rows,
            seconds,
            rows / seconds,
            sampled.tokens(),
            sampled.tokens() / seconds,
            sampled.passes(),
            invalid);
        for (int i = 0; i < 3; i++) {
          System.out.println("  " + codec.encode(sampled.units().get(i).get(0)));
        }
      }
    }
  }
}
