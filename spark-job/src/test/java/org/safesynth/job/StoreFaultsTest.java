package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run whose store is full, slow or failing: it ends with one sentence, loses nothing that was
 * finished, and called again with the same id writes the rows of an undisturbed run.
 */
@Tag("spark")
final class StoreFaultsTest {
  private static final double[] FILLED = {0, .02, .4, .8, .97};
  private static final int MOST_CALLS = 40;

  @TempDir static Path temp;
  private static List<String> undisturbed;
  private static long bytes;
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeAll
  static void runUndisturbed() throws IOException {
    UnreliableStore.register(LocalSpark.session().sparkContext().hadoopConfiguration());
    StringBuilder table = new StringBuilder("age,colour,size\n");
    for (int i = 0; i < 400; i++) {
      table.append(20 + i % 50).append(',').append(i % 3 == 0 ? "red" : "blue");
      table.append(',').append(i * 7 % 90 / 10.0).append('\n');
    }
    Files.writeString(temp.resolve("t.csv"), table);
    UnreliableStore.become(UnreliableStore.Nature.sound());
    StoreFaultsTest test = new StoreFaultsTest();
    assertEquals(0, test.run("undisturbed"), test::said);
    bytes = UnreliableStore.written();
    undisturbed = rows("undisturbed");
    assertEquals(300, undisturbed.size());
  }

  @AfterEach
  void mend() {
    UnreliableStore.become(UnreliableStore.Nature.sound());
  }

  private String said() {
    return err.toString(StandardCharsets.UTF_8);
  }

  private int run(String id) {
    err.reset();
    String[] arguments = {
      "run",
      "--data-source",
      temp.resolve("t.csv").toString(),
      "--artifact-path",
      "unreliable://" + temp.resolve("out"),
      "--run-id",
      id,
      "--data__random_state",
      "7",
      "--evaluation__enabled",
      "false",
      "--training__num_input_records_to_sample",
      "4000",
      "--generation__num_records",
      "300"
    };
    PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
    return Main.execute(arguments, stream, stream, Map.of());
  }

  private static List<String> rows(String id) {
    List<String> rows = new ArrayList<>();
    LocalSpark.session()
        .read()
        .parquet("unreliable://" + temp.resolve("out").resolve(id).resolve("synthetic"))
        .collectAsList()
        .forEach(row -> rows.add(row.toString()));
    rows.sort(null);
    return rows;
  }

  private void assertIsOneSentence() {
    List<String> errors = said().lines().filter(line -> line.startsWith("error: ")).toList();
    assertEquals(1, errors.size(), this::said);
    assertFalse(said().contains("\tat "), this::said);
  }

  @Test
  void aStoreThatFillsEndsTheRunAndMoreRoomFinishesIt() {
    for (double filled : FILLED) {
      String id = "full-" + filled;
      UnreliableStore.become(UnreliableStore.Nature.holding((long) (filled * bytes)));
      assertEquals(1, run(id), this::said);
      assertIsOneSentence();
      assertTrue(said().contains("full"), this::said);
      UnreliableStore.become(UnreliableStore.Nature.sound());
      assertEquals(0, run(id), this::said);
      assertEquals(undisturbed, rows(id), id);
    }
  }

  @Test
  void aSlowStoreChangesNothing() {
    UnreliableStore.become(UnreliableStore.Nature.slow(60));
    assertEquals(0, run("slow"), this::said);
    assertEquals(undisturbed, rows("slow"));
  }

  @Test
  void aFailingStoreCostsCallsAndNoRows() {
    UnreliableStore.become(UnreliableStore.Nature.refusing(.03, 5));
    int calls = 1;
    for (; run("failing") != 0; calls++) {
      assertIsOneSentence();
      assertTrue(said().contains("503 Slow Down"), this::said);
      assertTrue(calls < MOST_CALLS, this::said);
    }
    assertTrue(UnreliableStore.refused() > 3, "the store failed too seldom to tell");
    assertTrue(calls > 1, "no call failed");
    UnreliableStore.become(UnreliableStore.Nature.sound());
    assertEquals(undisturbed, rows("failing"));
  }
}
