package org.safesynth.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The rules are checked with counts as noise leaves them: none exact, some below zero. */
@Tag("unit")
final class BoughtDomainTest {
  private static final double SLACK = 40;
  private static final ColumnSchema OPEN =
      new ColumnSchema(
          "c", "string", ColumnKind.CATEGORICAL, true, 0, 0, null, null, null, null, 0);

  private static double[] forms() {
    double[] counts = new double[ValueForm.COUNT];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = i % 2 == 0 ? 13.25 : -17.5;
    }
    return counts;
  }

  private static BoughtDomain.Known kind(double[] counts) {
    return BoughtDomain.kind(OPEN, false, counts, 10_000, SLACK);
  }

  @Test
  void nearlyAllCellsDecideTheKind() {
    double[] whole = forms();
    whole[ValueForm.WHOLE] = 9_990;
    assertEquals(ColumnKind.INTEGER, kind(whole).column().kind());
    assertFalse(kind(whole).column().missing(), "noise is no missing value");

    double[] decimal = forms();
    decimal[ValueForm.WHOLE] = 4_000;
    decimal[ValueForm.DECIMALS + 1] = 3_000;
    decimal[ValueForm.MISSING] = 3_010;
    ColumnSchema number = kind(decimal).column();
    assertEquals(ColumnKind.DECIMAL, number.kind());
    assertEquals(2, number.scale());
    assertEquals("decimal(18,2)", number.type());
    assertTrue(number.missing());

    double[] mixed = forms();
    mixed[ValueForm.WHOLE] = 9_000;
    mixed[ValueForm.TEXT + 2] = 1_000;
    assertEquals(ColumnKind.CATEGORICAL, kind(mixed).column().kind());

    double[] days = forms();
    days[ValueForm.DAY] = 9_980;
    assertEquals("date", kind(days).column().type());
  }

  /** The counts of all forms of numbers are added up, and so is their noise. */
  @Test
  void noiseDoesNotHideThatAColumnIsANumber() {
    SplittableRandom random = new SplittableRandom(7);
    double sigma = SLACK / 4.5; // what the noise of none of some 250 counts exceeds
    int others = 0;
    for (int i = 0; i < 4_000; i++) {
      double[] counts = new double[ValueForm.COUNT];
      counts[ValueForm.WHOLE] = 1_470;
      counts[ValueForm.MISSING] = 30;
      for (int c = 0; c < counts.length; c++) {
        counts[c] += sigma * random.nextGaussian();
      }
      ColumnKind kind = BoughtDomain.kind(OPEN, false, counts, 1_500, SLACK).column().kind();
      others += kind.isNumeric() ? 0 : 1;
    }
    assertTrue(others < 4, others + " of 4,000 columns of numbers became something else");
  }

  @Test
  void rangesEndWhereNoiseBegins() {
    double[] counts = new double[MagnitudeGrid.CELLS];
    java.util.Arrays.fill(counts, 39);
    counts[MagnitudeGrid.cell(40)] = 700;
    counts[MagnitudeGrid.cell(100)] = 41;
    counts[MagnitudeGrid.cell(100_000)] = -39; // a lone rich person does not show
    ColumnSchema column = BoughtDomain.range(OPEN.withKind(ColumnKind.INTEGER), counts, SLACK);
    assertEquals(MagnitudeGrid.low(MagnitudeGrid.cell(40)), column.min());
    assertEquals(MagnitudeGrid.high(MagnitudeGrid.cell(100)), column.max());

    counts[MagnitudeGrid.cell(100_000)] = 500;
    ColumnSchema wide = BoughtDomain.range(OPEN.withKind(ColumnKind.INTEGER), counts, SLACK);
    assertEquals(0, wide.min(), "a range of many octaves begins with zero");
    assertEquals(MagnitudeGrid.high(MagnitudeGrid.cell(100_000)), wide.max());

    ColumnSchema nothing =
        BoughtDomain.range(
            OPEN.withKind(ColumnKind.INTEGER), new double[MagnitudeGrid.CELLS], SLACK);
    assertEquals(0, nothing.min());
    assertEquals(0, nothing.max());
  }

  @Test
  void aColumnWhoseValuesFewShareIsText() {
    double[] counts = forms();
    counts[ValueForm.TEXT + 6] = 9_900;
    counts[ValueForm.TEXT + 30] = 60;
    BoughtDomain.Known known = kind(counts);
    ColumnSchema names = BoughtDomain.values(known, List.of("Smith"), new double[] {120});
    assertEquals(ColumnKind.TEXT, names.kind());
    assertTrue(names.maxLength() >= 7 && names.maxLength() <= ValueForm.LONGEST);
    ColumnSchema towns =
        BoughtDomain.values(known, List.of("east", "west"), new double[] {4_000, 3_000});
    assertEquals(List.of("east", "west"), towns.values());
  }
}
