package org.safesynth.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("unit")
@Timeout(60)
final class WorkerThreadsTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void sumsAreTheSameForAnyNumberOfWorkers(int workers) {
    double expected = 0;
    for (int i = 0; i < 1_000; i++) {
      expected += 1.0 / (1 + i);
    }
    try (WorkerThreads threads = new WorkerThreads("test", workers)) {
      assertEquals(expected, threads.sum(1_000, (worker, i) -> 1.0 / (1 + i)));
      assertEquals(0, threads.sum(0, (worker, i) -> 1));
    }
  }

  /** A failure is told only when the other worker has put its item down, and no more are taken. */
  @Test
  void aFailureWaitsForTheOthers() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    AtomicBoolean isDone = new AtomicBoolean();
    AtomicInteger taken = new AtomicInteger();
    try (WorkerThreads threads = new WorkerThreads("test", 2)) {
      IllegalStateException e =
          assertThrows(
              IllegalStateException.class,
              () -> threads.sum(1_000, (worker, i) -> item(i, begun, isDone, taken)));
      assertTrue(e.getMessage().contains("a training worker failed"), e.getMessage());
      assertTrue(isDone.get(), "the other worker is still at work");
      assertTrue(taken.get() < 100, taken.get() + " items were taken");
      assertThrows(IllegalStateException.class, () -> threads.sum(1, (worker, i) -> 1));
    }
  }

  private static double item(
      int item, CountDownLatch begun, AtomicBoolean isDone, AtomicInteger taken) {
    taken.incrementAndGet();
    try {
      if (item == 0) {
        begun.countDown();
        Thread.sleep(500);
        isDone.set(true);
      } else {
        begun.await();
        throw new IllegalArgumentException("planted");
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return 0;
  }

  @Test
  void anInterruptionWaitsToo() {
    AtomicBoolean isDone = new AtomicBoolean();
    try (WorkerThreads threads = new WorkerThreads("test", 1)) {
      Thread caller = Thread.currentThread();
      assertThrows(
          IllegalStateException.class,
          () ->
              threads.sum(
                  1_000,
                  (worker, i) -> {
                    caller.interrupt();
                    isDone.set(false);
                    long until = System.nanoTime() + 200_000_000L;
                    while (System.nanoTime() < until) {
                      Thread.onSpinWait();
                    }
                    isDone.set(true);
                    return 0;
                  }));
      assertTrue(Thread.interrupted(), "the interruption is still known");
      assertTrue(isDone.get());
    }
    assertFalse(Thread.currentThread().isInterrupted());
  }
}
