package org.safesynth.spark.udf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.Fixtures;
import org.safesynth.fault.BadInputException;
import org.safesynth.tokenizer.TokenizerFolder;

@Tag("spark")
class TextToTokensTest {
  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate();
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static Dataset<Row> texts() {
    return spark
        .createDataset(Arrays.asList("Grüße, 東京 😀", "", null, "{\"a\":1}"), Encoders.STRING())
        .toDF("note")
        .repartition(1);
  }

  private static TextToTokens stage(Path folder) {
    return new TextToTokens().setInputCol("note").setTokenizer(folder.toString());
  }

  @Test
  void textsBecomeTheTokenizersIds() {
    Path folder = Fixtures.path("models/tinyllama-tiny");
    List<Row> rows = stage(folder).transform(texts()).collectAsList();
    for (Row row : rows) {
      if (row.isNullAt(0)) {
        assertNull(row.get(1));
        continue;
      }
      int[] expected =
          TokenizerFolder.load(folder).tokenizer().encodeWithSpecialTokens(row.getString(0));
      assertArrayEquals(expected, ids(row, 1), row.getString(0));
    }
    assertEquals(4, rows.size());
    List<Row> cut =
        stage(folder)
            .setAddSpecialTokens(false)
            .setMaxLength(2)
            .transform(texts().na().drop().filter("note <> ''"))
            .collectAsList();
    cut.forEach(row -> assertEquals(2, ids(row, 1).length));
  }

  private static int[] ids(Row row, int column) {
    return row.<Integer>getList(column).stream().mapToInt(Integer::intValue).toArray();
  }

  @Test
  void aSavedPipelineTokenizesTheSame(@TempDir Path saved) throws Exception {
    Path folder = Fixtures.path("models/smollm3-tiny");
    Dataset<Row> texts = texts();
    PipelineModel model =
        new Pipeline()
            .setStages(new PipelineStage[] {stage(folder).setOutputCol("ids").setMaxLength(5)})
            .fit(texts);
    String path = saved.resolve("pipeline").toString();
    model.write().save(path);
    PipelineModel loaded = PipelineModel.load(path);
    assertEquals(
        model.transform(texts).collectAsList().toString(),
        loaded.transform(texts).collectAsList().toString());
    String alone = saved.resolve("stage").toString();
    stage(folder).setAddSpecialTokens(false).save(alone);
    TextToTokens again = TextToTokens.load(alone);
    assertEquals("note", again.getOrDefault(again.inputCol()));
    assertEquals(false, again.getOrDefault(again.addSpecialTokens()));
    TextToTokens copied = again.copy(new ParamMap().put(again.outputCol(), "x"));
    assertEquals("x", copied.getOrDefault(copied.outputCol()));
    assertEquals(again.uid(), copied.uid());
  }

  @Test
  void wrongColumnsAreNamed() {
    TextToTokens stage = new TextToTokens();
    assertEquals(
        "TextToTokens: there is no column 'text', only note",
        fault(() -> stage.transformSchema(texts().schema())));
    assertEquals(
        "TextToTokens: column 'id' is BIGINT, not string",
        fault(
            () ->
                stage
                    .copy(new ParamMap())
                    .setInputCol("id")
                    .transformSchema(spark.range(1).schema())));
    assertEquals(
        "TextToTokens: column 'note' exists already; set another outputCol",
        fault(
            () ->
                new TextToTokens()
                    .setInputCol("note")
                    .setOutputCol("note")
                    .transformSchema(texts().schema())));
    assertEquals(
        "TextToTokens: tokenizer is not set: name the folder that holds tokenizer.json",
        fault(() -> new TextToTokens().setInputCol("note").transform(texts())));
  }

  private static String fault(org.junit.jupiter.api.function.Executable action) {
    return assertThrows(BadInputException.class, action).getMessage();
  }
}
