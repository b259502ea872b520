package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.model.FieldDecoderConfig;

/** A model that learned columns in random orders, through the command line. */
@Tag("spark")
final class AnyOrderTest {
  private static final int ROWS = 300;

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** A number, its parity, and an amount near ten times the number. */
  private static List<String> table() {
    SplittableRandom random = new SplittableRandom(2);
    List<String> lines = new ArrayList<>(List.of("a,b,amount"));
    for (int i = 0; i < 1_500; i++) {
      int a = random.nextInt(6);
      lines.add("%d,%s,%.2f".formatted(a, parity(a), 10 * a + 5 * random.nextDouble()));
    }
    return lines;
  }

  private static String parity(int a) {
    return a % 2 == 0 ? "even" : "odd";
  }

  /** Half of the rows begin with the amount, which the model writes last, the others with b. */
  @Test
  void laterColumnsDecideEarlierOnes() throws IOException {
    LocalSpark.session();
    Path table = Files.write(temp.resolve("table.csv"), table());
    String[] learn = {
      "--data-source",
      table.toString(),
      "--data.random_state",
      "3",
      "--embedded.random_orders",
      "true",
      "--evaluation.enabled",
      "false",
      "--generation.num_records",
      "600"
    };
    assertEquals(0, runs.command("run", "any", learn), runs.said());
    Path model = temp.resolve("any").resolve("model");
    FieldDecoderConfig shape =
        new ModelFolder(
                LocalSpark.session().sparkContext().hadoopConfiguration(),
                new org.apache.hadoop.fs.Path(model.toUri()))
            .read()
            .decoder()
            .config();
    assertTrue(shape.isAnyOrder());
    assertEquals(3, shape.columns().size());
    int fits = 0;
    for (org.apache.spark.sql.Row row :
        LocalSpark.session()
            .read()
            .parquet(temp.resolve("any").resolve("synthetic").toString())
            .collectAsList()) {
      int a = ((Number) row.get(0)).intValue();
      fits += parity(a).equals(row.getString(1)) ? 1 : 0;
    }
    assertTrue(fits > 550, fits + " of 600 rows written in the table's order fit");

    List<String> given = new ArrayList<>(List.of("a,b,amount"));
    for (int i = 0; i < ROWS; i++) {
      given.add(i % 2 == 0 ? ",,%d.25".formatted(10 * (i % 6) + 2) : ",odd,");
    }
    Path begun = Files.write(temp.resolve("begun.csv"), given);
    Path done = temp.resolve("done.csv");
    String[] complete = {
      "--generation.conditions", begun.toString(), "--output-file", done.toString()
    };
    assertEquals(0, runs.command("run generate", "any", complete), runs.said());
    List<String> completed = Files.readAllLines(done);
    assertEquals(ROWS + 1, completed.size());
    int agree = 0;
    for (int i = 0; i < ROWS; i++) {
      String[] row = completed.get(i + 1).split(",", -1);
      int a = Integer.parseInt(row[0]);
      boolean isAmountGiven = i % 2 == 0;
      agree +=
          (isAmountGiven ? a == i % 6 : row[1].equals("odd")) && row[1].equals(parity(a)) ? 1 : 0;
    }
    assertTrue(agree > 0.9 * ROWS, agree + " of " + ROWS + " agree");
  }
}
