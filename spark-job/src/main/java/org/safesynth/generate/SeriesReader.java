package org.safesynth.generate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.LineGrammar;
import org.safesynth.codec.Rejection;
import org.safesynth.codec.SeriesSpan;
import org.safesynth.codec.TokenGrammar;

/**
 * Reads one time series, over as many sequences as it takes: where the context is full it is gone
 * on with behind its own last records, and a bad record is written again from the good ones before
 * it, a few times. Under a grammar no record is bad: the time is given where the interval is known,
 * and bounded by the record before where it is not.
 */
final class SeriesReader implements RecordReader {
  private final GroupRules rules;
  private final SeriesRules series;
  private final SeriesSpan span;
  private final List<String> names;
  private final List<Object[]> rows = new ArrayList<>();
  private final List<String> texts = new ArrayList<>(); // of the rows
  private final List<JsonlCodec.Found> rejected = new ArrayList<>();
  private int windowStart; // the row that the sequence begins with
  private int before; // rows when it began
  private int failures; // in a row
  private boolean hasFailed;
  private boolean isBeyond;
  private boolean isUnordered;

  SeriesReader(GroupRules rules, SeriesRules series, List<String> names) {
    this.rules = rules;
    this.series = series;
    this.span = series.span();
    this.names = names;
  }

  private long tick(Object[] cells) {
    return (Long) cells[rules.orderColumn()];
  }

  private long last() {
    return tick(rows.get(rows.size() - 1));
  }

  @Override
  public void take(JsonlCodec.Found found) {
    if (isComplete()) {
      return;
    }
    if (found.decoded().isValid() && series.clock() != null && !rows.isEmpty()) {
      Object[] cells = found.decoded().cells();
      cells[rules.orderColumn()] = series.clock().way().notBefore(last(), tick(cells));
    }
    Rejection fault = found.decoded().isValid() ? fault(found) : found.decoded().rejection();
    if (fault != null) {
      fail(found.text(), fault);
      return;
    }
    Object[] cells = found.decoded().cells();
    if (isHeldToItsStop() && tick(cells) > span.stop()) {
      isBeyond = true;
      return;
    }
    if (!rows.isEmpty()) {
      isUnordered |= tick(cells) < last();
      Object[] first = rows.get(0);
      for (int c = 0; c < cells.length; c++) {
        cells[c] = rules.constant()[c] || c == rules.groupColumn() ? first[c] : cells[c];
      }
    }
    rows.add(cells);
    texts.add(found.text());
    failures = 0;
  }

  private void fail(String text, Rejection why) {
    rejected.add(new JsonlCodec.Found(text, new JsonlCodec.Decoded(null, why)));
    failures++;
    hasFailed = true;
  }

  private Rejection fault(JsonlCodec.Found found) {
    Object[] cells = found.decoded().cells();
    String order = names.get(rules.orderColumn());
    int key = rules.groupColumn();
    if (key >= 0
        && !rows.isEmpty()
        && !rules.fixesKey()
        && !Objects.equals(rows.get(0)[key], cells[key])) {
      return new Rejection(Rejection.Reason.GROUP_KEY, names.get(key));
    }
    Long given = givenTick();
    if (series.isEnforced() && given != null && tick(cells) != given) {
      return new Rejection(Rejection.Reason.TIME_SERIES, order);
    }
    if (rows.isEmpty()) {
      return null;
    }
    boolean isEarlier = tick(cells) < last() && !rules.fixesOrder();
    boolean isTooLate = series.clock() != null && tick(cells) - last() > series.clock().step();
    return isEarlier || isTooLate ? new Rejection(Rejection.Reason.GROUP_ORDER, order) : null;
  }

  /** The time that the next record must have; null where it is its own. */
  private Long givenTick() {
    if (rows.isEmpty()) {
      return span.start();
    }
    return span.isRegular() ? (Long) (last() + span.interval()) : null;
  }

  private boolean isHeldToItsStop() {
    return series.isEnforced() && span.stop() != null;
  }

  @Override
  public boolean isLost() {
    return hasFailed;
  }

  @Override
  public boolean isComplete() {
    return isBeyond
        || rows.size() >= rules.mostRows()
        || (!rows.isEmpty() && isHeldToItsStop() && span.isRegular() && givenTick() > span.stop());
  }

  @Override
  public boolean mayEnd() {
    return !isHeldToItsStop() || isComplete();
  }

  @Override
  public LineGrammar next(TokenGrammar grammar) {
    int order = rules.orderColumn();
    Object[] given = rows.isEmpty() ? new Object[names.size()] : rows.get(0).clone();
    boolean[] isGiven = rows.isEmpty() ? new boolean[names.size()] : rules.constant().clone();
    if (rules.groupColumn() >= 0) {
      isGiven[rules.groupColumn()] = !rows.isEmpty();
    }
    given[order] = givenTick();
    isGiven[order] = given[order] != null;
    if (isGiven[order]) {
      return grammar.withGiven(given, isGiven);
    }
    SeriesRules.Clock clock = series.clock();
    if (clock != null) {
      return rows.isEmpty()
          ? grammar.withGiven(given, isGiven, order, clock.first(), clock.last())
          : grammar.withGiven(given, isGiven, order, last(), last() + clock.step());
    }
    return rows.isEmpty()
        ? grammar.withGiven(given, isGiven)
        : grammar.withGiven(given, isGiven, order, last());
  }

  @Override
  public List<Object[]> goOn(boolean isEnded) {
    if (isComplete() || (isEnded && !hasFailed && mayEnd() && !rows.isEmpty())) {
      return null;
    }
    if (!hasFailed && (isEnded || rows.size() == before)) { // too early, or nothing came of it
      fail("", new Rejection(Rejection.Reason.TIME_SERIES, names.get(rules.orderColumn())));
    }
    if (hasFailed && failures >= series.patience()) {
      return null;
    }
    if (!hasFailed) {
      windowStart = rows.size() - SeriesRules.priming(rows.size() - windowStart);
    }
    hasFailed = false;
    before = rows.size();
    return rows.subList(windowStart, rows.size());
  }

  @Override
  public Reading close(boolean isEnded) {
    boolean isWhole =
        !rows.isEmpty()
            && !hasFailed
            && (isComplete() || (mayEnd() && (isEnded || rules.acceptsMissingMarks())));
    if (!isWhole) {
      Rejection why =
          new Rejection(
              hasFailed ? Rejection.Reason.GROUP_RECORD : Rejection.Reason.GROUP_MARKS, null);
      for (String text : texts) {
        rejected.add(new JsonlCodec.Found(text, new JsonlCodec.Decoded(null, why)));
      }
      return new Reading(List.of(), rejected, 1);
    }
    if (isUnordered) {
      rows.sort(Comparator.comparingLong(this::tick));
    }
    return new Reading(List.of(rows), rejected, 0);
  }
}
