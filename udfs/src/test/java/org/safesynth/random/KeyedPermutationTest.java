package org.safesynth.random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class KeyedPermutationTest {
  @Property(tries = 200)
  void everyNumberComesOnce(@ForAll @IntRange(min = 1, max = 5_000) int size, @ForAll long key) {
    KeyedPermutation permutation = new KeyedPermutation(size, key);
    BitSet seen = new BitSet();
    for (int i = 0; i < size; i++) {
      seen.set((int) permutation.apply(i));
    }
    assertEquals(size, seen.cardinality());
    assertEquals(size, seen.length());
  }

  @Test
  void anotherKeyGivesAnotherOrder() {
    KeyedPermutation one = new KeyedPermutation(1_000, 1);
    KeyedPermutation two = new KeyedPermutation(1_000, 2);
    int equal = 0;
    for (int i = 0; i < 1_000; i++) {
      equal += one.apply(i) == two.apply(i) ? 1 : 0;
    }
    assertTrue(equal < 12, equal + " of 1,000 in the same place"); // 1 expected; P < 1e-8
  }

  @Test
  void streamsOfDifferentPurposesDiffer() {
    SeededStreams streams = new SeededStreams(5);
    long mask = streams.stream(SeededStreams.Purpose.INPUT_MASK, 1, 2).nextLong();
    assertEquals(mask, streams.stream(SeededStreams.Purpose.INPUT_MASK, 1, 2).nextLong());
    assertNotEquals(mask, streams.stream(SeededStreams.Purpose.INPUT_MASK, 2, 1).nextLong());
    assertNotEquals(mask, streams.stream(SeededStreams.Purpose.SAMPLING, 1, 2).nextLong());
  }
}
