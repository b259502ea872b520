package org.safesynth.job;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.statistics.LongStatistics;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.safesynth.codec.RecordCodec;
import org.safesynth.codec.RecordEncoder;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;

/**
 * Encodes the table on the executors and leaves its records as Parquet files in the order of their
 * identities: a shuffle of the table that is the same for any partitioning of the input.
 *
 * <p>One shuffle brings equal records together to be numbered, a second one cuts the line of
 * identities into equal ranges, one file each. Identities are uniform, so the ranges need no
 * sampling pass and the files are the same too.
 */
public final class EncodeStage {
  private static final long FILE_BYTES = 128L << 20;

  /** Small row groups: the writer and the reader hold one at a time. */
  private static final String ROW_GROUP_BYTES = String.valueOf(32 << 20);

  private EncodeStage() {}

  /**
   * How a table becomes tokens.
   *
   * @param rows the table
   * @param cells reads a row's canonical cells; must be serialisable
   * @param codec turns cells into tokens, at most 65,536 a position; null where another encoder
   *     does
   * @param identity names the records under the run's seed
   * @param records number of records that the table had when its schema was inferred
   * @param fingerprint digest of all that decides the tokens
   * @param isExact whether {@code records} is the true number; else it only plans the files
   */
  public record Encoding(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      RecordCodec codec,
      RecordIdentity identity,
      long records,
      String fingerprint,
      boolean isExact) {
    /** An encoding of a table whose number of records is known. */
    public Encoding(
        Dataset<Row> rows,
        MapFunction<Row, Object[]> cells,
        RecordCodec codec,
        RecordIdentity identity,
        long records,
        String fingerprint) {
      this(rows, cells, codec, identity, records, fingerprint, true);
    }
  }

  /** Writes the examples into a folder, or finds them there from an earlier attempt. */
  public static ExamplesManifest run(Encoding encoding, Path folder) {
    return run(encoding, folder, shards(encoding));
  }

  static ExamplesManifest run(Encoding encoding, Path folder, int shards) {
    requireShortTokens(encoding.codec());
    Configuration hadoop = encoding.rows().sparkSession().sparkContext().hadoopConfiguration();
    Optional<ExamplesManifest> earlier =
        manifest(hadoop, folder).filter(m -> m.fingerprint().equals(encoding.fingerprint()));
    return earlier.orElseGet(() -> encode(encoding, hadoop, folder, shards));
  }

  /** The manifest of a folder of examples, if they are complete. */
  public static Optional<ExamplesManifest> manifest(Configuration hadoop, Path folder) {
    return new TextFiles(hadoop)
        .read(new Path(folder, ExamplesManifest.NAME))
        .flatMap(text -> Json.parse(text, ExamplesManifest.class));
  }

  private static ExamplesManifest encode(
      Encoding encoding, Configuration hadoop, Path folder, int shards) {
    writeInOrder(encoding, EncodedRows.fixed(encoding.codec()), folder, shards);
    ExamplesManifest manifest = describe(encoding, hadoop, folder);
    new TextFiles(hadoop).write(new Path(folder, ExamplesManifest.NAME), Json.file(manifest));
    return manifest;
  }

  /**
   * Writes records of different lengths, as another encoder than the encoding's codec makes them.
   */
  static ExamplesManifest run(
      Encoding encoding, MapFunction<Object[], byte[]> encoder, int usualBytes, Path folder) {
    Configuration hadoop = encoding.rows().sparkSession().sparkContext().hadoopConfiguration();
    Optional<ExamplesManifest> earlier =
        manifest(hadoop, folder).filter(m -> m.fingerprint().equals(encoding.fingerprint()));
    if (earlier.isPresent()) {
      return earlier.get();
    }
    writeInOrder(encoding, encoder, folder, shards(encoding.records(), usualBytes / Short.BYTES));
    ExamplesManifest manifest =
        describe(
            hadoop,
            folder,
            encoding.fingerprint(),
            0,
            encoding.isExact() ? encoding.records() : -1);
    new TextFiles(hadoop).write(new Path(folder, ExamplesManifest.NAME), Json.file(manifest));
    return manifest;
  }

  private static void writeInOrder(
      Encoding encoding, MapFunction<Object[], byte[]> encoder, Path folder, int shards) {
    SparkSession spark = encoding.rows().sparkSession();
    new TextFiles(spark.sparkContext().hadoopConfiguration()).delete(folder);
    int[] shardKeys = shardKeys(spark, shards);
    Dataset<Row> records =
        identified(encoding.rows(), encoding.cells(), encoder, encoding.identity(), shardKeys);
    write(records, shardKeys.length, folder, "id_high", "id_low");
  }

  /** Records with their identities and tokens, a row each ({@link NumberedCopies#TYPE}). */
  static Dataset<Row> identified(
      Dataset<Row> rows,
      MapFunction<Row, Object[]> cells,
      MapFunction<Object[], byte[]> encoder,
      RecordIdentity identity,
      int[] shardKeys) {
    return rows.mapPartitions(
            (MapPartitionsFunction<Row, Row>)
                part -> new EncodedRows(part, cells, encoder, identity),
            Encoders.row(EncodedRows.TYPE))
        .repartition(col("hash_high"))
        .sortWithinPartitions("hash_high", "hash_low")
        .mapPartitions(
            (MapPartitionsFunction<Row, Row>) part -> new NumberedCopies(part, identity, shardKeys),
            Encoders.row(NumberedCopies.TYPE));
  }

  /**
   * Writes records with their shards, one file a shard.
   *
   * @param order columns by which a shard is sorted
   */
  static void write(
      Dataset<Row> records, int shards, Path folder, String order, String... furtherOrder) {
    write(records, List.of("id_high", "id_low", "tokens"), shards, folder, order, furtherOrder);
  }

  /**
   * The same.
   *
   * @param columns that are written, the identity first
   */
  static void write(
      Dataset<Row> records,
      List<String> columns,
      int shards,
      Path folder,
      String order,
      String... furtherOrder) {
    records
        .repartition(shards, col("shard"))
        .sortWithinPartitions(order, furtherOrder)
        .selectExpr(columns.toArray(String[]::new))
        .write()
        .mode(SaveMode.Overwrite)
        .option("compression", "zstd")
        .option("parquet.enable.dictionary", "false")
        .option("parquet.block.size", ROW_GROUP_BYTES)
        .parquet(folder.toString());
  }

  static void requireShortTokens(RecordEncoder codec) {
    for (int position = 0; position < codec.positions(); position++) {
      if (codec.vocabularySize(position) > 1 << Short.SIZE) {
        throw new BadInputException(
            "position %d of a record has %,d tokens, more than the 65,536 of an example file"
                .formatted(position, codec.vocabularySize(position)));
      }
    }
  }

  private static int shards(Encoding encoding) {
    return shards(encoding.records(), encoding.codec().positions());
  }

  static int shards(long records, int positions) {
    long recordBytes = 2L * Long.BYTES + (long) Short.BYTES * positions;
    return (int) Math.max(1, records * recordBytes / FILE_BYTES);
  }

  /**
   * For each of n partitions a number that Spark's hash partitioning sends there: the i-th range of
   * identities becomes the i-th partition, and so the i-th file. The files' order is checked
   * afterwards, so an engine that hashes in another way is found out.
   */
  static int[] shardKeys(SparkSession spark, int shards) {
    int[] keys = new int[shards];
    if (shards == 1) {
      return keys;
    }
    Arrays.fill(keys, -1);
    int missing = shards;
    for (int candidates = 32 * shards; missing > 0; candidates *= 2) {
      List<Integer> partitions =
          spark
              .range(0, candidates, 1, 1)
              .select(pmod(functions.hash(col("id").cast("int")), lit(shards)))
              .as(Encoders.INT())
              .collectAsList();
      for (int key = 0; key < candidates; key++) {
        if (keys[partitions.get(key)] < 0) {
          keys[partitions.get(key)] = key;
          missing--;
        }
      }
    }
    return keys;
  }

  private static ExamplesManifest describe(Encoding encoding, Configuration hadoop, Path folder) {
    return describe(
        hadoop,
        folder,
        encoding.fingerprint(),
        encoding.codec().positions(),
        encoding.isExact() ? encoding.records() : -1);
  }

  /**
   * @param expected number of records that must be there; -1 for any
   */
  static ExamplesManifest describe(
      Configuration hadoop, Path folder, String fingerprint, int positions, long expected) {
    List<ExamplesManifest.PartFile> files = new ArrayList<>();
    long records = 0;
    long last = Long.MIN_VALUE;
    try {
      FileSystem fs = folder.getFileSystem(hadoop);
      FileStatus[] parts = fs.globStatus(new Path(folder, "part-*"));
      Arrays.sort(parts, Comparator.comparing(part -> part.getPath().getName()));
      for (FileStatus part : parts) {
        long inFile = 0;
        for (BlockMetaData block : rowGroups(hadoop, part.getPath())) {
          LongStatistics idHigh = (LongStatistics) block.getColumns().get(0).getStatistics();
          if (idHigh.getMin() < last) {
            throw new RunFailedException(
                "the encoded records in %s are not in the order of their identities"
                    .formatted(folder));
          }
          last = idHigh.getMax();
          inFile += block.getRowCount();
        }
        if (inFile > 0) {
          files.add(new ExamplesManifest.PartFile(part.getPath().getName(), inFile));
          records += inFile;
        }
      }
    } catch (IOException e) {
      throw Faults.writing(folder, e);
    }
    if (expected >= 0 && records != expected) {
      throw new RunFailedException(
          "the table had %,d rows when its schema was read and %,d when it was encoded: it must not change during a run"
              .formatted(expected, records));
    }
    return new ExamplesManifest(fingerprint, records, positions, files);
  }

  private static List<BlockMetaData> rowGroups(Configuration hadoop, Path file) throws IOException {
    try (ParquetFileReader reader =
        ParquetFileReader.open(HadoopInputFile.fromPath(file, hadoop))) {
      return reader.getFooter().getBlocks();
    }
  }
}
