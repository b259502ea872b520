package org.safesynth.job;

import java.io.Serializable;
import java.nio.file.Paths;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.config.SafeSynthesizerConfig;
import org.safesynth.example.ContextRules;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.PromptTemplate;
import org.safesynth.fault.BadInputException;
import org.safesynth.model.HfConfig;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.SchemaFile;
import org.safesynth.tokenizer.TokenizerFolder;

/**
 * The pretrained model of a run and how records are written for it.
 *
 * @param folder of the model, anywhere
 * @param template writes the prompt
 * @param maxLengths declared lengths of texts, by column
 * @param mostRecords records in a training example; 0 fills the context
 * @param bits of a quantised weight, 4 or 8; 0 leaves the weights as they are
 */
record LanguageBase(
    String folder,
    PromptTemplate template,
    Map<String, Integer> maxLengths,
    int mostRecords,
    int bits)
    implements Serializable {

  /** What the configuration names; refused when something of it is not there. */
  static LanguageBase of(RunContext context) {
    SafeSynthesizerConfig config = context.config();
    String model = config.training().pretrainedModel();
    Path base =
        new ModelHome(context.hadoop(), config.cluster().modelHome(), System.getenv()).find(model);
    TextFiles files = new TextFiles(context.hadoop());
    if (!files.exists(new Path(base, TokenizerFolder.FILE))) {
      throw new BadInputException(
          "the model folder %s has no %s: copy it there from where the model came from"
              .formatted(base, TokenizerFolder.FILE));
    }
    PromptTemplate template =
        PromptTemplate.choose(config.training().promptTemplate(), model, architecture(files, base));
    Integer factor = config.training().ropeScalingFactor().value();
    String warning = ContextRules.of(template, ContextRules.CAP, 0, factor).warning();
    if (warning != null) {
      context.console().warn(warning);
    }
    return new LanguageBase(
        base.toString(),
        template,
        maxLengths(files, config.data().schemaFile()),
        mostRecords(config),
        config.training().quantizeModel() ? config.training().quantizationBits() : 0);
  }

  /** Its folder on this machine's disk. */
  java.nio.file.Path local(Configuration hadoop) {
    return LocalModel.of(hadoop, new Path(folder), cache());
  }

  /** Folder for copies of remote models. */
  static java.nio.file.Path cache() {
    return Paths.get(System.getProperty("java.io.tmpdir"), "safe-synthesizer-models");
  }

  /** How its examples are written. */
  ExampleFormat format(java.nio.file.Path local, HfConfig config, FrozenSchema schema) {
    TokenizerFolder tokenizer = TokenizerFolder.load(local);
    JsonlCodec codec = new JsonlCodec(schema, maxLengths, tokenizer.vocabulary().specialTexts());
    Integer eos = config.eosIds().isEmpty() ? null : config.eosIds().get(0);
    return ExampleFormat.of(template, tokenizer, codec, eos);
  }

  private static int mostRecords(SafeSynthesizerConfig config) {
    var wanted = config.data().maxSequencesPerExample();
    return ContextRules.mostRecords(
        wanted != null && wanted.isAuto(),
        wanted == null ? null : wanted.value(),
        config.privacy().dpEnabled());
  }

  private static String architecture(TextFiles files, Path base) {
    return files
        .read(new Path(base, "config.json"))
        .flatMap(text -> Json.parse(text, Map.class))
        .map(json -> String.valueOf(json.get("model_type")))
        .orElse("");
  }

  /** Lengths that the user declared; the longest text of a private column is private. */
  private static Map<String, Integer> maxLengths(TextFiles files, String schemaFile) {
    Map<String, Integer> lengths = new HashMap<>();
    if (schemaFile != null) {
      files
          .read(new Path(schemaFile))
          .map(json -> SchemaFile.read(json, schemaFile))
          .ifPresent(
              declared -> {
                for (DeclaredColumn column : declared.values()) {
                  if (column.maxLength() != null && column.maxLength() > 0) {
                    lengths.put(column.name(), column.maxLength());
                  }
                }
              });
    }
    return lengths;
  }
}
