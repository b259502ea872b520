package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.FixtureFiles;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.Rejection;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.PromptTemplate;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

/** What is rejected of a group's text, and what the switches repair, as the reference has it. */
@Tag("unit")
class GroupReaderTest {
  private static final List<String> NAMES = List.of("who", "day", "home", "n");
  private static final JsonlCodec CODEC =
      new JsonlCodec(
          new FrozenSchema(
              List.of(
                  column("who", "string", ColumnKind.IDENTIFIER),
                  column("day", "int", ColumnKind.INTEGER),
                  column("home", "string", ColumnKind.TEXT),
                  column("n", "int", ColumnKind.INTEGER))),
          Map.of(),
          List.of());

  private static final String FIRST = record("a", 1, "x", 1);
  private static final String SECOND = record("a", 2, "y", 2);
  private static final String OTHER_KEY = record("b", 3, "x", 3);
  private static final String EARLIER = record("a", 0, "x", 4);
  private static final String BAD = "{\"who\":\"a\",\"day\":\"soon\",\"home\":\"x\",\"n\":5}";

  private static ColumnSchema column(String name, String type, ColumnKind kind) {
    return new ColumnSchema(name, type, kind, false, 0, 0, null, null, null, null, 0);
  }

  private static String record(String who, int day, String home, int n) {
    return CODEC.encode(new Object[] {who, (long) day, home, (long) n});
  }

  private static GroupRules rules(String switches) {
    return new GroupRules(
        0,
        1,
        new boolean[] {false, false, true, false},
        10,
        null,
        switches.contains("marks"),
        switches.contains("invalid"),
        switches.contains("key"),
        switches.contains("order"));
  }

  private static GroupReader reader(String switches, String... records) {
    GroupReader reader = new GroupReader(rules(switches), NAMES);
    for (String record : records) {
      CODEC.parse(record).forEach(reader::take);
    }
    return reader;
  }

  private static void rejects(
      Rejection.Reason reason, int records, String switches, String... text) {
    GroupReader reader = reader(switches, text);
    assertTrue(reader.isLost());
    RecordReader.Reading reading = reader.close(true);
    assertEquals(List.of(), reading.units());
    assertEquals(1, reading.rejectedGroups());
    long of =
        reading.rejected().stream()
            .filter(found -> found.decoded().rejection().reason() == reason)
            .count();
    assertEquals(records, of);
  }

  /** The {@code n} of the records that were taken. */
  private static List<Object> taken(String switches, String... text) {
    GroupReader reader = reader(switches, text);
    assertFalse(reader.isLost());
    RecordReader.Reading reading = reader.close(true);
    assertEquals(0, reading.rejectedGroups());
    assertEquals(1, reading.units().size());
    List<Object[]> rows = reading.units().get(0);
    rows.forEach(row -> assertEquals("a", row[0]));
    rows.forEach(row -> assertEquals("x", row[2]));
    return rows.stream().map(row -> row[3]).toList();
  }

  @Test
  void aGroupIsOneKeyInOrderAndItsConstantsAreTheFirstRecords() {
    assertEquals(List.of(1L, 2L), taken("", FIRST, SECOND));
    assertEquals(List.of(1L, 1L), taken("", FIRST, FIRST));
  }

  @Test
  void aTextWithoutItsEndIsOneInvalidRecordUnlessItIsAccepted() {
    RecordReader.Reading reading = reader("", FIRST, SECOND).close(false);
    assertEquals(1, reading.rejected().size());
    assertEquals(
        Rejection.Reason.GROUP_MARKS, reading.rejected().get(0).decoded().rejection().reason());
    assertEquals(2, reader("marks", FIRST, SECOND).close(false).units().get(0).size());
    assertEquals(1, reader("marks").close(true).rejectedGroups(), "there is no record at all");
  }

  @Test
  void oneInvalidRecordRejectsAllUnlessItIsIgnored() {
    rejects(Rejection.Reason.INVALID_TYPE, 1, "", FIRST, BAD);
    rejects(Rejection.Reason.GROUP_RECORD, 1, "", FIRST, BAD);
    GroupReader reader = reader("invalid", FIRST, BAD, SECOND);
    assertFalse(reader.isLost());
    RecordReader.Reading reading = reader.close(true);
    assertEquals(2, reading.units().get(0).size());
    assertEquals(1, reading.rejected().size());
    reading = reader("invalid", BAD, BAD).close(true);
    assertEquals(2, reading.rejected().size());
    assertEquals(1, reading.rejectedGroups());
  }

  @Test
  void anotherKeyRejectsAllUnlessTheFirstCounts() {
    rejects(Rejection.Reason.GROUP_KEY, 3, "order", FIRST, SECOND, OTHER_KEY);
    assertEquals(List.of(1L, 2L, 3L), taken("key", FIRST, SECOND, OTHER_KEY));
  }

  @Test
  void disorderRejectsAllUnlessItIsSorted() {
    rejects(Rejection.Reason.GROUP_ORDER, 3, "key", FIRST, SECOND, EARLIER);
    assertEquals(List.of(4L, 1L, 2L), taken("order", FIRST, SECOND, EARLIER));
  }

  /** Token by token, as the sampler hands them over: the line ends may lie within tokens. */
  @Test
  void aSequenceReadsItsLinesAsTheyAreWritten() {
    TokenizerFolder tokenizer = TokenizerFolder.load(FixtureFiles.path("models/tinyllama-tiny"));
    ExampleFormat format =
        ExampleFormat.of(PromptTemplate.choose("tinyllama", "", ""), tokenizer, CODEC, null);
    String prose = "Here they are:\n\n";
    for (boolean isEnded : new boolean[] {true, false}) {
      RecordSequence sequence =
          new RecordSequence(
              new RecordSequence.Frame(format, null, 2048, 10, 0, 10),
              reader(""),
              new SplittableRandom(1));
      String text = prose + FIRST + "\n" + SECOND + "\n{\"who\":\"a\"" + (isEnded ? "" : ",");
      for (int token : tokenizer.tokenizer().encode(text)) {
        assertFalse(sequence.isFinished());
        sequence.accept(token);
      }
      if (isEnded) {
        sequence.accept(format.eos());
        assertTrue(sequence.isFinished());
      }
      RecordReader.Reading reading = sequence.reading();
      assertEquals(isEnded ? 1 : 0, reading.units().size());
      assertEquals(isEnded ? 0 : 1, reading.rejected().size());
    }
    RecordSequence lost =
        new RecordSequence(
            new RecordSequence.Frame(format, null, 2048, 10, 0, 10),
            reader(""),
            new SplittableRandom(1));
    int[] tokens = tokenizer.tokenizer().encode(FIRST + "\n" + OTHER_KEY + "\n" + SECOND + "\n");
    int read = 0;
    while (!lost.isFinished()) {
      lost.accept(tokens[read++]);
    }
    assertTrue(read < tokens.length, "what can no more be a group is not gone on with");
  }
}
