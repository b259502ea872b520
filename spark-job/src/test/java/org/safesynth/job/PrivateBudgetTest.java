package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongToDoubleFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is told of a budget while it is spent. */
@Tag("unit")
final class PrivateBudgetTest {
  @Test
  void whatTakesLongToAccountIsToldFromAboveByTenths() {
    for (long steps : new long[] {1, 7, 10, 99, 1_000}) {
      AtomicInteger calls = new AtomicInteger();
      LongToDoubleFunction told =
          PrivateBudget.byTenths(
              step -> {
                calls.incrementAndGet();
                return step;
              },
              steps);
      for (long step = 0; step <= steps; step++) {
        double most = step + Math.ceil(steps / 10.0) + 1;
        double now = told.applyAsDouble(step);
        assertTrue(now >= step && now < most, step + " of " + steps + " is told as " + now);
      }
      assertEquals(steps, told.applyAsDouble(steps), "the end is exact");
      assertTrue(calls.get() <= 11, calls + " calls");
    }
  }
}
