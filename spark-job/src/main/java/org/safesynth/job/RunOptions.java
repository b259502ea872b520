package org.safesynth.job;

import picocli.CommandLine.Option;

/** The options of the {@code run} commands, beside those of the parameters. */
final class RunOptions {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Parameters as YAML, local or on any file system that Hadoop knows.")
  String config;

  @Option(
      names = "--data-source",
      paramLabel = "TABLE",
      description =
          "The private table: a file or folder (csv, json, parquet, orc), table:NAME, or what data.format reads.")
  String dataSource;

  @Option(
      names = "--artifact-path",
      paramLabel = "FOLDER",
      defaultValue = "safe-synthesizer-artifacts",
      description = "Folder that holds the run folders; default ${DEFAULT-VALUE}.")
  String artifactPath;

  @Option(
      names = "--run-id",
      paramLabel = "NAME",
      description = "The run's folder under the artifact path; an unfinished run is resumed.")
  String runId;

  @Option(
      names = "--run-path",
      paramLabel = "FOLDER",
      description = "The run folder itself, instead of artifact path and run id.")
  String runPath;

  @Option(
      names = "--resume",
      description = "Continue the unfinished run that --run-id or --run-path names.")
  boolean isResume;

  @Option(
      names = "--output-file",
      paramLabel = "FILE",
      description =
          "Also write the synthetic table as one file: .csv, .csv.gz, .tsv, .json, .jsonl or .parquet.")
  String outputFile;

  @Option(
      names = "--reference-layout",
      description =
          "Also write the evaluation under the reference's file name, evaluation_metrics.json.")
  boolean hasReferenceLayout;

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark's master where no spark-submit sets it; default local[*].")
  String master;
}
