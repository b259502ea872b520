package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.sql.Date;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.BadInputException;

@Tag("spark")
class SchemaInferenceSparkTest {
  private static SparkSession spark;

  @BeforeAll
  static void start() {
    spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.sql.shuffle.partitions", 4)
            .config("spark.driver.bindAddress", "127.0.0.1")
            .getOrCreate();
    spark.sparkContext().setLogLevel("ERROR");
  }

  @AfterAll
  static void stop() {
    spark.stop();
  }

  private static InferenceOptions csv(DeclaredColumn... declared) {
    Map<String, DeclaredColumn> byName = new java.util.HashMap<>();
    for (DeclaredColumn column : declared) {
      byName.put(column.name(), column);
    }
    return new InferenceOptions(true, Set.of("", "NA"), 7, byName);
  }

  private static Dataset<Row> table(String ddl, List<Row> rows) {
    return spark.createDataFrame(rows, (StructType) DataType.fromDDL(ddl));
  }

  private static List<Row> column(int rows, IntFunction<Object> cell) {
    List<Row> all = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      all.add(RowFactory.create(cell.apply(i)));
    }
    return all;
  }

  private static ColumnSchema inferText(int rows, IntFunction<Object> cell) {
    return SchemaInference.infer(table("c string", column(rows, cell)), csv())
        .schema()
        .columns()
        .get(0);
  }

  private static void assertColumn(ColumnKind kind, String type, int scale, ColumnSchema column) {
    assertEquals(kind, column.kind());
    assertEquals(type, column.type());
    assertEquals(scale, column.scale());
  }

  @Test
  void textsOfAnUntypedFormatGetTheirKinds() {
    assertColumn(ColumnKind.INTEGER, "bigint", 0, inferText(200, i -> "" + i % 9));
    assertColumn(
        ColumnKind.INTEGER,
        "bigint",
        0,
        inferText(200, i -> i % 5 == 0 ? "NA" : "-" + (i % 7 + 1)));
    assertColumn(ColumnKind.CATEGORICAL, "string", 0, inferText(200, i -> "00" + i % 9));
    assertColumn(
        ColumnKind.DECIMAL,
        "decimal(4,2)",
        2,
        inferText(200, i -> i % 50 + (i % 2 == 0 ? ".5" : ".25")));
    assertColumn(ColumnKind.DECIMAL, "double", 0, inferText(200, i -> i % 50 + "e3"));
    assertColumn(
        ColumnKind.BOOLEAN, "boolean", 0, inferText(200, i -> i % 2 == 0 ? "True" : "False"));
    assertColumn(ColumnKind.DATE, "date", 0, inferText(200, i -> "2020-01-" + (10 + i % 20)));
    assertColumn(
        ColumnKind.TIMESTAMP,
        "timestamp_ntz",
        0,
        inferText(200, i -> "2020-01-01 10:" + (10 + i % 20) + ":00"));
    assertColumn(ColumnKind.CATEGORICAL, "string", 0, inferText(200, i -> "word" + i % 9));
    assertColumn(ColumnKind.IDENTIFIER, "string", 0, inferText(200, i -> "K-" + (1000 + i)));
    assertColumn(ColumnKind.IDENTIFIER, "bigint", 0, inferText(200, i -> "" + (i + 1)));
    assertColumn(
        ColumnKind.TEXT, "string", 0, inferText(2_000, i -> "some words of row " + i * 7 % 1_999));
    assertColumn(ColumnKind.CATEGORICAL, "string", 0, inferText(30, i -> ""));
    assertColumn(ColumnKind.INTEGER, "bigint", 0, inferText(1, i -> "5"));
  }

  @Test
  void ambiguousDatesTakeTheFormatThatFitsAll() {
    assertEquals("MM/dd/yyyy", inferText(40, i -> "0" + (1 + i % 9) + "/05/2020").format());
    assertEquals("dd/MM/yyyy", inferText(40, i -> (10 + i % 19) + "/05/2020").format());
  }

  @Test
  void numbersTooLongForATickStayText() {
    assertEquals(
        ColumnKind.CATEGORICAL, inferText(40, i -> "1234567890123456789012" + i % 3).kind());
  }

  @Test
  void distinctNumbersAreAKeyUnlessTheyOrderRows() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      rows.add(RowFactory.create(1_000 + i, 1_000 + i));
    }
    InferenceOptions options =
        new InferenceOptions(false, Set.of(), 7, Map.of(), "number_of_order", false);
    List<ColumnSchema> columns =
        SchemaInference.infer(table("key int, number_of_order int", rows), options)
            .schema()
            .columns();
    assertEquals(ColumnKind.IDENTIFIER, columns.get(0).kind());
    assertEquals(ColumnKind.INTEGER, columns.get(1).kind());
  }

  @Test
  void typedColumnsKeepTheirTypes() {
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      rows.add(
          RowFactory.create(
              i % 4,
              (short) (i % 3),
              i * 0.25,
              (float) i,
              BigDecimal.valueOf(i, 2),
              i % 2 == 0,
              Date.valueOf("2020-01-0" + (1 + i % 9)),
              "" + i % 9));
    }
    String ddl =
        "a int, b smallint, c double, d float, e decimal(10,2), f boolean, g date, h string";
    InferredTable inferred =
        SchemaInference.infer(table(ddl, rows), new InferenceOptions(false, Set.of(), 7, Map.of()));
    List<ColumnSchema> columns = inferred.schema().columns();
    assertEquals(
        List.of("int", "smallint", "double", "float", "decimal(10,2)", "boolean", "date", "string"),
        columns.stream().map(ColumnSchema::type).toList());
    assertEquals(ColumnKind.CATEGORICAL, columns.get(7).kind());
    assertEquals(2, columns.get(2).scale());
    for (int c = 0; c < columns.size(); c++) {
      CellReader reader = CellReader.of(columns.get(c), Set.of());
      CellWriter writer = CellWriter.of(columns.get(c), false);
      for (Row row : rows) {
        Object back = writer.write(reader.read(row.get(c)));
        assertEquals(row.get(c).toString(), back.toString());
      }
    }
  }

  private static List<Row> mixed() {
    SplittableRandom random = new SplittableRandom(3);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 9_000; i++) {
      rows.add(
          RowFactory.create(
              "" + (i % 10 < 3 ? 0 : random.nextInt(1_000_000)),
              "v" + random.nextInt(5_000),
              random.nextInt(100) + "." + random.nextInt(10),
              i % 7 == 0 ? "" : "2021-0" + (1 + random.nextInt(9)) + "-11"));
    }
    return rows;
  }

  private static String described(InferredTable table) {
    StringBuilder text = new StringBuilder(table.schema().toString());
    for (ColumnProfile column : table.profile().columns()) {
      text.append(column.rows()).append(' ').append(column.missing()).append(' ');
      text.append(column.distinct()).append(column.complete());
      text.append(Arrays.toString(column.ticks())).append(Arrays.toString(column.texts()));
      text.append(Arrays.toString(column.counts()));
      text.append(Arrays.toString(column.spikeTicks()))
          .append(Arrays.toString(column.spikeCounts()));
      text.append(Arrays.toString(column.lowTicks())).append(Arrays.toString(column.lowCounts()));
      text.append(Arrays.toString(column.highTicks())).append(Arrays.toString(column.highCounts()));
    }
    return text.toString();
  }

  @Test
  void theResultIsTheSameForAnyPartitioningAndOrder() {
    String ddl = "a string, b string, c string, d string";
    List<Row> rows = mixed();
    String expected = described(SchemaInference.infer(table(ddl, rows).coalesce(1), csv()));
    Collections.shuffle(rows, new Random(5));
    for (int partitions : new int[] {2, 7}) {
      Dataset<Row> cut = table(ddl, rows).repartition(partitions);
      assertEquals(expected, described(SchemaInference.infer(cut, csv())));
    }
  }

  @Test
  void countsAreExactWhereAllValuesAreHeld() {
    InferredTable inferred =
        SchemaInference.infer(table("a string, b string, c string, d string", mixed()), csv());
    ColumnProfile numbers = inferred.profile().columns().get(0);
    assertTrue(numbers.complete());
    assertEquals(9_000, Arrays.stream(numbers.counts()).sum());
    assertEquals(0, numbers.lowTicks()[0]);
    assertTrue(numbers.lowCounts()[0] >= 2_700);
    assertEquals(512, numbers.highTicks().length);
    ColumnProfile words = inferred.profile().columns().get(1);
    assertTrue(words.complete());
    assertEquals(9_000, Arrays.stream(words.counts()).sum());
    assertEquals(1_286, inferred.profile().columns().get(3).missing());
  }

  @Test
  void manyDistinctNumbersAreSampledWithTheirSpikes() {
    SplittableRandom random = new SplittableRandom(3);
    List<Row> rows =
        column(200_000, i -> i % 20 == 0 ? "77" : "" + (1_000 + random.nextLong(1_000_000_000L)));
    ColumnProfile profile =
        SchemaInference.infer(table("c string", rows).repartition(3), csv())
            .profile()
            .columns()
            .get(0);
    assertFalse(profile.complete());
    assertEquals(65_536, profile.ticks().length);
    assertArrayEquals(new long[] {77}, profile.spikeTicks());
    assertArrayEquals(new long[] {10_000}, profile.spikeCounts());
    assertEquals(190_000, profile.distinct(), 190_000 * 0.03); // 7 standard errors of 1/√65,536
    assertTrue(
        IntStream.range(1, 512).allMatch(i -> profile.lowTicks()[i] > profile.lowTicks()[i - 1]));
  }

  @Test
  void aHundredThousandCategoriesAreCountedExactly() {
    List<Row> rows = column(300_000, i -> "value " + i % 100_000);
    InferredTable inferred = SchemaInference.infer(table("c string", rows), csv());
    ColumnProfile profile = inferred.profile().columns().get(0);
    assertEquals(ColumnKind.CATEGORICAL, inferred.schema().columns().get(0).kind());
    assertTrue(profile.complete());
    assertEquals(100_000, profile.distinct());
    assertTrue(Arrays.stream(profile.counts()).allMatch(count -> count == 3));
  }

  @Test
  void fiveHundredColumnsWork() {
    String ddl =
        String.join(", ", IntStream.range(0, 500).mapToObj(i -> "`c " + i + "` string").toList());
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      Object[] cells = new Object[500];
      for (int c = 0; c < 500; c++) {
        cells[c] = "" + (i * 31 + c * 17) % (c + 2);
      }
      rows.add(RowFactory.create(cells));
    }
    assertEquals(500, SchemaInference.infer(table(ddl, rows), csv()).schema().columns().size());
  }

  @Test
  void namesOfAnyKindAreKept() {
    String ddl = "`a.b` string, `a b` string, `a\"'b` string, `é` string, `A` string, `a` string";
    List<Row> rows = List.of(RowFactory.create("1", "2", "3", "4", "5", "6"));
    assertEquals(
        List.of("a.b", "a b", "a\"'b", "é", "A", "a"),
        SchemaInference.infer(table(ddl, rows), csv()).schema().columns().stream()
            .map(ColumnSchema::name)
            .toList());
  }

  private static String refused(Dataset<Row> table, InferenceOptions options) {
    return assertThrows(BadInputException.class, () -> SchemaInference.infer(table, options))
        .getMessage();
  }

  @Test
  void nestedColumnsAreNamed() {
    Dataset<Row> nested = spark.sql("SELECT 1 AS id, array(1) AS list, named_struct('a', 1) AS s");
    assertEquals(
        "columns that are not single values cannot be learned: 'list' (array<int>), 's' (struct<a:int>); flatten them into columns of their own or drop them",
        refused(nested, csv()));
  }

  @Test
  void duplicateNamesAndEmptyTablesAreRefused() {
    assertTrue(
        refused(spark.sql("SELECT 1 AS a, 2 AS a"), csv())
            .contains("several columns of the name 'a'"));
    assertTrue(refused(spark.sql("SELECT 1 AS a WHERE false"), csv()).contains("no rows"));
  }

  @Test
  void declaredColumnsOverrideInference() {
    String file =
        """
        {"columns": [
          {"name": "zip", "kind": "categorical"},
          {"name": "age", "kind": "integer", "min": "0", "max": "120"}]}""";
    Map<String, DeclaredColumn> declared = SchemaFile.read(file, "schema.json");
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      rows.add(RowFactory.create("1234" + i % 5, "" + i % 50));
    }
    Dataset<Row> table = table("zip string, age string", rows);
    InferenceOptions options = new InferenceOptions(true, Set.of(""), 1, declared);
    List<ColumnSchema> columns = SchemaInference.infer(table, options).schema().columns();
    assertEquals(ColumnKind.CATEGORICAL, columns.get(0).kind());
    assertEquals(120L, columns.get(1).max());

    rows.add(RowFactory.create("12345", "130"));
    rows.add(RowFactory.create("12345", "many"));
    String message = refused(table("zip string, age string", rows), options);
    assertEquals(
        "column 'age': 2 of 62 values are not of kind integer within its range (first: row 61, a number: \"130\"); declare another kind or domain in data.schema_file, or list the text under data.missing_values",
        message);
    assertTrue(
        refused(
                table("zip string, age string", rows),
                new InferenceOptions(true, Set.of(""), 1, declared, null, true))
            .contains("(first: row 61, a number of 3 characters)"));
  }

  private static String unordered(boolean isHidden, String... values) {
    return OrderForms.fault(
        table("at string", column(values.length, i -> values[i])).coalesce(1),
        Set.of(""),
        isHidden);
  }

  @Test
  void whatKeepsTextsFromHavingAnOrderIsSaid() {
    String[] mostlyDays = {"2021-04-30", "", "2021-05-01", "soon", "01.05.2021"};
    assertEquals(
        "2 of 4 values are no dates of the form yyyy-MM-dd, as the others are (first: row 4, a text: \"soon\")",
        unordered(false, mostlyDays));
    assertEquals(
        "2 of 4 values are no dates of the form yyyy-MM-dd, as the others are (first: row 4, a text of 4 characters)",
        unordered(true, mostlyDays));
    assertEquals(
        "1 of 3 values are no numbers, as the others are (first: row 2, a date: \"2021-05-01\")",
        unordered(false, "7", "2021-05-01", "9.5"));
    assertEquals(
        "1 of 3 values are no dates of the form yyyy-MM-dd, as the others are (first: row 3, a date: \"2021-05-01 10:00\")",
        unordered(false, "2021-05-01", "2021-05-02", "2021-05-01 10:00"));
    assertEquals(
        "none of its values is a number, date or time in digits (first: row 1, a text: \"3 May 2021\")",
        unordered(false, "3 May 2021", "4 May 2021"));
    assertEquals(
        "its values are numbers, but texts in the source", unordered(false, "7", "8", "9"));
  }

  @Test
  void aSchemaComesBackFromItsFile() {
    FrozenSchema schema =
        SchemaInference.infer(table("a string, b string, c string, d string", mixed()), csv())
            .schema();
    assertEquals(schema, SchemaFile.readSchema(SchemaFile.write(schema), "schema.json"));
  }

  @Test
  void mistakesInASchemaFileAreNamed() {
    Map<String, String> mistakes =
        Map.of(
            "{\"columns\": [", "s.json is not JSON: line 1",
            "{}", "s.json: the list 'columns' is missing",
            "{\"columns\": [{\"name\": \"a\", \"knid\": \"text\"}]}",
                "s.json: column 'a' has an unknown field 'knid'; did you mean 'kind'?",
            "{\"columns\": [{\"name\": \"a\", \"kind\": \"number\"}]}",
                "s.json: column 'a': kind 'number' is not one of",
            "{\"columns\": [{\"name\": \"a\", \"type\": \"array<int>\"}]}",
                "s.json: column 'a': type 'array<int>' is not a Spark SQL type of single values");
    mistakes.forEach(
        (json, sentence) -> {
          String message =
              assertThrows(BadInputException.class, () -> SchemaFile.read(json, "s.json"))
                  .getMessage();
          assertTrue(message.startsWith(sentence), message);
        });
    Map<String, DeclaredColumn> unknown =
        SchemaFile.read("{\"columns\": [{\"name\": \"agee\"}]}", "s.json");
    assertEquals(
        "s.json: the table has no column 'agee'; did you mean 'age'?",
        assertThrows(
                BadInputException.class,
                () -> SchemaFile.checkNames(unknown, List.of("id", "age"), "s.json"))
            .getMessage());
  }
}
