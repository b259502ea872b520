package org.safesynth.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Serializable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.privacy.SecretStreams.Purpose;

@Tag("unit")
class SecretStreamsTest {
  @Test
  void aTestKeyRepeatsAndIsStampedNotPrivate() {
    SecretStreams one = SecretStreams.withTestKey(7);
    SecretStreams two = SecretStreams.withTestKey(7);
    assertEquals(one.stream(Purpose.AUDIT, 1).nextLong(), two.stream(Purpose.AUDIT, 1).nextLong());
    assertFalse(one.isPrivate());
    assertTrue(one.toString().contains(SecretStreams.NOT_PRIVATE));
  }

  @Test
  void keysOfTheSystemNeverRepeat() {
    long first = SecretStreams.secure().stream(Purpose.AUDIT).nextLong();
    assertNotEquals(first, SecretStreams.secure().stream(Purpose.AUDIT).nextLong());
    assertTrue(SecretStreams.secure().isPrivate());
  }

  @Test
  void labelsHaveStreamsOfTheirOwn() {
    SecretStreams streams = SecretStreams.withTestKey(7);
    long first = streams.stream(Purpose.AUDIT, 1).nextLong();
    assertNotEquals(first, streams.stream(Purpose.AUDIT, 2).nextLong());
    assertNotEquals(first, streams.stream(Purpose.AUDIT, 1, 0).nextLong());
    assertNotEquals(first, streams.stream(Purpose.DOMAIN_NOISE, 1).nextLong());
  }

  @Test
  void aStreamIsHandedOutOnce() {
    SecretStreams streams = SecretStreams.secure();
    streams.stream(Purpose.GRADIENT_NOISE, 3);
    assertThrows(IllegalStateException.class, () -> streams.stream(Purpose.GRADIENT_NOISE, 3));
  }

  @Test
  void keysCannotBeSerialisedOrPrinted() {
    assertFalse(Serializable.class.isAssignableFrom(SecretStreams.class));
    assertFalse(Serializable.class.isAssignableFrom(SecretStream.class));
    assertEquals("SecretStreams", SecretStreams.secure().toString());
  }

  @Test
  void branchesAreDisjointStreams() {
    SecretStream stream = SecretStreams.withTestKey(7).stream(Purpose.AUDIT);
    long own = stream.nextLong();
    assertNotEquals(own, stream.branch(1).nextLong());
    assertNotEquals(stream.branch(1).nextLong(), stream.branch(2).nextLong());
    assertEquals(stream.branch(2).nextLong(), stream.branch(2).nextLong());
  }
}
