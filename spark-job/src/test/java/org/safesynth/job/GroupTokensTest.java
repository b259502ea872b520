package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.example.PromptTemplate;
import org.safesynth.model.TinyLlama;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/** How groups and series that are longer than the context are cut. */
@Tag("unit")
class GroupTokensTest {
  private static final int[] LENGTHS = {1, 40, 3, 17};

  @TempDir private Path folder;

  private LanguageEncoder encoder(int context) throws IOException {
    TinyLlama.write(folder);
    Path config = folder.resolve("config.json");
    Files.writeString(
        config,
        Files.readString(config)
            .replace(
                "\"max_position_embeddings\": 2048", "\"max_position_embeddings\": " + context));
    ColumnSchema column =
        new ColumnSchema("n", "bigint", ColumnKind.INTEGER, false, 0, 0, null, null, null, null, 0);
    LanguageBase base =
        new LanguageBase(
            folder.toString(), PromptTemplate.choose("tinyllama", "", ""), Map.of(), 10, 0);
    return new LanguageEncoder(
        new SerializableConfiguration(new Configuration()),
        base,
        new FrozenSchema(List.of(column)),
        1);
  }

  /** Groups whose rows are numbers, of more and more digits. */
  private static List<GroupedRows.Member> members() {
    List<GroupedRows.Member> members = new ArrayList<>();
    for (int g = 0; g < LENGTHS.length; g++) {
      for (int i = 0; i < LENGTHS[g]; i++) {
        boolean isLast = i == LENGTHS[g] - 1;
        Object[] cells = {(long) Math.pow(10, i % 7) + i};
        members.add(new GroupedRows.Member(g, g, i, null, null, isLast, false, cells));
      }
    }
    return members;
  }

  private static List<Integer> ids(Row row) {
    int[] ids = new int[row.<byte[]>getAs(4).length / Integer.BYTES];
    ByteBuffer.wrap(row.getAs(4)).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(ids);
    return Arrays.stream(ids).boxed().toList();
  }

  private static List<Integer> whole(LanguageEncoder encoder, int group) {
    List<Integer> all = new ArrayList<>();
    for (GroupedRows.Member member : members()) {
      if (member.high() == group) {
        Arrays.stream(encoder.record(member.cells())).forEach(all::add);
      }
    }
    return all;
  }

  @Test
  void aGroupIsCutBehindTheLastRecordThatFits() throws IOException {
    LanguageEncoder encoder = encoder(220);
    GroupTokens groups =
        new GroupTokens(members().iterator(), encoder, GroupTokens.Kind.GROUPS, new int[] {0});
    for (int g = 0; g < LENGTHS.length; g++) {
      Row row = groups.next();
      List<Integer> all = whole(encoder, g);
      List<Integer> ids = ids(row);
      assertEquals(all.subList(0, ids.size()), ids);
      boolean isCut = row.getAs(6);
      assertEquals(ids.size() < all.size(), isCut);
      assertTrue(ids.size() <= encoder.room());
      int rows = row.getAs(5);
      assertEquals(isCut, rows < LENGTHS[g]);
      assertTrue(!isCut || ids.size() + 40 > encoder.room(), "no more than need be is cut");
    }
    assertTrue(!groups.hasNext());
  }

  @Test
  void aSeriesIsCutIntoWindowsBehindTheLastRecordsOfTheOneBefore() throws IOException {
    LanguageEncoder encoder = encoder(220);
    GroupTokens windows =
        new GroupTokens(members().iterator(), encoder, GroupTokens.Kind.SERIES, new int[] {0});
    for (int g = 0; g < LENGTHS.length; g++) {
      List<Integer> all = whole(encoder, g);
      List<Integer> joined = new ArrayList<>();
      int number = 0;
      boolean isLast = false;
      while (!isLast) {
        Row row = windows.next();
        assertEquals(number++, row.getInt(3));
        List<Integer> ids = ids(row);
        int primed = ids.get(0);
        isLast = ids.get(1) == 1;
        List<Integer> records = ids.subList(GroupTokens.HEADER, ids.size());
        assertTrue(records.size() <= encoder.room());
        assertEquals(number > 1, primed > 0);
        assertEquals(
            joined.subList(joined.size() - primed, joined.size()), records.subList(0, primed));
        joined.addAll(records.subList(primed, records.size()));
      }
      assertEquals(all, joined);
      assertEquals(all.size() > encoder.room(), number > 1);
    }
    assertTrue(!windows.hasNext());
  }

  @Test
  void partsOfASingleSeriesAreCutIntoShortWindowsThatEndNowhere() throws IOException {
    LanguageEncoder encoder = encoder(2_048);
    List<GroupedRows.Member> members = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      Object[] cells = {(long) i, 7L}; // the segment stands behind what is written
      members.add(new GroupedRows.Member(1, 1, i, null, null, i == 149, false, cells));
    }
    GroupTokens windows =
        new GroupTokens(
            members.iterator(), encoder, GroupTokens.Kind.PARTS_OF_A_SERIES, new int[] {0});
    int[] rows = {64, 48, 38};
    int first = 0;
    for (int own : rows) {
      Row row = windows.next();
      assertEquals(own, row.getInt(5));
      List<Integer> ids = ids(row);
      assertEquals(0, ids.get(1), "no window ends the series");
      List<Integer> expected = new ArrayList<>();
      for (int i = Math.max(0, first - 16); i < first + own; i++) {
        Arrays.stream(encoder.record(new Object[] {(long) i})).forEach(expected::add);
      }
      assertEquals(expected, ids.subList(GroupTokens.HEADER, ids.size()));
      first += own;
    }
    assertTrue(!windows.hasNext());
  }
}
