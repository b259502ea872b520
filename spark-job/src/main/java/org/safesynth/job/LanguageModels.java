package org.safesynth.job;

import java.io.Serializable;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ContextRules;
import org.safesynth.example.ExampleFormat;
import org.safesynth.generate.GroupRules;
import org.safesynth.generate.JsonlCompleter;
import org.safesynth.generate.JsonlSampler;
import org.safesynth.generate.TokenDistribution;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.HfConfig;
import org.safesynth.model.PeftAdapter;
import org.safesynth.schema.FrozenSchema;

/**
 * The pretrained model that tasks of this process sample: loaded once, by the folders of base and
 * adapter and the adapter's checksum, and given up when another one is asked for.
 */
final class LanguageModels {
  private static final int BATCH = 64;
  private static final int BATCH_ON_A_GPU = 256;
  private static final ConcurrentHashMap<Key, Loaded> LOADED = new ConcurrentHashMap<>();

  private static final ConcurrentHashMap<LanguageBase, CausalDecoder> BASES =
      new ConcurrentHashMap<>();

  private LanguageModels() {}

  /**
   * What is sampled and how.
   *
   * @param base the base model
   * @param adapter folder of the adapter, in PEFT's layout
   * @param adapterSha256 checksum of its weights
   * @param ropeFactor what the context was stretched by, or null for auto
   * @param longestRecord tokens of the longest record that the adapter has seen; 0 if unknown
   * @param device as {@code cluster.generation_device} has it
   * @param isStructured whether a grammar admits valid records only
   * @param groups what makes records a group; null for records that stand on their own
   */
  record Source(
      LanguageBase base,
      String adapter,
      String adapterSha256,
      Integer ropeFactor,
      int longestRecord,
      ComputeDevice.Wish device,
      boolean isStructured,
      GroupRules groups,
      double temperature,
      double topP,
      double repetitionPenalty,
      int patience,
      double invalidFraction)
      implements Serializable {}

  private record Key(
      LanguageBase base,
      String adapter,
      String sha256,
      Integer ropeFactor,
      ComputeDevice.Wish device,
      boolean isStructured,
      FrozenSchema schema) {}

  private record Loaded(
      CausalDecoder decoder, ExampleFormat format, TokenGrammar grammar, int contextTokens) {}

  /**
   * The base model without an adapter, loaded once in this process; the adapted one is given up.
   */
  static CausalDecoder base(Configuration hadoop, LanguageBase base, ComputeDevice.Wish device) {
    synchronized (LOADED) {
      LOADED.clear();
      BASES.keySet().removeIf(other -> !other.equals(base));
      return BASES.computeIfAbsent(
          base,
          key -> {
            java.nio.file.Path folder = base.local(hadoop);
            return CausalDecoder.load(
                HfConfig.read(folder), folder, null, ComputeDevice.choose(device), base.bits());
          });
    }
  }

  /**
   * A sampler of the calling thread's own on the process's one copy of the weights.
   *
   * @param sequences wanted at most
   */
  static JsonlSampler sampler(
      Configuration hadoop, Source source, FrozenSchema schema, long sequences) {
    Loaded loaded = loaded(hadoop, source, schema);
    return new JsonlSampler(
        loaded.decoder(),
        loaded.format(),
        source.isStructured() ? loaded.grammar() : null,
        options(loaded, source, sequences));
  }

  /** A completer, likewise; of a structured source. */
  static JsonlCompleter completer(
      Configuration hadoop, Source source, FrozenSchema schema, long sequences) {
    Loaded loaded = loaded(hadoop, source, schema);
    return new JsonlCompleter(
        loaded.decoder(),
        loaded.format(),
        loaded.grammar(),
        options(loaded, source, sequences),
        JsonlCompleter.DRAFTS);
  }

  private static Loaded loaded(Configuration hadoop, Source source, FrozenSchema schema) {
    Key key =
        new Key(
            source.base(),
            source.adapter(),
            source.adapterSha256(),
            source.ropeFactor(),
            source.device(),
            source.isStructured(),
            schema);
    synchronized (LOADED) {
      BASES.clear();
      LOADED.keySet().removeIf(other -> !other.equals(key));
      return LOADED.computeIfAbsent(key, k -> load(hadoop, source, schema));
    }
  }

  private static JsonlSampler.Options options(Loaded loaded, Source source, long sequences) {
    // The prompt is kept once for all sequences, so that one of a single record costs least.
    GroupRules groups = source.groups();
    int records = groups == null ? 1 : groups.mostRows();
    records = groups != null && groups.series() != null ? groups.series().windowRecords() : records;
    int most = loaded.decoder().device().isGpu() ? BATCH_ON_A_GPU : BATCH;
    return new JsonlSampler.Options(
        new TokenDistribution(source.temperature(), source.topP(), source.repetitionPenalty()),
        loaded.contextTokens(),
        source.longestRecord(),
        records,
        groups,
        (int) Math.max(1, Math.min(most, sequences)),
        source.patience(),
        source.invalidFraction());
  }

  private static Loaded load(Configuration hadoop, Source source, FrozenSchema schema) {
    java.nio.file.Path base = source.base().local(hadoop);
    HfConfig config = HfConfig.read(base);
    ContextRules context =
        ContextRules.of(source.base().template(), config.maxPositions(), 0, source.ropeFactor());
    PeftAdapter adapter =
        PeftAdapter.read(LocalModel.of(hadoop, new Path(source.adapter()), LanguageBase.cache()));
    ComputeDevice device = ComputeDevice.choose(source.device());
    CausalDecoder decoder =
        device.within(
            () ->
                CausalDecoder.load(
                    config.stretched(context.ropeFactor()),
                    base,
                    adapter,
                    device,
                    source.base().bits()));
    ExampleFormat format = source.base().format(base, config, schema);
    TokenGrammar grammar =
        source.isStructured() ? new TokenGrammar(format.codec(), format.tokenizer()) : null;
    return new Loaded(decoder, format, grammar, context.tokens());
  }
}
