package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.safesynth.config.ConfigReaderTest.read;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.fault.BadInputException;

@Tag("unit")
final class ParentTableTest {
  @Test
  void theForeignKeyIsTheGroupsColumnOrTheKeysName() {
    assertEquals("id", read("data: {parent: {path: p.csv, key: id}}").data().groupColumn());
    assertEquals(
        "buyer",
        read("data: {parent: {path: p.csv, key: id, foreign_key: buyer}}").data().groupColumn());
    assertEquals(
        "buyer",
        read("data: {parent: {path: p.csv, key: id}, group_training_examples_by: buyer}")
            .data()
            .groupColumn());
    assertEquals(null, read("").data().groupColumn());
  }

  @Test
  void whatIsSaidOfTheSourceIsRead() {
    ParentTable parent =
        read("data: {parent: {path: p, key: 1, format: csv, options: {sep: ;}, schema_file: s}}")
            .data()
            .parentTable();
    assertEquals(new ParentTable("p", "1", "1", "csv", Map.of("sep", ";"), "s"), parent);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {path: a}                     | data.parent has no key
          {key: a}                      | data.parent has no path
          {path: a, kee: b}             | unknown parameter data.parent.kee; did you mean key?
          {path: a, key: [b]}           | data.parent.key is [b], but must be a text
          {path: a, key: b, options: c} | data.parent.options is c, but must be a map
          """)
  void whatIsNoParentIsRefused(String parent, String expected) {
    BadInputException e =
        assertThrows(BadInputException.class, () -> read("data: {parent: " + parent + "}"));
    assertTrue(e.getMessage().startsWith(expected), e.getMessage());
  }

  @Test
  void twoNamesOfTheForeignKeyAreRefused() {
    BadInputException e =
        assertThrows(
            BadInputException.class,
            () ->
                read(
                    "data: {parent: {path: p, key: k, foreign_key: a}, group_training_examples_by: b}"));
    assertTrue(e.getMessage().contains("is 'a' and data.group_training_examples_by 'b'"));
  }
}
