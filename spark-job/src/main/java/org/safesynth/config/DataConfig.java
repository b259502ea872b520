package org.safesynth.config;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** What is read, what belongs together, and what is held out for the evaluation. */
@Section("What is read, what belongs together, and what is held out for the evaluation")
public record DataConfig(
    @Parameter(
            meaning = "Column whose equal values make related rows one sequence",
            byDefault = "null")
        String groupTrainingExamplesBy,
    @Parameter(
            meaning = "Column by which the rows of a group are ordered",
            byDefault = "null",
            note = "needs data.group_training_examples_by")
        String orderTrainingExamplesBy,
    @Parameter(
            meaning =
                "Records (or groups, if grouped) in one training example; null fills the context",
            byDefault = "auto",
            orNull = true,
            min = 1,
            usedByEmbedded = false,
            note = "auto is 1 with differential privacy, else 10")
        Auto<Integer> maxSequencesPerExample,
    @Parameter(
            meaning = "Rows held out for the evaluation: below 1 a share, from 1 a count, 0 none",
            byDefault = "0.05",
            min = 0)
        double holdout,
    @Parameter(meaning = "Most rows held out", byDefault = "2000", min = 0) long maxHoldout,
    @Parameter(
            meaning = "Seed of everything but privacy's own draws; null draws one and saves it",
            byDefault = "null",
            min = 0)
        Long randomState,
    @Parameter(
            meaning =
                "Spark's name of the source format (csv, parquet, ...); null goes by the file's ending",
            byDefault = "null")
        String format,
    @Parameter(
            meaning = "Options of the source format, as Spark names them",
            byDefault = "{}",
            note = "for example {header: true, sep: \";\"}")
        Map<String, String> options,
    @Parameter(
            meaning =
                "File with declared kinds, domains and ranges of columns; overrides what is inferred",
            byDefault = "null",
            note = "the format of the schema.json that a run writes")
        String schemaFile,
    @Parameter(
            meaning = "Texts that are read as missing, beside the empty field of CSV",
            byDefault = "[]",
            note = "for example [NA, \"n/a\"]")
        List<String> missingValues,
    @Parameter(
            meaning = "Whether rare category values and extreme numbers are kept out of the output",
            byDefault = "true",
            note = "good practice, not differential privacy; always off with privacy.dp_enabled")
        boolean valueProtection,
    @Parameter(
            meaning = "Rows a value needs to count as not rare, plus a keyed 0 to 2",
            byDefault = "5",
            min = 1)
        int rareThreshold,
    @Parameter(
            meaning = "Whether the encoded rows and the holdout stay in the run folder",
            byDefault = "false",
            note = "they are private data")
        boolean keepIntermediate,
    @Parameter(
            meaning = "Parent table whose key is in a column of the table, for two related tables",
            byDefault = "null",
            note =
                "for example {path: customers.csv, key: customer_id, foreign_key: buyer}; also"
                    + " format, options and schema_file of the parent table")
        Map<String, Object> parent,
    @Parameter(
            meaning = "Latitude and longitude columns learned as one place; null goes by the names",
            byDefault = "null",
            note = "for example {pickup_lat: pickup_lon}; {} learns none so; embedded model only")
        Map<String, String> coordinates)
    implements Serializable {

  /** What {@link #parent} says; null where there is none. */
  public ParentTable parentTable() {
    return parent == null ? null : ParentTable.read(parent, groupTrainingExamplesBy);
  }

  /** The column whose equal values make a group: those of one parent are one. Null for none. */
  public String groupColumn() {
    return parent == null ? groupTrainingExamplesBy : parentTable().foreignKey();
  }
}
