package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;
import org.safesynth.privacy.BoundedLoss;
import org.safesynth.privacy.LedgerEntry;

@Tag("unit")
final class PurchasesTest {
  private static final LedgerEntry COUNT =
      LedgerEntry.of("count", "noisy number of records", BoundedLoss.pure(0.1));

  @TempDir private java.nio.file.Path temp;

  private Purchases purchases() {
    return new Purchases(new Configuration(false), new Path(temp.toString(), "bought"));
  }

  private static double[][] drawnTwice() {
    throw new AssertionError("noise was drawn a second time");
  }

  @Test
  void aResumedRunReadsAndNeverDrawsAgain() {
    double[][] first = purchases().once(COUNT, () -> new double[][] {{0.1, -7}, {1e-300}});
    Purchases resumed = purchases();
    double[][] again = resumed.once(COUNT, PurchasesTest::drawnTwice);
    assertArrayEquals(first[0], again[0]);
    assertArrayEquals(first[1], again[1]);
    assertEquals(1, resumed.history().size());
    assertEquals(COUNT, resumed.entries().get(0));
  }

  @Test
  void whatWasBoughtWithOtherSettingsIsRefused() {
    purchases().once(COUNT, () -> new double[][] {{1}});
    LedgerEntry other = LedgerEntry.of("count", "noisy number of records", BoundedLoss.pure(0.2));
    assertThrows(BadInputException.class, () -> purchases().once(other, PurchasesTest::drawnTwice));
  }

  @Test
  void aDamagedPurchaseIsNotDrawnAgain() throws IOException {
    purchases().once(COUNT, () -> new double[][] {{1}});
    Files.writeString(temp.resolve("bought").resolve("count.json"), "{\"entry\":");
    assertThrows(
        RunFailedException.class, () -> purchases().once(COUNT, PurchasesTest::drawnTwice));
  }
}
