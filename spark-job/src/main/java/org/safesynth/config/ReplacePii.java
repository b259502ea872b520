package org.safesynth.config;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** Replacement of personal data before training; the whole section is null when it is off. */
@Section("Replacement of personal data before training; null switches it off")
public record ReplacePii(
    Globals globals,
    @Parameter(
            meaning =
                "1 to 10 steps, in order, each of vars, columns and rows; null takes the default step",
            byDefault = "null",
            note = "for example [{rows: {update: [{entity: email, value: fake.email()}]}}]")
        List<Map<String, Object>> steps)
    implements Serializable {

  /** What holds for all steps. */
  @Section("What holds for all steps")
  public record Globals(
      @Parameter(meaning = "Locales of made-up values", byDefault = "[en_US]", orNull = true)
          List<String> locales,
      @Parameter(
              meaning = "Seed of made-up values; null takes data.random_state",
              byDefault = "null",
              min = -2147483648.0,
              max = 4294967295.0)
          Long seed,
      @Parameter(meaning = "Columns that are left as they are", byDefault = "[]", orNull = true)
          List<String> lockColumns,
      Classify classify,
      Ner ner)
      implements Serializable {}

  /** Which columns hold personal data. */
  @Section("Which columns hold personal data")
  public record Classify(
      @Parameter(meaning = "Whether columns are classified", byDefault = "true", orNull = true)
          Boolean enableClassify,
      @Parameter(meaning = "Kinds that are looked for; null takes all", byDefault = "null")
          List<String> entities,
      @Parameter(meaning = "Values looked at in a column", byDefault = "3", orNull = true, min = 1)
          Integer numSamples,
      @Parameter(
              meaning = "Provider of the reference implementation's classifier",
              byDefault = "null",
              note = "accepted and ignored: classification is local")
          String classifyModelProvider)
      implements Serializable {}

  /** Personal data within free text. */
  @Section("Personal data within free text")
  public record Ner(
      @Parameter(
              meaning = "Confidence from which a finding counts",
              byDefault = "0.3",
              min = 0,
              max = 1)
          double nerThreshold,
      @Parameter(meaning = "Whether patterns are searched too", byDefault = "false")
          boolean enableRegexps,
      @Parameter(meaning = "Kinds that are looked for; null takes all", byDefault = "null")
          List<String> nerEntities,
      Gliner gliner)
      implements Serializable {}

  /** The model that finds names and places in text. */
  @Section("The model that finds names and places in text")
  public record Gliner(
      @Parameter(meaning = "Whether the model is used", byDefault = "true", orNull = true)
          Boolean enableGliner,
      @Parameter(
              meaning = "Whether texts go through it in batches",
              byDefault = "true",
              orNull = true)
          Boolean enableBatchMode,
      @Parameter(meaning = "Texts in a batch", byDefault = "8", orNull = true, min = 1)
          Integer batchSize,
      @Parameter(
              meaning = "Characters of a text that are looked at together",
              byDefault = "512",
              orNull = true,
              min = 1)
          Integer chunkLength,
      @Parameter(
              meaning = "Id or folder of the model",
              byDefault = "nvidia/gliner-PII",
              orNull = true)
          String glinerModel)
      implements Serializable {}
}
