package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.sql.Date;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;

@Tag("spark")
final class OutputWriterTest {
  private static final StructType TYPE =
      new StructType()
          .add("a.b", DataTypes.StringType)
          .add("A", DataTypes.LongType)
          .add("a", DataTypes.createDecimalType(10, 2))
          .add("with \"quote\", comma", DataTypes.DateType);

  @TempDir private java.nio.file.Path temp;

  private Path path(String name) {
    return new Path(temp.resolve(name).toUri());
  }

  private Path table() {
    Dataset<Row> rows =
        LocalSpark.session()
            .createDataFrame(
                List.of(
                    RowFactory.create(
                        " say \"hi\", you ",
                        1L,
                        new BigDecimal("1.50"),
                        Date.valueOf("2020-02-29")),
                    RowFactory.create("007", null, null, null),
                    RowFactory.create("", 3L, new BigDecimal("-0.10"), null),
                    RowFactory.create(null, 4L, null, null)),
                TYPE)
            .repartition(1)
            .sortWithinPartitions("A");
    OutputWriter.writeTable(rows, path("synthetic"));
    return path("synthetic");
  }

  @Test
  void parquetKeepsNamesAndTypes() {
    Dataset<Row> back = LocalSpark.session().read().parquet(table().toString());
    assertEquals(TYPE.simpleString(), back.schema().simpleString());
    assertEquals(4, back.count());
  }

  @Test
  void csvIsOneFileWithTheRowsInOrder() throws IOException {
    OutputWriter.copyToFile(
        LocalSpark.session(), table(), temp.resolve("out/x.csv").toString(), path("scratch"));
    assertEquals(
        """
        a.b,A,a,"with ""quote"", comma"
        007,,,
        " say ""hi"", you ",1,1.50,2020-02-29
        "",3,-0.10,
        ,4,,
        """,
        Files.readString(temp.resolve("out/x.csv")));
    assertFalse(Files.exists(temp.resolve("scratch")));
  }

  @Test
  void aCopyReplacesAnOldOne() throws IOException {
    Files.writeString(temp.resolve("x.jsonl"), "old");
    OutputWriter.copyToFile(
        LocalSpark.session(), table(), temp.resolve("x.jsonl").toString(), path("scratch"));
    List<String> lines = Files.readAllLines(temp.resolve("x.jsonl"));
    assertEquals(4, lines.size());
    assertTrue(lines.get(0).contains("\"a.b\":\"007\",\"A\":null"), lines.get(0));
  }

  @Test
  void rowsOfManyFilesKeepTheirOrder() throws IOException {
    OutputWriter.writeTable(LocalSpark.session().range(0, 1000, 1, 7).toDF(), path("synthetic"));
    OutputWriter.copyToFile(
        LocalSpark.session(), path("synthetic"), temp.resolve("x.csv").toString(), path("s"));
    List<String> lines = Files.readAllLines(temp.resolve("x.csv"));
    for (int i = 0; i < 1000; i++) {
      assertEquals(String.valueOf(i), lines.get(i + 1));
    }
  }

  @Test
  void anUnknownEndingIsRefused() {
    assertThrows(BadInputException.class, () -> OutputWriter.requireKnownFormat("x.xlsx"));
  }
}
