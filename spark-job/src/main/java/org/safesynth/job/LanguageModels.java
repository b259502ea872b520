package org.safesynth.job;

import java.io.Serializable;
import java.nio.file.Paths;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ContextRules;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.PromptTemplate;
import org.safesynth.generate.JsonlSampler;
import org.safesynth.generate.TokenDistribution;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.HfConfig;
import org.safesynth.model.PeftAdapter;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

/**
 * The pretrained model that tasks of this process sample: loaded once, by the folders of base and
 * adapter and the adapter's checksum, and given up when another one is asked for.
 */
final class LanguageModels {
  private static final int BATCH = 64;
  private static final ConcurrentHashMap<Key, Loaded> LOADED = new ConcurrentHashMap<>();

  private LanguageModels() {}

  /**
   * What is sampled and how.
   *
   * @param base folder of the base model
   * @param adapter folder of the adapter, in PEFT's layout
   * @param adapterSha256 checksum of its weights
   * @param template writes the prompt
   * @param maxLengths declared lengths of texts, by column
   * @param ropeFactor what the context was stretched by, or null for auto
   * @param mostRecords records in a training example; 0 filled the context
   * @param isStructured whether a grammar admits valid records only
   */
  record Source(
      String base,
      String adapter,
      String adapterSha256,
      PromptTemplate template,
      Map<String, Integer> maxLengths,
      Integer ropeFactor,
      int mostRecords,
      boolean isStructured,
      double temperature,
      double topP,
      double repetitionPenalty,
      int patience,
      double invalidFraction)
      implements Serializable {}

  private record Key(
      String base,
      String adapter,
      String sha256,
      PromptTemplate template,
      Integer ropeFactor,
      Map<String, Integer> lengths,
      FrozenSchema schema) {}

  private record Loaded(
      CausalDecoder decoder, ExampleFormat format, TokenGrammar grammar, int contextTokens) {}

  /** A sampler of the calling thread's own on the process's one copy of the weights. */
  static JsonlSampler sampler(Configuration hadoop, Source source, FrozenSchema schema, long rows) {
    Key key =
        new Key(
            source.base(),
            source.adapter(),
            source.adapterSha256(),
            source.template(),
            source.ropeFactor(),
            source.maxLengths(),
            schema);
    Loaded loaded;
    synchronized (LOADED) {
      LOADED.keySet().removeIf(other -> !other.equals(key));
      loaded = LOADED.computeIfAbsent(key, k -> load(hadoop, source, schema));
    }
    int wanted = (int) Math.min(LanguageShardSampler.ROWS, rows);
    int each = Math.max(1, (wanted + BATCH - 1) / BATCH);
    int records = source.mostRecords() == 0 ? each : Math.min(each, source.mostRecords());
    int batch = Math.max(1, Math.min(BATCH, (wanted + records - 1) / records));
    return new JsonlSampler(
        loaded.decoder(),
        loaded.format(),
        source.isStructured() ? loaded.grammar() : null,
        new JsonlSampler.Options(
            new TokenDistribution(source.temperature(), source.topP(), source.repetitionPenalty()),
            loaded.contextTokens(),
            records,
            batch,
            source.patience(),
            source.invalidFraction()));
  }

  private static Loaded load(Configuration hadoop, Source source, FrozenSchema schema) {
    java.nio.file.Path cache =
        Paths.get(System.getProperty("java.io.tmpdir"), "safe-synthesizer-models");
    java.nio.file.Path base = LocalModel.of(hadoop, new Path(source.base()), cache);
    TokenizerFolder tokenizer = TokenizerFolder.load(base);
    HfConfig config = HfConfig.read(base);
    ContextRules context =
        ContextRules.of(source.template(), config.maxPositions(), 0, source.ropeFactor());
    PeftAdapter adapter =
        PeftAdapter.read(LocalModel.of(hadoop, new Path(source.adapter()), cache));
    CausalDecoder decoder =
        CausalDecoder.load(config.stretched(context.ropeFactor()), base, adapter);
    JsonlCodec codec =
        new JsonlCodec(schema, source.maxLengths(), tokenizer.vocabulary().specialTexts());
    Integer eos = config.eosIds().isEmpty() ? null : config.eosIds().get(0);
    ExampleFormat format = ExampleFormat.of(source.template(), tokenizer, codec, eos);
    TokenGrammar grammar = source.isStructured() ? new TokenGrammar(codec, tokenizer) : null;
    return new Loaded(decoder, format, grammar, context.tokens());
  }
}
