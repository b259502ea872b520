package org.safesynth.job;

import static org.apache.spark.sql.functions.col;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.safesynth.config.DataConfig;
import org.safesynth.fault.BadInputException;

/**
 * The user's table as Spark reads it: files by their ending, any format that the session knows, or
 * a catalog table. CSV cells stay texts under their exact column names: what they mean is the
 * schema's business. Nothing is dropped or padded: lines that do not fit end the run.
 */
public final class TableSource {
  private static final String TABLE = "table:";
  private static final List<String> FILE_FORMATS = List.of("csv", "json", "parquet", "orc");

  private final String source;
  private final Dataset<Row> rows;
  private final Dataset<Row> unguarded;

  private final boolean untyped;

  private TableSource(String source, Dataset<Row> rows, Dataset<Row> unguarded, boolean untyped) {
    this.untyped = untyped;
    this.source = Credentials.masked(source);
    this.rows = rows;
    this.unguarded = unguarded;
  }

  /**
   * Where a table is.
   *
   * @param source path, URI, glob, or {@code table:name}
   * @param format {@code data.format}, or null for the ending's
   * @param options {@code data.options}
   * @param parameter that names the table, for errors
   * @param use what is done with its rows, for errors
   */
  public record Address(
      String source, String format, Map<String, String> options, String parameter, String use) {
    /** The table of {@code --data-source}. */
    public Address(String source, String format, Map<String, String> options) {
      this(source, format, options, "--data-source", "learn");
    }

    /**
     * A table beside the one that was learned, whatever the formats of both: the other's counts
     * where neither the name nor the files tell one.
     *
     * @param data how the learned table is read
     */
    static Address beside(
        Configuration hadoop, String source, DataConfig data, String parameter, String use) {
      boolean isTold =
          source.startsWith(TABLE)
              || SourceFiles.formatOf(source) != null
              || data.format() == null
              || (FILE_FORMATS.contains(data.format().toLowerCase(Locale.ROOT))
                  && SourceFiles.find(hadoop, source, parameter).tellFormat());
      return new Address(source, isTold ? null : data.format(), data.options(), parameter, use);
    }

    public Address {
      TreeMap<String, String> ignoringCase = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      ignoringCase.putAll(options);
      options = ignoringCase;
    }
  }

  /** Opens a table; reads no more of it than its head. */
  public static TableSource open(SparkSession spark, Address address) {
    TableSource table = read(spark, address);
    requireColumns(table);
    if (table.reading(() -> table.rows.isEmpty())) {
      throw new BadInputException(
          "%s has no rows: there is nothing to %s".formatted(table.source, address.use()));
    }
    return table;
  }

  /** The same table with other columns. */
  TableSource with(Dataset<Row> others) {
    return new TableSource(source, others, unguarded, untyped);
  }

  /** What the user called it, without credentials. */
  public String name() {
    return source;
  }

  /** Whether the format has no types, so that numbers and dates are texts. */
  public boolean isUntyped() {
    return untyped;
  }

  /** The table's rows. A pass over them belongs into {@link #reading}. */
  public Dataset<Row> rows() {
    return rows;
  }

  /** Runs a pass over the rows and says in the user's terms why it failed, if the input did it. */
  public <T> T reading(Supplier<T> pass) {
    try {
      return pass.get();
    } catch (BadInputException e) {
      throw e;
    } catch (Exception e) { // also AnalysisException, which Scala throws without declaring it
      if (CorruptLines.stopped(e)) {
        throw ragged(e);
      }
      for (Throwable t = e; t != null; t = t.getCause()) {
        if (t.getMessage() != null && t.getMessage().contains("CSV header does not conform")) {
          throw new BadInputException(
              "the files of %s do not have the same header".formatted(source), e);
        }
      }
      throw e;
    }
  }

  private BadInputException ragged(Exception cause) {
    CorruptLines corrupt = CorruptLines.count(unguarded);
    return new BadInputException(
        "%s: %,d lines do not have the header's %d fields (first: row %,d after the header); mend them, or set data.options to {multiLine: \"true\"} if quoted values hold line breaks, or sep, quote and escape if they differ from , \" and \""
            .formatted(source, corrupt.lines(), rows.columns().length, corrupt.firstRow()),
        cause);
  }

  private static TableSource read(SparkSession spark, Address address) {
    String source = address.source();
    if (source.startsWith(TABLE)) {
      return unguarded(source, catalogTable(spark, source.substring(TABLE.length())));
    }
    String format = address.format() == null ? null : address.format().toLowerCase(Locale.ROOT);
    if (format != null && !FILE_FORMATS.contains(format)) {
      DataFrameReader reader = spark.read().format(address.format()).options(address.options());
      return unguarded(
          source, loaded(address, () -> source.isEmpty() ? reader.load() : reader.load(source)));
    }
    SourceFiles files =
        SourceFiles.find(spark.sparkContext().hadoopConfiguration(), source, address.parameter());
    return switch (format == null ? files.format() : format) {
      case "csv" -> csv(spark, address, files);
      case "json" -> json(spark, address, files);
      case "orc" -> unguarded(source, columnar(spark, address, "orc"));
      default -> unguarded(source, columnar(spark, address, "parquet"));
    };
  }

  private static TableSource unguarded(String source, Dataset<Row> rows) {
    return new TableSource(source, rows, rows, false);
  }

  private static Dataset<Row> catalogTable(SparkSession spark, String name) {
    try {
      return spark.table(name);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) { // AnalysisException, which Scala throws without declaring it
      throw new BadInputException(
          "the session knows no table '%s': %s".formatted(name, Faults.oneLine(e.getMessage())), e);
    }
  }

  private static Dataset<Row> columnar(SparkSession spark, Address address, String format) {
    return loaded(
        address,
        () -> spark.read().format(format).options(address.options()).load(address.source()));
  }

  private static Dataset<Row> loaded(Address address, Supplier<Dataset<Row>> load) {
    try {
      return load.get();
    } catch (Exception e) { // also AnalysisException, which Scala throws without declaring it
      throw new BadInputException(
          "%s cannot be read%s: %s"
              .formatted(
                  Credentials.masked(address.source()),
                  address.format() == null ? "" : " as " + address.format(),
                  Credentials.masked(Faults.oneLine(e.getMessage()))),
          e);
    }
  }

  private static TableSource csv(SparkSession spark, Address address, SourceFiles files) {
    Map<String, String> options = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    options.put("escape", "\""); // RFC 4180; Spark's own default is a backslash
    if (files.isTabSeparated() && !address.options().containsKey("delimiter")) {
      options.put("sep", "\t");
    }
    options.putAll(address.options());
    options.put("inferSchema", "false");
    boolean hasHeader = Boolean.parseBoolean(options.getOrDefault("header", "true"));
    CsvHeader header =
        CsvHeader.read(
            spark,
            files.files().get(0),
            options,
            hasHeader,
            !address.options().containsKey("header"));
    StructType columns = new StructType();
    for (String name : header.names()) {
      columns = columns.add(name, DataTypes.StringType);
    }
    Dataset<Row> raw =
        spark
            .read()
            .format("csv")
            .options(options)
            .option("header", String.valueOf(hasHeader))
            .option("enforceSchema", String.valueOf(!hasHeader || !header.allNamed()))
            .option("columnPruning", "false") // a pruned parser does not see ragged lines
            .option("mode", "PERMISSIVE")
            .option("columnNameOfCorruptRecord", CorruptLines.COLUMN)
            .schema(columns.add(CorruptLines.COLUMN, DataTypes.StringType))
            .load(address.source());
    return new TableSource(address.source(), CorruptLines.guard(raw), raw, true);
  }

  private static TableSource json(SparkSession spark, Address address, SourceFiles files) {
    JsonHead head = jsonHead(spark.sparkContext().hadoopConfiguration(), files.files().get(0));
    Dataset<Row> raw =
        loaded(
            address,
            () ->
                spark
                    .read()
                    .format("json")
                    .option("multiLine", String.valueOf(head.isArray()))
                    .options(address.options())
                    .options(head.isMany() ? Map.of("multiLine", "false") : Map.of())
                    .option("mode", "PERMISSIVE")
                    .option("columnNameOfCorruptRecord", CorruptLines.COLUMN)
                    .load(address.source()));
    List<String> names = Arrays.asList(raw.columns());
    if (names.contains(CorruptLines.COLUMN)) {
      CorruptLines corrupt = CorruptLines.count(raw);
      throw new BadInputException(
          "%s: %,d lines are not JSON objects (first: row %,d); write one object a line, or set data.options to {multiLine: \"true\"}"
              .formatted(
                  Credentials.masked(address.source()), corrupt.lines(), corrupt.firstRow()));
    }
    // Spark sorts the keys of JSON objects; the table's order is that of its first object.
    Set<String> ordered = new LinkedHashSet<>(head.keys());
    ordered.retainAll(names);
    ordered.addAll(names);
    Dataset<Row> rows =
        raw.select(ordered.stream().map(TableSource::column).toArray(Column[]::new));
    return unguarded(address.source(), rows);
  }

  /** A column by its exact name, whatever characters it holds. */
  static Column column(String name) {
    return col("`" + name.replace("`", "``") + "`");
  }

  /** All columns of a table, in their order. */
  static Column[] columns(Dataset<Row> rows) {
    return Arrays.stream(rows.columns()).map(TableSource::column).toArray(Column[]::new);
  }

  /**
   * What a JSON file begins with.
   *
   * @param isArray whether it is an array of objects
   * @param isMany whether a second object follows the first: read as one value, which {@code
   *     multiLine} asks for, the file would be its first object
   * @param keys of the first object
   */
  private record JsonHead(boolean isArray, boolean isMany, Set<String> keys) {}

  private static JsonHead jsonHead(Configuration hadoop, Path file) {
    Set<String> keys = new LinkedHashSet<>();
    CompressionCodec codec = new CompressionCodecFactory(hadoop).getCodec(file);
    try (InputStream plain = file.getFileSystem(hadoop).open(file);
        InputStream in = codec == null ? plain : codec.createInputStream(plain);
        JsonParser json = new JsonFactory().createParser(in)) {
      JsonToken token = json.nextToken();
      boolean isArray = token == JsonToken.START_ARRAY;
      token = isArray ? json.nextToken() : token;
      while (token == JsonToken.START_OBJECT && json.nextToken() == JsonToken.FIELD_NAME) {
        keys.add(json.currentName());
        json.nextToken();
        json.skipChildren();
      }
      boolean isMany = !isArray && json.nextToken() == JsonToken.START_OBJECT;
      return new JsonHead(isArray, isMany, keys);
    } catch (com.fasterxml.jackson.core.JsonParseException e) {
      return new JsonHead(false, false, keys); // Spark counts the lines that are no JSON
    } catch (IOException e) {
      throw new BadInputException(
          "%s cannot be read: %s"
              .formatted(Credentials.masked(file.toString()), Faults.oneLine(e.getMessage())),
          e);
    }
  }

  private static void requireColumns(TableSource table) {
    if (table.rows.columns().length == 0) {
      throw new BadInputException("%s has no columns".formatted(table.source));
    }
  }
}
