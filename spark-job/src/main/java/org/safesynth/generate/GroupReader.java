package org.safesynth.generate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.LineGrammar;
import org.safesynth.codec.Rejection;
import org.safesynth.codec.TokenGrammar;

/**
 * Reads one group: a sequence of records of one key, in order. What is wrong with a group rejects
 * all of it, each record with a reason, unless the rules repair it. Under a grammar nothing can be
 * wrong: from the second record on the key and what is constant are given, and the order is bounded
 * by the record before.
 */
final class GroupReader implements RecordReader {
  private final GroupRules rules;
  private final List<String> names;
  private final List<Object[]> rows = new ArrayList<>();
  private final List<String> texts = new ArrayList<>(); // of the rows
  private final List<JsonlCodec.Found> rejected = new ArrayList<>();
  private boolean hasOtherKeys;
  private boolean isUnordered;

  /**
   * @param names of the columns
   */
  GroupReader(GroupRules rules, List<String> names) {
    this.rules = rules;
    this.names = names;
  }

  @Override
  public void take(JsonlCodec.Found found) {
    if (!found.decoded().isValid()) {
      rejected.add(found);
      return;
    }
    Object[] cells = found.decoded().cells();
    if (!rows.isEmpty()) {
      Object[] first = rows.get(0);
      hasOtherKeys |= !Objects.equals(first[rules.groupColumn()], cells[rules.groupColumn()]);
      isUnordered |= rules.orderColumn() >= 0 && tick(cells) < tick(rows.get(rows.size() - 1));
      for (int c = 0; c < cells.length; c++) {
        cells[c] = rules.constant()[c] ? first[c] : cells[c];
      }
    }
    rows.add(cells);
    texts.add(found.text());
  }

  private long tick(Object[] cells) {
    return (Long) cells[rules.orderColumn()];
  }

  @Override
  public boolean isLost() {
    return fault() != null;
  }

  /** Why the group is not taken, whatever follows; null if it may be. */
  private Rejection fault() {
    if (!rejected.isEmpty() && !rules.ignoresInvalidRecords()) {
      return new Rejection(Rejection.Reason.GROUP_RECORD, null);
    }
    if (hasOtherKeys && !rules.fixesKey()) {
      return new Rejection(Rejection.Reason.GROUP_KEY, names.get(rules.groupColumn()));
    }
    if (isUnordered && !rules.fixesOrder()) {
      return new Rejection(Rejection.Reason.GROUP_ORDER, names.get(rules.orderColumn()));
    }
    return null;
  }

  @Override
  public LineGrammar next(TokenGrammar grammar) {
    if (rows.isEmpty()) {
      return grammar;
    }
    Object[] last = rows.get(rows.size() - 1);
    boolean[] isGiven = rules.constant().clone();
    isGiven[rules.groupColumn()] = true;
    int order = rules.orderColumn();
    return order < 0 || isGiven[order]
        ? grammar.withGiven(rows.get(0), isGiven)
        : grammar.withGiven(rows.get(0), isGiven, order, tick(last));
  }

  @Override
  public Reading close(boolean isEnded) {
    Rejection fault = fault();
    if (rows.isEmpty() && !rejected.isEmpty()) {
      return new Reading(List.of(), rejected, 1);
    }
    boolean isMarked = isEnded || fault != null || rules.acceptsMissingMarks();
    if (rows.isEmpty() || !isMarked) {
      Rejection marks = new Rejection(Rejection.Reason.GROUP_MARKS, null);
      return new Reading(List.of(), List.of(found(String.join("\n", texts), marks)), 1);
    }
    if (fault != null) {
      texts.forEach(text -> rejected.add(found(text, fault)));
      return new Reading(List.of(), rejected, 1);
    }
    for (Object[] row : rows) {
      row[rules.groupColumn()] = rows.get(0)[rules.groupColumn()];
    }
    if (isUnordered) {
      rows.sort(Comparator.comparingLong(this::tick));
    }
    return new Reading(List.of(rows), rejected, 0);
  }

  private static JsonlCodec.Found found(String text, Rejection why) {
    return new JsonlCodec.Found(text, new JsonlCodec.Decoded(null, why));
  }
}
