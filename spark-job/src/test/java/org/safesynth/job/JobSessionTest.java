package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("spark")
final class JobSessionTest {
  @Test
  void aSessionThatWasThereIsLeftAsItWas() {
    SparkSession theirs = LocalSpark.session();
    theirs.conf().set("spark.sql.caseSensitive", "false");
    try {
      try (JobSession session = JobSession.open(null, false)) {
        assertSame(theirs, session.spark());
        assertEquals("true", theirs.conf().get("spark.sql.caseSensitive"));
      }
      assertEquals("false", theirs.conf().get("spark.sql.caseSensitive"));
      assertFalse(theirs.sparkContext().isStopped());
    } finally {
      theirs.conf().set("spark.sql.caseSensitive", "true");
    }
  }
}
