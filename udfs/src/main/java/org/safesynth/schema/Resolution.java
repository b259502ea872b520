package org.safesynth.schema;

/** The lengths that a timestamp's tick may have, the longest first. */
enum Resolution {
  DAY("1 day", 86_400_000_000L),
  HOUR("1 h", 3_600_000_000L),
  MINUTE("1 min", 60_000_000L),
  SECOND("1 s", 1_000_000L),
  MILLISECOND("1 ms", 1_000L),
  MICROSECOND("1 us", 1L);

  private static final Resolution[] ALL = values();

  private final String label;
  private final long micros;

  Resolution(String label, long micros) {
    this.label = label;
    this.micros = micros;
  }

  String label() {
    return label;
  }

  long micros() {
    return micros;
  }

  /** This one, or the longest shorter one that divides the time. */
  Resolution dividing(long time) {
    int at = ordinal();
    while (time % ALL[at].micros != 0) {
      at++;
    }
    return ALL[at];
  }

  Resolution shorter(Resolution other) {
    return compareTo(other) >= 0 ? this : other;
  }
}
