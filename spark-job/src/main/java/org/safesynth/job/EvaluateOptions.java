package org.safesynth.job;

import picocli.CommandLine.Option;

/** The options of {@code run evaluate}, beside those of the parameters. */
final class EvaluateOptions {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Parameters as YAML, local or on any file system that Hadoop knows.")
  String config;

  @Option(
      names = "--reference",
      paramLabel = "TABLE",
      description = "The real table: a file or folder (csv, json, parquet, orc), or table:NAME.")
  String reference;

  @Option(
      names = "--synthetic",
      paramLabel = "TABLE",
      description = "The synthetic table that imitates it, whoever made it.")
  String synthetic;

  @Option(
      names = "--holdout",
      paramLabel = "TABLE",
      description = "Real rows that the synthetic table's maker did not see.")
  String holdout;

  @Option(
      names = "--data-source",
      paramLabel = "TABLE",
      description = "Where the table of an earlier run is now, if it has moved.")
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
      description =
          "The earlier run under the artifact path; with --reference, the folder for what is found.")
  String runId;

  @Option(
      names = "--run-path",
      paramLabel = "FOLDER",
      description = "The same folder itself, instead of artifact path and run id.")
  String runPath;

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
