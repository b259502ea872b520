package org.safesynth.schema;

import java.io.Serializable;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Date;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Set;

/**
 * What the first pass learns of one column: what all its values could be, how long they are, and
 * the distinct texts. Merging is commutative, so the result does not depend on how rows are cut.
 */
final class TypeSketch implements Serializable {
  private static final int NUMBER = 1;
  private static final int DAY = 2;
  private static final int TIME = 3;

  private final boolean readsText; // numbers and dates are looked for in texts
  private final Set<String> missingTexts;

  long rows;
  long missing;
  boolean allNumbers = true;
  boolean allWhole = true;
  boolean scientific;
  int mostDecimals;
  int mostIntegerDigits;
  double greatestMagnitude;
  int dateFormats = DateFormat.ALL;
  boolean allTimes = true;
  long zoned;
  Resolution resolution = Resolution.DAY;
  int maxLength;
  long spaces;
  HeavyHitters heavy = new HeavyHitters();
  TextCounts texts;

  private transient TextBottomK open;
  private transient NumberText number;
  private transient TimeText time;
  private transient StrftimeFormat codes; // of values whose form is declared by them

  TypeSketch(boolean readsText, Set<String> missingTexts, int sample, long key) {
    this.readsText = readsText;
    this.missingTexts = missingTexts;
    this.open = new TextBottomK(sample, key);
    this.number = new NumberText();
    this.time = new TimeText();
  }

  /** Takes the resolution of values of a declared form; other formats are found. */
  TypeSketch reading(String format) {
    codes = StrftimeFormat.isNamedBy(format) ? StrftimeFormat.of(format) : null;
    return this;
  }

  void add(Object cell, CellType type) {
    rows++;
    if (cell == null
        || (cell instanceof String text && missingTexts.contains(text))
        || (cell instanceof Double d && !Double.isFinite(d))
        || (cell instanceof Float f && !Float.isFinite(f))) {
      missing++;
      return;
    }
    switch (type) {
      case TEXT -> addText((String) cell);
      case DATE -> {
        long day =
            cell instanceof LocalDate d ? d.toEpochDay() : ((Date) cell).toLocalDate().toEpochDay();
        heavy.add(day, DAY, 1);
      }
      case TIMESTAMP, TIMESTAMP_NTZ -> addMicros(micros(cell));
      case BOOLEAN -> open.add(cell.toString().getBytes(StandardCharsets.UTF_8));
      default -> {
        String text = CellReader.numberText(cell);
        number.parse(text.getBytes(StandardCharsets.UTF_8));
        addNumber();
        addCodes(text);
        // A binary fraction has no written decimals: what its shortest text shows.
        mostDecimals = Math.max(mostDecimals, cell instanceof BigDecimal d ? d.scale() : 0);
      }
    }
  }

  static long micros(Object cell) {
    Instant instant =
        cell instanceof Timestamp t
            ? t.toInstant()
            : cell instanceof LocalDateTime l ? l.toInstant(ZoneOffset.UTC) : (Instant) cell;
    return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
  }

  private void addMicros(long micros) {
    resolution = resolution.dividing(micros);
    heavy.add(micros, TIME, 1);
  }

  private void addText(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    open.add(bytes);
    maxLength = Math.max(maxLength, text.codePointCount(0, text.length()));
    for (byte b : bytes) {
      spaces += b == ' ' ? 1 : 0;
    }
    addCodes(text);
    if (!readsText) {
      return;
    }
    if (allNumbers) {
      if (number.parse(bytes) && number.canonical) {
        addNumber();
        mostDecimals = Math.max(mostDecimals, number.scientific ? 0 : number.writtenDecimals);
      } else {
        allNumbers = false;
        allWhole = false;
      }
    }
    if (dateFormats != 0) {
      addTime(bytes);
    }
  }

  private void addCodes(String text) {
    Long micros = codes == null ? null : codes.micros(text);
    if (micros != null) {
      resolution = resolution.dividing(micros);
    }
  }

  private void addNumber() {
    allWhole &= number.whole && number.fitsLong();
    scientific |= number.scientific;
    mostDecimals = Math.max(mostDecimals, number.decimals);
    mostIntegerDigits = Math.max(mostIntegerDigits, number.integerDigits);
    greatestMagnitude = Math.max(greatestMagnitude, number.magnitude());
    if (number.exact) {
      heavy.add(number.mantissa, ((long) number.decimals << 2) | NUMBER, 1);
    }
  }

  private void addTime(byte[] bytes) {
    if (!time.parse(bytes)) {
      dateFormats = 0;
      return;
    }
    int formats = 0;
    for (int bit = 0; (1 << bit) <= dateFormats; bit++) {
      if ((dateFormats & (1 << bit)) != 0 && DateFormat.at(bit).days(time) != null) {
        formats |= 1 << bit;
      }
    }
    dateFormats = formats;
    allTimes &= time.hasTime && time.isoTime;
    if (time.hasTime) {
      zoned += time.zone == TimeText.NO_ZONE ? 0 : 1;
      if (!time.isoTime) {
        dateFormats = 0;
      } else if (formats != 0) {
        resolution = resolution.dividing(time.micros(0));
      }
      timed++;
    }
  }

  /** Texts with a time of day. */
  long timed;

  long present() {
    return rows - missing;
  }

  /** The heavy ticks among what the column's values became. */
  long[] heavyTicks(ColumnSchema column) {
    long[] ticks = new long[heavy.size()];
    int size = 0;
    for (int i = 0; i < heavy.size(); i++) {
      int sort = (int) (heavy.second(i) & 3);
      long value = heavy.first(i);
      Long tick =
          switch (sort) {
            case NUMBER -> NumberText.scaled(value, column.scale() - (heavy.second(i) >> 2));
            case TIME -> Math.floorDiv(value, Math.max(1, column.resolutionMicros()));
            default -> (Long) value;
          };
      if (tick != null) {
        ticks[size++] = tick;
      }
    }
    return java.util.Arrays.stream(ticks, 0, size).distinct().sorted().toArray();
  }

  TypeSketch seal() {
    if (texts == null) {
      texts = open.seal();
      open = null;
    }
    return this;
  }

  /** Both together; both are sealed. */
  TypeSketch merge(TypeSketch other) {
    rows += other.rows;
    missing += other.missing;
    allNumbers &= other.allNumbers;
    allWhole &= other.allWhole;
    scientific |= other.scientific;
    mostDecimals = Math.max(mostDecimals, other.mostDecimals);
    mostIntegerDigits = Math.max(mostIntegerDigits, other.mostIntegerDigits);
    greatestMagnitude = Math.max(greatestMagnitude, other.greatestMagnitude);
    dateFormats &= other.dateFormats;
    allTimes &= other.allTimes;
    timed += other.timed;
    zoned += other.zoned;
    resolution = resolution.shorter(other.resolution);
    maxLength = Math.max(maxLength, other.maxLength);
    spaces += other.spaces;
    heavy.merge(other.heavy);
    texts = texts.merge(other.texts);
    return this;
  }
}
