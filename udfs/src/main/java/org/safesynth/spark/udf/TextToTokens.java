package org.safesynth.spark.udf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.Arrays;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.ml.Transformer;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.ml.util.DefaultParamsReader;
import org.apache.spark.ml.util.DefaultParamsWritable;
import org.apache.spark.ml.util.Identifiable$;
import org.apache.spark.ml.util.MLReader;
import org.apache.spark.ml.util.MLWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;
import org.safesynth.tokenizer.TextTokenizer;
import org.safesynth.tokenizer.TokenizerFolder;

/**
 * A stage of a Spark ML pipeline that turns a text column into the token ids of a Hugging Face
 * tokenizer, as DJL's Spark extension does for Spark 3.
 *
 * <p>Without Java: {@code JavaTransformer}s of PySpark wrap it by its class name. The tokenizer's
 * folder is local on every machine or on any Hadoop file system; it is loaded once in a JVM.
 */
public final class TextToTokens extends Transformer implements DefaultParamsWritable {
  private final String uid;
  private final Param<String> inputCol;
  private final Param<String> outputCol;
  private final Param<String> tokenizer;
  private final BooleanParam addSpecialTokens;
  private final IntParam maxLength;

  public TextToTokens() {
    this(Identifiable$.MODULE$.randomUID("textToTokens"));
  }

  public TextToTokens(String uid) {
    this.uid = uid; // before the parameters, which take it for their parent's
    this.inputCol = new Param<>(this, "inputCol", "name of the text column");
    this.outputCol = new Param<>(this, "outputCol", "name of the column of token ids");
    this.tokenizer = new Param<>(this, "tokenizer", "folder that holds tokenizer.json");
    this.addSpecialTokens =
        new BooleanParam(this, "addSpecialTokens", "whether special tokens are added");
    this.maxLength =
        new IntParam(this, "maxLength", "most tokens of a text, the rest is cut off; 0: no limit");
    setDefault(inputCol, "text");
    setDefault(outputCol, "tokens");
    setDefault(addSpecialTokens, true);
    setDefault(maxLength, 0);
  }

  @Override
  public String uid() {
    return uid;
  }

  public Param<String> inputCol() {
    return inputCol;
  }

  public Param<String> outputCol() {
    return outputCol;
  }

  public Param<String> tokenizer() {
    return tokenizer;
  }

  public BooleanParam addSpecialTokens() {
    return addSpecialTokens;
  }

  public IntParam maxLength() {
    return maxLength;
  }

  public TextToTokens setInputCol(String name) {
    set(inputCol, name);
    return this;
  }

  public TextToTokens setOutputCol(String name) {
    set(outputCol, name);
    return this;
  }

  public TextToTokens setTokenizer(String folder) {
    set(tokenizer, folder);
    return this;
  }

  public TextToTokens setAddSpecialTokens(boolean added) {
    set(addSpecialTokens, added);
    return this;
  }

  public TextToTokens setMaxLength(int tokens) {
    set(maxLength, tokens);
    return this;
  }

  @Override
  public StructType transformSchema(StructType schema) {
    String input = getOrDefault(inputCol);
    String output = getOrDefault(outputCol);
    if (!Arrays.asList(schema.fieldNames()).contains(input)) {
      throw new BadInputException(
          "TextToTokens: there is no column '%s', only %s"
              .formatted(input, String.join(", ", schema.fieldNames())));
    }
    if (!(schema.apply(input).dataType() instanceof StringType)) {
      throw new BadInputException(
          "TextToTokens: column '%s' is %s, not string"
              .formatted(input, schema.apply(input).dataType().sql()));
    }
    if (Arrays.asList(schema.fieldNames()).contains(output)) {
      throw new BadInputException(
          "TextToTokens: column '%s' exists already; set another outputCol".formatted(output));
    }
    return schema.add(output, DataTypes.createArrayType(DataTypes.IntegerType, false), true);
  }

  @Override
  public Dataset<Row> transform(Dataset<?> table) {
    if (!isDefined(tokenizer)) {
      throw new BadInputException(
          "TextToTokens: tokenizer is not set: name the folder that holds tokenizer.json");
    }
    StructType type = transformSchema(table.schema());
    Tokenizing tokenizing =
        new Tokenizing(
            new SerializableConfiguration(
                table.sparkSession().sparkContext().hadoopConfiguration()),
            getOrDefault(tokenizer),
            table.schema().fieldIndex(getOrDefault(inputCol)),
            (Boolean) getOrDefault(addSpecialTokens),
            (Integer) getOrDefault(maxLength));
    return table.toDF().mapPartitions(tokenizing, Encoders.row(type));
  }

  /** The work of a task. */
  private record Tokenizing(
      SerializableConfiguration hadoop,
      String folder,
      int column,
      boolean addsSpecial,
      int maxLength)
      implements MapPartitionsFunction<Row, Row> {
    @Override
    public java.util.Iterator<Row> call(java.util.Iterator<Row> rows) {
      TextTokenizer text = load(hadoop.value(), folder).tokenizer();
      return new java.util.Iterator<>() {
        @Override
        public boolean hasNext() {
          return rows.hasNext();
        }

        @Override
        public Row next() {
          Row row = rows.next();
          Object[] cells = new Object[row.size() + 1];
          for (int c = 0; c < row.size(); c++) {
            cells[c] = row.get(c);
          }
          cells[row.size()] = row.isNullAt(column) ? null : ids(text, row.getString(column));
          return RowFactory.create(cells);
        }
      };
    }

    private Integer[] ids(TextTokenizer tokenizer, String text) {
      int[] ids = addsSpecial ? tokenizer.encodeWithSpecialTokens(text) : tokenizer.encode(text);
      int length = maxLength > 0 ? Math.min(maxLength, ids.length) : ids.length;
      return Arrays.stream(ids, 0, length).boxed().toArray(Integer[]::new);
    }
  }

  /** The tokenizer of a folder on any file system. */
  private static TokenizerFolder load(Configuration hadoop, String folder) {
    Path path = new Path(folder);
    try {
      FileSystem fs = path.getFileSystem(hadoop);
      if (fs.getScheme().equals("file")) {
        return TokenizerFolder.load(Paths.get(path.toUri().getPath()));
      }
      java.nio.file.Path local = Files.createTempDirectory("tokenizer");
      try {
        for (FileStatus file : fs.listStatus(path)) {
          if (file.isFile() && file.getPath().getName().endsWith(".json")) {
            fs.copyToLocalFile(file.getPath(), new Path(local.toUri()));
          }
        }
        return TokenizerFolder.load(local);
      } finally {
        delete(local);
      }
    } catch (IOException e) {
      throw new RunFailedException("%s cannot be read: %s".formatted(folder, e.getMessage()), e);
    }
  }

  private static void delete(java.nio.file.Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (java.nio.file.Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  @Override
  public TextToTokens copy(ParamMap extra) {
    return (TextToTokens) defaultCopy(extra);
  }

  @Override
  public MLWriter write() {
    return DefaultParamsWritable.super.write();
  }

  /** Reads what {@link #write} wrote. */
  public static MLReader<TextToTokens> read() {
    return new DefaultParamsReader<>();
  }

  /** Loads what was saved in a folder. */
  public static TextToTokens load(String path) {
    return read().load(path);
  }
}
