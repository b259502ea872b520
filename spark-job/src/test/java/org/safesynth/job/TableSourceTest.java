package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.config.ConfigReader;
import org.safesynth.config.DataConfig;
import org.safesynth.fault.BadInputException;

@Tag("spark")
final class TableSourceTest {
  @TempDir private Path temp;

  private String file(String name, String text) throws IOException {
    Path file = temp.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    return file.toString();
  }

  private static TableSource open(String source, Map<String, String> options) {
    return TableSource.open(LocalSpark.session(), new TableSource.Address(source, null, options));
  }

  private static List<Row> rows(TableSource table) {
    return table.reading(() -> table.rows().collectAsList());
  }

  private static String refusal(String source, Map<String, String> options) {
    return assertThrows(BadInputException.class, () -> rows(open(source, options))).getMessage();
  }

  private static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), "'" + part + "' in: " + message);
    }
  }

  @Test
  void csvCellsStayTextsUnderTheirExactNames() throws IOException {
    String source =
        file(
            "t.csv",
            "a.b,with space, lead,A,a,\"q\"\"uote`\",ünï\n007,1.50,x,,\"\",\"x, \"\"y\"\"\",é\\\n");
    TableSource table = open(source, Map.of());
    assertArrayEquals(
        new String[] {"a.b", "with space", " lead", "A", "a", "q\"uote`", "ünï"},
        table.rows().columns());
    for (StructField field : table.rows().schema().fields()) {
      assertEquals(DataTypes.StringType, field.dataType());
    }
    Row row = rows(table).get(0);
    assertEquals("007", row.getString(0));
    assertEquals("1.50", row.getString(1));
    assertNull(row.get(3), "an empty field is missing");
    assertEquals("x, \"y\"", row.getString(5));
    assertEquals("é\\", row.getString(6));
  }

  @Test
  void gzippedAndTabSeparatedFilesAreReadByTheirEnding() throws IOException {
    Path gz = temp.resolve("t.csv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(gz))) {
      out.write("a,b\n1,2\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    assertEquals(1, rows(open(gz.toString(), Map.of())).size());
    assertEquals(2, open(file("t.tsv", "a\tb\n1\t2\n"), Map.of()).rows().columns().length);
  }

  @Test
  void aFolderOfPartsIsOneTable() throws IOException {
    file("parts/p1.csv", "a,b\n1,2\n");
    file("parts/p2.csv", "a,b\n3,4\n");
    file("parts/_SUCCESS", "");
    assertEquals(2, rows(open(temp.resolve("parts").toString(), Map.of())).size());
  }

  @Test
  void partsWithOtherHeadersAreRefused() throws IOException {
    file("parts/p1.csv", "a,b\n1,2\n");
    file("parts/p2.csv", "b,a\n3,4\n");
    assertSays(refusal(temp.resolve("parts").toString(), Map.of()), "same header");
  }

  @Test
  void quotedLineBreaksAreReadWhenAskedFor() throws IOException {
    String source = file("t.csv", "a,b\n1,\"x\ny\"\n");
    assertSays(refusal(source, Map.of()), "lines do not have the header's 2 fields", "multiLine");
    assertEquals("x\ny", rows(open(source, Map.of("multiline", "true"))).get(0).getString(1));
  }

  @Test
  void aMissingFileIsNamed() {
    assertSays(refusal(temp.resolve("no.csv").toString(), Map.of()), "no.csv", "does not exist");
  }

  @Test
  void anEmptyFileAndAHeaderWithoutRowsAreRefused() throws IOException {
    assertSays(refusal(file("e.csv", ""), Map.of()), "is empty");
    assertSays(refusal(file("h.csv", "a,b\n"), Map.of()), "has no rows");
  }

  @Test
  void aRowInPlaceOfTheHeaderIsRefusedUnlessTheUserSaysSo() throws IOException {
    String source = file("t.csv", "39.5,State-gov,0,0\n50.1,Private,0,0\n");
    assertSays(refusal(source, Map.of()), "no header", "{header: \"false\"}");
    TableSource table = open(source, Map.of("header", "false"));
    assertArrayEquals(new String[] {"_c0", "_c1", "_c2", "_c3"}, table.rows().columns());
    assertEquals(2, rows(table).size());
  }

  @Test
  void yearsMayBeColumnNames() throws IOException {
    assertEquals(1, rows(open(file("t.csv", "name,2019,2020\nx,1,2\n"), Map.of())).size());
  }

  @Test
  void columnNamesGivenTwiceAreRefused() throws IOException {
    assertSays(refusal(file("t.csv", "a,b,a\n1,2,3\n"), Map.of()), "'a'", "more than once");
  }

  @Test
  void raggedLinesAreCountedAndTheFirstIsNamed() throws IOException {
    String source = file("t.csv", "a,b,c\n1,2,3\n1,2\n4,5,6\n1,2,3,4\n");
    assertSays(refusal(source, Map.of()), "2 lines", "3 fields", "row 2 after the header");
  }

  @Test
  void raggedLinesAreFoundByAPassThatReadsOneColumnOnly() throws IOException {
    TableSource table = open(file("t.csv", "a,b\n1,2\n3\n"), Map.of());
    Dataset<Row> one = table.rows().select("a");
    assertThrows(
        BadInputException.class, () -> table.reading(() -> one.agg(Map.of("a", "max")).head()));
  }

  @Test
  void anotherDelimiterIsSuggested() throws IOException {
    assertSays(refusal(file("t.csv", "a;b\n1;2\n"), Map.of()), "';'", "{sep: \";\"}");
    assertSays(refusal(file("u.csv", "a\tb\n1\t2\n"), Map.of()), "a tab", "{sep: \"\\t\"}");
    assertEquals(2, open(file("v.csv", "a|b\n1|2\n"), Map.of("sep", "|")).rows().columns().length);
  }

  @Test
  void jsonLinesKeepTheOrderOfTheirKeys() throws IOException {
    TableSource table =
        open(file("t.jsonl", "{\"z\": 1, \"a.b\": \"007\"}\n{\"z\": 2, \"c\": true}\n"), Map.of());
    assertArrayEquals(new String[] {"z", "a.b", "c"}, table.rows().columns());
    assertEquals("007", rows(table).get(0).getString(1));
  }

  @Test
  void aJsonArrayIsReadToo() throws IOException {
    assertEquals(
        2, rows(open(file("t.json", "[\n {\"a\": 1},\n {\"a\":\n 2}\n]\n"), Map.of())).size());
  }

  /** Options that were set for another table would make one value of the file: its first line. */
  @Test
  void jsonLinesAreAllReadWhateverTheOptions() throws IOException {
    String lines = file("t.jsonl", "{\"a\": 1}\n{\"a\": 2}\n{\"a\": 3}\n");
    assertEquals(3, rows(open(lines, Map.of("multiLine", "true"))).size());
    String one = file("u.json", "{\"a\":\n 1}\n");
    assertEquals(1, rows(open(one, Map.of("multiLine", "true"))).size());
  }

  @Test
  void linesThatAreNoJsonAreCounted() throws IOException {
    assertSays(
        refusal(file("t.jsonl", "{\"a\": 1}\n{\"a\": \nx\n{\"a\": 2}\n"), Map.of()),
        "2 lines are not JSON objects",
        "row 2");
  }

  @Test
  void parquetAndOrcFoldersKeepTypesAndNames() {
    Dataset<Row> frame =
        LocalSpark.session()
            .range(3)
            .selectExpr("id AS `a.b`", "CAST(id AS DECIMAL(5,2)) AS A", "1 AS a");
    for (String format : List.of("parquet", "orc")) {
      String folder = temp.resolve("plain-" + format).toString();
      frame.write().format(format).save(folder);
      TableSource table = open(folder, Map.of());
      assertEquals(frame.schema().simpleString(), table.rows().schema().simpleString());
      assertEquals(3, rows(table).size());
    }
  }

  @Test
  void aBrokenParquetFileIsBadInput() throws IOException {
    assertSays(refusal(file("t.parquet", "not parquet at all"), Map.of()), "cannot be read");
  }

  @Test
  void anUnknownEndingAsksForTheFormat() throws IOException {
    assertSays(refusal(file("t.xlsx", "x"), Map.of()), "t.xlsx", "data.format");
  }

  @Test
  void aNamedFormatNeedsNoEnding() throws IOException {
    String source = file("t.data", "a,b\n1,2\n");
    TableSource table =
        TableSource.open(LocalSpark.session(), new TableSource.Address(source, "CSV", Map.of()));
    assertEquals(1, rows(table).size());
  }

  private static TableSource.Address beside(String source, String format) {
    DataConfig data = ConfigReader.read("", "test", Map.of("data.format", format)).data();
    return TableSource.Address.beside(
        new Configuration(), source, data, "generation.conditions", "complete");
  }

  /** The learned table's format counts only where nothing else tells one. */
  @Test
  void aTableBesideTheLearnedOneHasItsOwnFormat() throws IOException {
    SparkSession spark = LocalSpark.session();
    TableSource csv = TableSource.open(spark, beside(file("b.csv", "a,b\n1,2\n"), "parquet"));
    assertEquals(1, rows(csv).size());
    String folder = temp.resolve("beside").toString();
    spark.range(3).write().parquet(folder);
    assertEquals(3, rows(TableSource.open(spark, beside(folder, "csv"))).size());
    String unnamed = file("begun", "a,b\n1,2\n");
    assertEquals(1, rows(TableSource.open(spark, beside(unnamed, "csv"))).size());
    assertEquals("delta", beside(unnamed, "delta").format());
    assertNull(beside(temp.resolve("t.orc").toString(), "delta").format());
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () -> TableSource.open(spark, beside(file("none.csv", "a,b\n"), "parquet")));
    assertSays(e.getMessage(), "none.csv has no rows: there is nothing to complete");
  }

  @Test
  void aFormatThatTheSessionDoesNotKnowIsNamed() {
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () ->
                TableSource.open(
                    LocalSpark.session(),
                    new TableSource.Address(temp.toString(), "delta", Map.of())));
    assertSays(e.getMessage(), "delta");
  }

  @Test
  void catalogTablesAreReadByName() {
    LocalSpark.session().range(2).createOrReplaceTempView("people");
    assertEquals(2, rows(open("table:people", Map.of())).size());
    assertSays(refusal("table:nobody", Map.of()), "no table 'nobody'");
  }

  @Test
  void secretsAreHidden() {
    assertEquals(
        Map.of(
            "fs.s3a.secret.key",
            "***",
            "sep",
            ";",
            "password",
            "***",
            "url",
            "jdbc:x?password=***"),
        Credentials.masked(
            Map.of(
                "fs.s3a.secret.key",
                "abc",
                "sep",
                ";",
                "password",
                "p",
                "url",
                "jdbc:x?password=hidden")));
    assertEquals("s3a://***@bucket/x", Credentials.masked("s3a://me:secret@bucket/x"));
  }
}
