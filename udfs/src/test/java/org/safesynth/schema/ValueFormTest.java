package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class ValueFormTest {
  private final ValueForm text = new ValueForm(true, Set.of("", "NA"));
  private final ValueForm typed = new ValueForm(false, Set.of());

  private static int decimals(int number) {
    return ValueForm.DECIMALS + number - 1;
  }

  private static int length(int characters) {
    return ValueForm.TEXT + characters - 1;
  }

  @Test
  void textsAreReadAsWhatTheyLookLike() {
    assertEquals(ValueForm.MISSING, text.of(null));
    assertEquals(ValueForm.MISSING, text.of("NA"));
    assertEquals(ValueForm.WHOLE, text.of("-17"));
    assertEquals(decimals(2), text.of("12.50"));
    assertEquals(decimals(9), text.of("0.1234567890123"));
    assertEquals(ValueForm.TRUTH, text.of("False"));
    assertEquals(ValueForm.DAY, text.of("2024-02-29"));
    assertEquals(ValueForm.INSTANT, text.of("2024-02-29 10:11:12"));
    assertEquals(length(9), text.of("2024-2-30"));
    assertEquals(length(5), text.of("00501"), "a code keeps its zeros");
    assertEquals(length(2), text.of("+1"));
    assertEquals(length(2), text.of("\uD83D\uDE00é"), "characters, not char units");
    assertEquals(length(64), text.of("x".repeat(1000)));
    assertEquals(ValueForm.COUNT - 1, text.of("x".repeat(64)));
  }

  @Test
  void typedCellsKeepTheirType() {
    assertEquals(length(3), typed.of("123"));
    assertEquals(length(1), typed.of(""));
    assertEquals(ValueForm.WHOLE, typed.of(5));
    assertEquals(ValueForm.WHOLE, typed.of(3.0));
    assertEquals(decimals(2), typed.of(0.25));
    assertEquals(decimals(1), typed.of(new BigDecimal("1.50")));
    assertEquals(ValueForm.MISSING, typed.of(Double.NaN));
    assertEquals(ValueForm.TRUTH, typed.of(true));
    assertEquals(ValueForm.DAY, typed.of(LocalDate.of(2024, 1, 1)));
    assertEquals(ValueForm.INSTANT, typed.of(new Timestamp(0)));
  }
}
