package org.safesynth.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.Rejection;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TimeOfDay;

/** What is held of a series' times, and how it is gone on with. */
@Tag("unit")
class SeriesReaderTest {
  private static final List<String> NAMES = List.of("who", "t", "n");
  private static final JsonlCodec CODEC =
      new JsonlCodec(
          new FrozenSchema(
              List.of(
                  column("who", "string", ColumnKind.IDENTIFIER),
                  column("t", "int", ColumnKind.INTEGER),
                  column("n", "int", ColumnKind.INTEGER))),
          Map.of(),
          List.of());
  private static final SeriesSpan REGULAR = new SeriesSpan(10, 0L, 40L, 0);
  private static final SeriesSpan IRREGULAR = new SeriesSpan(0, null, 40L, 0);
  private static final SeriesSpan OPEN = new SeriesSpan(0, null, null, 0);

  private static ColumnSchema column(String name, String type, ColumnKind kind) {
    return new ColumnSchema(name, type, kind, false, 0, 0, null, null, null, null, 0);
  }

  private static SeriesReader reader(SeriesSpan span, boolean isEnforced) {
    return reader(0, span, isEnforced);
  }

  private static SeriesReader reader(int groupColumn, SeriesSpan span, boolean isEnforced) {
    SeriesRules series = new SeriesRules(span, isEnforced, 2, Integer.MAX_VALUE, null);
    return new SeriesReader(
        new GroupRules(groupColumn, 1, new boolean[3], 100, series, false, false, false, false),
        series,
        NAMES);
  }

  private static void write(SeriesReader reader, long... times) {
    for (long time : times) {
      CODEC.parse(CODEC.encode(new Object[] {"a", time, time})).forEach(reader::take);
    }
  }

  private static List<Object> times(RecordReader.Reading reading) {
    return reading.units().stream().flatMap(List::stream).map(row -> row[1]).toList();
  }

  @Test
  void aRegularSeriesIsWholeWhenItsSpanIs() {
    SeriesReader reader = reader(REGULAR, true);
    write(reader, 0, 10, 20, 30);
    assertFalse(reader.isComplete());
    assertFalse(reader.mayEnd());
    write(reader, 40);
    assertTrue(reader.isComplete());
    assertNull(reader.goOn(false));
    assertEquals(List.of(0L, 10L, 20L, 30L, 40L), times(reader.close(false)));
  }

  @Test
  void aBadTimeIsWrittenAgainAndCountedUntilPatienceEnds() {
    SeriesReader reader = reader(REGULAR, true);
    write(reader, 0, 10, 25);
    assertTrue(reader.isLost());
    assertEquals(2, reader.goOn(false).size());
    assertFalse(reader.isLost());
    write(reader, 20, 30, 30);
    assertEquals(4, reader.goOn(false).size());
    write(reader, 40);
    assertNull(reader.goOn(false));
    RecordReader.Reading reading = reader.close(false);
    assertEquals(List.of(0L, 10L, 20L, 30L, 40L), times(reading));
    assertEquals(2, reading.rejected().size());
    assertEquals(
        new Rejection(Rejection.Reason.TIME_SERIES, "t"),
        reading.rejected().get(0).decoded().rejection());

    SeriesReader given = reader(REGULAR, true);
    write(given, 5);
    assertEquals(0, given.goOn(false).size());
    write(given, 0, 11);
    assertEquals(1, given.goOn(false).size());
    write(given, 12);
    assertNull(given.goOn(false), "twice in a row at one place");
    reading = given.close(false);
    assertEquals(1, reading.rejectedGroups());
    assertEquals(4, reading.rejected().size(), "three times, and the record that was good");
  }

  @Test
  void anEndThatComesTooEarlyIsNoEnd() {
    SeriesReader reader = reader(REGULAR, true);
    write(reader, 0, 10);
    assertEquals(2, reader.goOn(true).size());
    write(reader, 20, 30, 40);
    assertEquals(5, reader.close(false).units().get(0).size());
    SeriesReader free = reader(REGULAR, false);
    write(free, 0, 10);
    assertNull(free.goOn(true));
    assertEquals(2, free.close(true).units().get(0).size());
  }

  @Test
  void anIrregularSeriesEndsWithTheLastTimeThatFits() {
    SeriesReader reader = reader(IRREGULAR, true);
    write(reader, 3, 20, 39);
    assertFalse(reader.isComplete());
    write(reader, 41);
    assertTrue(reader.isComplete());
    assertEquals(List.of(3L, 20L, 39L), times(reader.close(false)));
  }

  @Test
  void aLongWindowIsGoneOnWithFromAQuarterOfItsRecords() {
    SeriesReader reader = reader(OPEN, true);
    write(reader, LongStream.range(0, 40).toArray());
    assertEquals(10, reader.goOn(false).size());
    write(reader, LongStream.range(40, 46).toArray());
    assertEquals(
        List.of(42L, 43L, 44L, 45L), reader.goOn(false).stream().map(cells -> cells[1]).toList());
    assertEquals(16, SeriesRules.priming(SeriesRules.SINGLE_WINDOW));
    assertEquals(2, SeriesRules.priming(2));
  }

  /** Of a single series no column is the key: the first one is like any other. */
  @Test
  void aSingleSeriesKeepsItsFirstColumn() {
    SeriesReader reader = reader(-1, REGULAR, true);
    CODEC.parse("{\"who\":\"a\",\"t\":0,\"n\":1}").forEach(reader::take);
    CODEC.parse("{\"who\":\"b\",\"t\":10,\"n\":1}").forEach(reader::take);
    assertFalse(reader.isLost());
    write(reader, 20, 30, 40);
    List<Object[]> rows = reader.close(false).units().get(0);
    assertEquals("b", rows.get(1)[0]);
  }

  @Test
  void aSeriesGoesOnBehindItsLastRecordsWhereTheContextIsFull() {
    SeriesReader reader = reader(OPEN, true);
    write(reader, 1, 2, 3, 4, 5);
    assertEquals(List.of(3L, 4L, 5L), reader.goOn(false).stream().map(cells -> cells[1]).toList());
    write(reader, 6, 5);
    assertTrue(reader.isLost(), "order is always held");
    assertEquals(
        List.of(3L, 4L, 5L, 6L), reader.goOn(false).stream().map(cells -> cells[1]).toList());
    assertNull(reader.goOn(true));
    assertEquals(6, reader.close(true).units().get(0).size());
    SeriesReader endless = reader(OPEN, true);
    assertEquals(0, endless.goOn(false).size(), "nothing came of it: once more");
    assertNull(endless.goOn(false));
    assertEquals(1, endless.close(false).rejectedGroups());
  }

  @Test
  void timesOfDayGoOnOverMidnightByStepsNoLongerThanLearned() {
    ColumnSchema time =
        new ColumnSchema(
            "t", "string", ColumnKind.INTEGER, false, 0, 0, "HH:mm", null, null, null, 0);
    JsonlCodec codec =
        new JsonlCodec(
            new FrozenSchema(List.of(column("who", "string", ColumnKind.IDENTIFIER), time)),
            Map.of(),
            List.of());
    SeriesSpan span = new SeriesSpan(0, null, 1_445L, 1_440, true);
    SeriesRules series =
        new SeriesRules(
            span,
            true,
            2,
            Integer.MAX_VALUE,
            new SeriesRules.Clock(TimeOfDay.MINUTES, 1_400, 1_439, 30));
    SeriesReader reader =
        new SeriesReader(
            new GroupRules(0, 1, new boolean[2], 100, series, false, false, false, true),
            series,
            codec.names());
    for (String shown : List.of("23:40", "23:55", "00:04")) {
      codec.parse("{\"who\":\"a\",\"t\":\"%s\"}".formatted(shown)).forEach(reader::take);
    }
    assertFalse(reader.isLost());
    codec.parse("{\"who\":\"a\",\"t\":\"23:59\"}").forEach(reader::take);
    assertTrue(reader.isLost(), "nearly a day is a way back");
    assertEquals(3, reader.goOn(false).size());
    codec.parse("{\"who\":\"a\",\"t\":\"00:06\"}").forEach(reader::take);
    assertTrue(reader.isComplete());
    RecordReader.Reading reading = reader.close(false);
    assertEquals(List.of(1_420L, 1_435L, 1_444L), times(reading));
    assertEquals(
        new Rejection(Rejection.Reason.GROUP_ORDER, "t"),
        reading.rejected().get(0).decoded().rejection());
  }
}
