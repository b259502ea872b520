package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/** What lies outside a domain leaves no trace in the text that a model reads. */
@Tag("unit")
final class DomainCellsTest {
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              column("age", "bigint", ColumnKind.INTEGER, 0, 0L, 120L, null, 0),
              column("pay", "decimal(9,2)", ColumnKind.DECIMAL, 2, 0L, 10_000L, null, 0),
              column("day", "date", ColumnKind.DATE, 0, 0L, 100L, null, 0),
              column(
                  "town",
                  "string",
                  ColumnKind.CATEGORICAL,
                  0,
                  null,
                  null,
                  List.of("north", "other", "old town"),
                  0),
              column("open", "boolean", ColumnKind.BOOLEAN, 0, null, null, null, 0),
              column("note", "string", ColumnKind.TEXT, 0, null, null, null, 4),
              column("id", "bigint", ColumnKind.IDENTIFIER, 0, null, 999L, null, 0),
              column("code", "string", ColumnKind.IDENTIFIER, 0, null, null, null, 6)));

  private static ColumnSchema column(
      String name,
      String type,
      ColumnKind kind,
      int scale,
      Long min,
      Long max,
      List<String> values,
      int length) {
    return new ColumnSchema(name, type, kind, true, scale, 0, null, min, max, values, length);
  }

  private final DomainCells domain = new DomainCells(SCHEMA);

  @Test
  void valuesOutsideAreClampedCutOrBecomeAWordThatIsNoValue() {
    Object[] cells = {130L, -5L, 7L, "west", "true", "secrets", 123_456L, "K-0001"};
    assertArrayEquals(
        new Object[] {120L, 0L, 7L, "other~", "true", "secr", 999L, "0"}, domain.within(cells));
  }

  @Test
  void valuesWithinStayAndIdentifiersAreAllAlike() {
    Object[] cells = {13L, 250L, 7L, "other", "false", "cat", 7L, "K-0002"};
    assertArrayEquals(
        new Object[] {13L, 250L, 7L, "other", "false", "cat", 999L, "0"}, domain.within(cells));
    assertArrayEquals(new Object[8], domain.within(new Object[8]));
  }

  @Test
  void aTextIsCutBetweenCharacters() {
    Object[] cells = new Object[8];
    cells[5] = "a\uD83D\uDE00b\uD83D\uDE00c";
    assertEquals("a\uD83D\uDE00b\uD83D\uDE00", domain.within(cells)[5]);
  }

  /** The grammar of the schema writes the listed values alone. */
  @Test
  void theWordForOthersIsNotWritten() {
    JsonlCodec codec = new JsonlCodec(SCHEMA, Map.of(), List.of());
    Object[] cells = domain.within(new Object[] {1L, 1L, 1L, "west", "true", "", 1L, "K"});
    JsonlCodec.Decoded read = codec.decode(codec.encode(cells));
    assertFalse(read.isValid());
    assertEquals("town", read.rejection().column());
  }

  /** Rows drawn from noisy counts: the token for others becomes the word, the rest is a value. */
  @Test
  void tokensBecomeRecordsOfTheDomain() {
    FieldCodec codec = DomainCodec.binned(SCHEMA, null, 8);
    SplittableRandom random = new SplittableRandom(3);
    int others = 0;
    for (int i = 0; i < 300; i++) {
      int[] tokens = new int[codec.positions()];
      for (int t = 0; t < tokens.length; t++) {
        tokens[t] = random.nextInt(codec.vocabularySize(t));
      }
      Object[] cells = domain.ofTokens(codec, tokens, random);
      others += "other~".equals(cells[3]) ? 1 : 0;
      assertTrue(
          cells[3] == null || List.of("north", "other", "old town", "other~").contains(cells[3]));
      assertTrue(cells[0] == null || ((Long) cells[0] >= 0 && (Long) cells[0] <= 120));
      assertTrue(cells[7] == null || cells[7].equals("0"));
      assertArrayEquals(cells, domain.within(cells), "already within");
    }
    assertTrue(others > 30, "one token in five stands for others: " + others);
  }

  @Test
  void noRecordButForItsTextIsLongerThanTheLongest() {
    JsonlCodec codec = new JsonlCodec(SCHEMA, Map.of(), List.of());
    int longest = codec.encode(domain.longest(codec)).length();
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 500; i++) {
      Object[] cells = {
        random.nextLong(0, 121),
        random.nextLong(0, 10_001),
        random.nextLong(0, 101),
        List.of("north", "other", "old town").get(random.nextInt(3)),
        random.nextBoolean() ? "true" : "false",
        "",
        random.nextLong(0, 10_000),
        "K-" + i
      };
      int length = codec.encode(domain.within(cells)).length();
      assertTrue(length <= longest, length + " > " + longest);
    }
  }
}
