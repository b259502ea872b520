package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.codec.RecordCodec;
import org.safesynth.codec.RecordGrammar;
import org.safesynth.fault.RunFailedException;

@Tag("spark")
final class EncodeStageTest {
  private static final StructType TYPE =
      new StructType().add("a", DataTypes.LongType).add("b", DataTypes.StringType);

  @TempDir private java.nio.file.Path temp;

  /** Two tokens: the number itself and the length of the text; missing is 0. */
  private record TwoTokens(int vocabulary) implements RecordCodec {
    @Override
    public int positions() {
      return 2;
    }

    @Override
    public int vocabularySize(int position) {
      return vocabulary;
    }

    @Override
    public void encode(Object[] cells, int[] tokens) {
      tokens[0] = cells[0] == null ? 0 : ((Long) cells[0]).intValue();
      tokens[1] = cells[1] == null ? 0 : ((String) cells[1]).length();
    }

    @Override
    public Object[] decode(int[] tokens, long record, RandomGenerator random) {
      throw new UnsupportedOperationException();
    }

    @Override
    public RecordGrammar grammar() {
      throw new UnsupportedOperationException();
    }
  }

  private static List<Row> table(int rows) {
    List<Row> table = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      table.add(
          i % 3 == 0
              ? RowFactory.create(40_000L, "often")
              : RowFactory.create((long) (i % 60_000), i % 7 == 0 ? null : "x".repeat(i % 5)));
    }
    return table;
  }

  private static EncodeStage.Encoding encoding(
      List<Row> table, int partitions, long seed, String fingerprint) {
    Dataset<Row> rows = LocalSpark.session().createDataFrame(table, TYPE).repartition(partitions);
    return new EncodeStage.Encoding(
        rows,
        row -> new Object[] {row.get(0), row.get(1)},
        new TwoTokens(65_536),
        new RecordIdentity(seed),
        table.size(),
        fingerprint);
  }

  private Path folder(String name) {
    return new Path(temp.resolve(name).toUri());
  }

  private static byte[] read(ExamplesManifest manifest, Path folder) throws IOException {
    ByteArrayOutputStream tokens = new ByteArrayOutputStream();
    ExamplesReader.read(new Configuration(), folder, manifest, tokens::write);
    return tokens.toByteArray();
  }

  @Test
  void theOrderOfRecordsDoesNotDependOnTheInputsPartitions() throws IOException {
    List<Row> table = table(5000);
    byte[] first = null;
    for (int partitions : new int[] {1, 2, 7}) {
      Path folder = folder("p" + partitions);
      ExamplesManifest manifest = EncodeStage.run(encoding(table, partitions, 1, "f"), folder);
      assertEquals(5000, manifest.records());
      assertEquals(2, manifest.positions());
      byte[] tokens = read(manifest, folder);
      assertEquals(5000 * 4, tokens.length);
      if (first == null) {
        first = tokens;
      } else {
        assertArrayEquals(first, tokens, "at " + partitions + " partitions");
      }
    }
  }

  @Test
  void theFirstRecordsAreReadAlone() throws IOException {
    Path folder = folder("first");
    ExamplesManifest manifest = EncodeStage.run(encoding(table(5000), 3, 1, "f"), folder);
    byte[] all = read(manifest, folder);
    long inFirstFile = manifest.files().get(0).records();
    for (long most : new long[] {0, 1, 777, inFirstFile, inFirstFile + 1, 4999, 5000, 9000}) {
      ByteArrayOutputStream some = new ByteArrayOutputStream();
      ExamplesReader.read(new Configuration(), folder, manifest, most, some::write);
      int bytes = (int) Math.min(5000, most) * 4;
      assertArrayEquals(Arrays.copyOf(all, bytes), some.toByteArray(), most + " records");
    }
  }

  @Test
  void everyRecordIsThereAndEqualRecordsAreSpread() throws IOException {
    ExamplesManifest manifest = EncodeStage.run(encoding(table(3000), 2, 5, "f"), folder("x"));
    ByteBuffer tokens = ByteBuffer.wrap(read(manifest, folder("x"))).order(ByteOrder.LITTLE_ENDIAN);
    int often = 0;
    int oftenInFirstHalf = 0;
    for (int record = 0; record < 3000; record++) {
      int number = Short.toUnsignedInt(tokens.getShort());
      tokens.getShort();
      if (number == 40_000) {
        often++;
        oftenInFirstHalf += record < 1500 ? 1 : 0;
      }
    }
    assertEquals(1000, often);
    assertTrue(Math.abs(oftenInFirstHalf - 500) < 100, "in first half: " + oftenInFirstHalf);
  }

  @Test
  void anotherSeedGivesAnotherOrder() throws IOException {
    byte[] one = read(EncodeStage.run(encoding(table(500), 1, 1, "f"), folder("a")), folder("a"));
    byte[] two = read(EncodeStage.run(encoding(table(500), 1, 2, "f"), folder("b")), folder("b"));
    assertNotEquals(ByteBuffer.wrap(one), ByteBuffer.wrap(two));
  }

  @Test
  void aKilledStageIsDoneAgainAndAFinishedOneIsReused() throws IOException {
    Path folder = folder("x");
    EncodeStage.run(encoding(table(100), 2, 1, "f"), folder);
    java.nio.file.Path local = temp.resolve("x");
    Set<String> before = files(local);

    EncodeStage.run(encoding(table(100), 2, 1, "f"), folder);
    assertEquals(before, files(local), "reused");

    Files.writeString(local.resolve(ExamplesManifest.NAME), "{\"fingerprint\": \"f\", \"rec");
    EncodeStage.run(encoding(table(100), 2, 1, "f"), folder);
    assertNotEquals(before, files(local), "a cut-off manifest is no manifest");

    before = files(local);
    EncodeStage.run(encoding(table(100), 2, 1, "other"), folder);
    assertNotEquals(before, files(local), "other settings, other examples");
  }

  private static Set<String> files(java.nio.file.Path folder) throws IOException {
    Set<String> names = new HashSet<>();
    try (var files = Files.list(folder)) {
      files.forEach(file -> names.add(file.getFileName().toString()));
    }
    return names;
  }

  @Test
  void manyFilesStandInTheOrderOfIdentities() throws IOException {
    List<Row> table = table(2000);
    EncodeStage.Encoding one = encoding(table, 2, 1, "f");
    byte[] whole = read(EncodeStage.run(one, folder("one")), folder("one"));

    ExamplesManifest manifest = EncodeStage.run(one, folder("five"), 5);
    assertEquals(5, manifest.files().size());
    assertArrayEquals(whole, read(manifest, folder("five")));
  }

  @Test
  void aTableThatChangesDuringTheRunIsAFailure() {
    EncodeStage.Encoding good = encoding(table(100), 2, 1, "f");
    EncodeStage.Encoding moved =
        new EncodeStage.Encoding(good.rows(), good.cells(), good.codec(), good.identity(), 99, "f");
    RunFailedException e =
        assertThrows(RunFailedException.class, () -> EncodeStage.run(moved, folder("x")));
    assertTrue(e.getMessage().contains("99") && e.getMessage().contains("100"), e.getMessage());
    assertFalse(Files.exists(temp.resolve("x").resolve(ExamplesManifest.NAME)));
  }

  @Test
  void aFullDiskIsSaidInOneSentence() {
    FullDisk.register(LocalSpark.session().sparkContext().hadoopConfiguration());
    Path folder = new Path("full://" + temp + "/x");
    Exception e =
        assertThrows(
            Exception.class, () -> EncodeStage.run(encoding(table(100), 2, 1, "f"), folder));
    assertTrue(Faults.sentence(e).startsWith("a disk is full: free space"), Faults.sentence(e));
  }

  @Test
  void aTruncatedFileIsReportedAndNotReadAsShort() throws IOException {
    ExamplesManifest manifest = EncodeStage.run(encoding(table(100), 2, 1, "f"), folder("x"));
    java.nio.file.Path part = temp.resolve("x").resolve(manifest.files().get(0).name());
    Files.delete(part.resolveSibling("." + part.getFileName() + ".crc"));
    Files.write(part, java.util.Arrays.copyOf(Files.readAllBytes(part), 200));
    assertThrows(IOException.class, () -> read(manifest, folder("x")));
  }
}
