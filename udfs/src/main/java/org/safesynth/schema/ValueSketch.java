package org.safesynth.schema;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What the second pass counts of one column whose kind is known. */
final class ValueSketch implements Serializable {
  /** Least and greatest distinct ticks that are kept. */
  static final int ENDS = 512;

  private final long key;
  private final long[] candidates; // heavy ticks of the first pass, ascending
  private final long[] candidateRecords; // (candidates)
  private transient LongBottomK openSample;
  private transient LongBottomK openLow;
  private transient LongBottomK openHigh;
  private transient TextBottomK openTexts;

  LongCounts sample;
  LongCounts low;
  LongCounts high;
  TextCounts texts;
  long missing;
  long unfit;
  String firstUnfit; // the least by code unit, so that it does not depend on the rows' order
  int maxLength;

  ValueSketch(long key, long[] candidates, int sampledTicks, int sampledTexts) {
    this.key = key;
    this.candidates = candidates;
    this.candidateRecords = new long[candidates.length];
    this.openSample = new LongBottomK(sampledTicks);
    this.openLow = new LongBottomK(ENDS);
    this.openHigh = new LongBottomK(ENDS);
    this.openTexts = new TextBottomK(sampledTexts, key);
  }

  void add(Object value) {
    if (value == null) {
      missing++;
    } else if (value instanceof Long tick) {
      openSample.add(KeyedHash.mix(tick, key));
      openLow.add(tick);
      openHigh.add(~tick);
      int candidate = Arrays.binarySearch(candidates, tick);
      if (candidate >= 0) {
        candidateRecords[candidate]++;
      }
    } else {
      String text = (String) value;
      openTexts.add(text.getBytes(StandardCharsets.UTF_8));
      maxLength = Math.max(maxLength, text.codePointCount(0, text.length()));
    }
  }

  void addUnfit(String text) {
    unfit++;
    firstUnfit = firstUnfit == null || text.compareTo(firstUnfit) < 0 ? text : firstUnfit;
  }

  ValueSketch seal() {
    if (sample == null) {
      sample = openSample.seal();
      low = openLow.seal();
      high = openHigh.seal();
      texts = openTexts.seal();
    }
    return this;
  }

  ValueSketch merge(ValueSketch other) {
    sample = sample.merge(other.sample);
    low = low.merge(other.low);
    high = high.merge(other.high);
    texts = texts.merge(other.texts);
    missing += other.missing;
    unfit += other.unfit;
    maxLength = Math.max(maxLength, other.maxLength);
    if (other.firstUnfit != null) {
      unfit--;
      addUnfit(other.firstUnfit);
    }
    for (int i = 0; i < candidates.length; i++) {
      candidateRecords[i] += other.candidateRecords[i];
    }
    return this;
  }

  ColumnProfile profile(long rows, boolean numeric) {
    return numeric ? numericProfile(rows) : textProfile(rows);
  }

  private ColumnProfile numericProfile(long rows) {
    Integer[] order = new Integer[sample.size()];
    Arrays.setAll(order, i -> i);
    long[] unsorted =
        Arrays.stream(sample.ranks()).map(rank -> KeyedHash.unmix(rank, key)).toArray();
    Arrays.sort(order, (a, b) -> Long.compare(unsorted[a], unsorted[b]));
    long[] ticks = new long[order.length];
    long[] counts = new long[order.length];
    for (int i = 0; i < order.length; i++) {
      ticks[i] = unsorted[order[i]];
      counts[i] = sample.counts()[order[i]];
    }
    boolean complete = sample.complete();
    int spikes = 0;
    long[] spikeTicks = new long[candidates.length];
    long[] spikeCounts = new long[candidates.length];
    for (int i = 0; i < candidates.length && !complete; i++) {
      if (candidateRecords[i] * HeavyHitters.SHARE > rows) {
        spikeTicks[spikes] = candidates[i];
        spikeCounts[spikes++] = candidateRecords[i];
      }
    }
    int ends = high.size();
    long[] highTicks = new long[ends];
    long[] highCounts = new long[ends];
    for (int i = 0; i < ends; i++) {
      highTicks[i] = ~high.ranks()[ends - 1 - i];
      highCounts[i] = high.counts()[ends - 1 - i];
    }
    return new ColumnProfile(
        rows,
        missing,
        order.length == 0 ? 0 : sample.distinct(),
        complete,
        ticks,
        new String[0],
        counts,
        Arrays.copyOf(spikeTicks, spikes),
        Arrays.copyOf(spikeCounts, spikes),
        low.ranks(),
        low.counts(),
        highTicks,
        highCounts);
  }

  private ColumnProfile textProfile(long rows) {
    return textProfile(texts, rows, missing);
  }

  static ColumnProfile textProfile(TextCounts texts, long rows, long missing) {
    Integer[] order = new Integer[texts.size()];
    String[] unsorted = new String[texts.size()];
    Arrays.setAll(order, i -> i);
    Arrays.setAll(unsorted, texts::text);
    Arrays.sort(order, (a, b) -> unsorted[a].compareTo(unsorted[b]));
    String[] values = new String[order.length];
    long[] counts = new long[order.length];
    for (int i = 0; i < order.length; i++) {
      values[i] = unsorted[order[i]];
      counts[i] = texts.count(order[i]);
    }
    long[] none = new long[0];
    return new ColumnProfile(
        rows,
        missing,
        order.length == 0 ? 0 : texts.distinct(),
        texts.complete(),
        none,
        values,
        counts,
        none,
        none,
        none,
        none,
        none,
        none);
  }
}
