package org.safesynth.job;

import static org.apache.spark.sql.functions.col;

import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.FileUtil;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.safesynth.fault.BadInputException;

/**
 * Writes the synthetic table: as a folder of Parquet files, and as one file of the user's choice on
 * request. Names, types and the order of columns and rows stay.
 */
final class OutputWriter {
  private OutputWriter() {}

  /** Writes the table once; an earlier attempt's files are replaced. */
  static void writeTable(Dataset<Row> table, Path folder) {
    table.write().mode(SaveMode.Overwrite).parquet(folder.toString());
  }

  /** Refuses a file whose ending says no format, before any work is done. */
  static void requireKnownFormat(String file) {
    format(file);
  }

  /**
   * The file beside the user's for the parent table: {@code out.csv.gz}, {@code out_parent.csv.gz}.
   */
  static String ofParent(String file) {
    boolean isPacked = file.toLowerCase(Locale.ROOT).endsWith(".csv.gz");
    int ending = isPacked ? file.length() - ".csv.gz".length() : file.lastIndexOf('.');
    return file.substring(0, ending) + "_parent" + file.substring(ending);
  }

  private static String format(String file) {
    String name = file.toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv") || name.endsWith(".csv.gz") || name.endsWith(".tsv")) {
      return "csv";
    }
    if (name.endsWith(".json") || name.endsWith(".jsonl")) {
      return "json";
    }
    if (name.endsWith(".parquet")) {
      return "parquet";
    }
    throw new BadInputException(
        "--output-file %s: the ending must be .csv, .csv.gz, .tsv, .json, .jsonl or .parquet"
            .formatted(file));
  }

  /**
   * Copies the written table into ONE file, in the order of its rows, replacing what is there.
   *
   * @param scratch a folder that may be used and is deleted
   */
  static Path copyToFile(SparkSession spark, Path table, String file, Path scratch) {
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    DataFrameWriter<Row> writer = inOrder(spark, table).write().mode(SaveMode.Overwrite);
    switch (format(file)) {
      case "csv" -> csv(writer, file).csv(scratch.toString());
      case "json" -> writer.option("ignoreNullFields", "false").json(scratch.toString());
      default -> writer.parquet(scratch.toString());
    }
    Path target = new Path(file);
    try {
      FileSystem from = scratch.getFileSystem(hadoop);
      FileSystem to = new TextFiles(hadoop).fileSystem(target);
      FileStatus[] parts = from.globStatus(new Path(scratch, "part-*"));
      if (parts.length != 1) {
        throw new IllegalStateException(parts.length + " files instead of one in " + scratch);
      }
      FileUtil.copy(from, parts[0].getPath(), to, target, false, true, hadoop);
      return to.makeQualified(target);
    } catch (IOException e) {
      throw Faults.writing(target, e);
    } finally {
      new TextFiles(hadoop).delete(scratch);
    }
  }

  private static DataFrameWriter<Row> csv(DataFrameWriter<Row> writer, String file) {
    String name = file.toLowerCase(Locale.ROOT);
    return writer
        .option("header", "true")
        .option("escape", "\"") // RFC 4180: a quote within quotes is written twice
        .option("ignoreLeadingWhiteSpace", "false")
        .option("ignoreTrailingWhiteSpace", "false")
        .option("sep", name.endsWith(".tsv") ? "\t" : ",")
        .option("compression", name.endsWith(".gz") ? "gzip" : "none");
  }

  /** The rows in one partition, by file and place in the file. */
  private static Dataset<Row> inOrder(SparkSession spark, Path table) {
    Dataset<Row> rows = spark.read().parquet(table.toString());
    Column[] columns =
        Arrays.stream(rows.columns()).map(TableSource::column).toArray(Column[]::new);
    Column[] withPlace = Arrays.copyOf(columns, columns.length + 2);
    withPlace[columns.length] = rows.metadataColumn("_metadata").getField("file_name").as(FILE);
    withPlace[columns.length + 1] = rows.metadataColumn("_metadata").getField("row_index").as(ROW);
    return rows.select(withPlace)
        .repartition(1)
        .sortWithinPartitions(col(FILE), col(ROW))
        .drop(FILE, ROW);
  }

  private static final String FILE = "__safesynth_file";
  private static final String ROW = "__safesynth_row";
}
