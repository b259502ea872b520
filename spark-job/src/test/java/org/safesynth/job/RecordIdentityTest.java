package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
final class RecordIdentityTest {
  private final RecordIdentity.Hasher hasher = new RecordIdentity(7).hasher();

  @Test
  void equalCellsHaveEqualHashes() {
    assertEquals(
        hasher.ofCells(new Object[] {"a", 1L, null}),
        new RecordIdentity(7).hasher().ofCells(new Object[] {"a", 1L, null}));
  }

  @Test
  void anotherSeedGivesOtherHashes() {
    assertNotEquals(
        hasher.ofCells(new Object[] {"a"}),
        new RecordIdentity(8).hasher().ofCells(new Object[] {"a"}));
  }

  @Test
  void cellsThatReadTheSameWhenJoinedHaveDifferentHashes() {
    assertNotEquals(
        hasher.ofCells(new Object[] {"ab", "c"}), hasher.ofCells(new Object[] {"a", "bc"}));
    assertNotEquals(hasher.ofCells(new Object[] {1L}), hasher.ofCells(new Object[] {"1"}));
    assertNotEquals(
        hasher.ofCells(new Object[] {null, ""}), hasher.ofCells(new Object[] {"", null}));
  }

  @Test
  void aRecordLongerThanTheBufferIsHashedWhole() {
    String text = "x".repeat(5000);
    assertNotEquals(
        hasher.ofCells(new Object[] {1L, text + "a"}),
        hasher.ofCells(new Object[] {1L, text + "b"}));
  }

  @Test
  void occurrencesOfOneContentHaveTheirOwnIdentities() {
    assertNotEquals(hasher.ofOccurrence(1, 2, 0), hasher.ofOccurrence(1, 2, 1));
    assertEquals(hasher.ofOccurrence(1, 2, 1), hasher.ofOccurrence(1, 2, 1));
  }

  @Test
  void rangesCutTheUnsignedLineInOrder() {
    assertEquals(0, NumberedCopies.range(0, 3));
    assertEquals(1, NumberedCopies.range(Long.MIN_VALUE, 3));
    assertEquals(2, NumberedCopies.range(-1, 3));
  }
}
