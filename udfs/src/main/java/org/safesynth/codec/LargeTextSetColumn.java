package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * A category of many values as two tokens: a group of values, then the value within the group, so
 * that 10⁵ values need vocabularies of a few hundred. Frequent values are groups of their own.
 */
final class LargeTextSetColumn implements ColumnCodec {
  private final List<List<String>> groups;
  private final boolean rare;
  private final boolean missing;
  private final int[] limits;
  private final Map<String, int[]> tokens = new HashMap<>();

  @JsonCreator
  LargeTextSetColumn(
      @JsonProperty("groups") List<List<String>> groups,
      @JsonProperty("rare") boolean rare,
      @JsonProperty("missing") boolean missing) {
    this.groups = groups.stream().map(List::copyOf).toList();
    this.rare = rare;
    this.missing = missing;
    this.limits = new int[groups.size() + (rare ? 1 : 0) + (missing ? 1 : 0)];
    for (int g = 0; g < limits.length; g++) {
      limits[g] = g < groups.size() ? groups.get(g).size() : 1;
    }
    for (int g = 0; g < groups.size(); g++) {
      for (int i = 0; i < groups.get(g).size(); i++) {
        if (tokens.put(groups.get(g).get(i), new int[] {g, i}) != null) {
          throw new IllegalArgumentException("a category value is listed twice");
        }
      }
    }
  }

  @JsonProperty("groups")
  List<List<String>> groups() {
    return groups;
  }

  @JsonProperty("rare")
  boolean rare() {
    return rare;
  }

  @JsonProperty("missing")
  boolean missing() {
    return missing;
  }

  @Override
  public int[] sizes() {
    int largest = groups.stream().mapToInt(List::size).max().orElse(1);
    return new int[] {limits.length, largest};
  }

  @Override
  public void encode(Object value, int[] out, int at) {
    int[] found = value == null ? null : tokens.get((String) value);
    if (found != null) {
      out[at] = found[0];
      out[at + 1] = found[1];
      return;
    }
    if (value != null && !rare) {
      throw new IllegalArgumentException("a value outside the column's set");
    }
    out[at] = value == null ? (missing ? limits.length - 1 : 0) : groups.size();
    out[at + 1] = 0;
  }

  @Override
  public Object decode(int[] in, int at, long record, RandomGenerator random) {
    if (in[at] >= groups.size()) {
      return null;
    }
    List<String> group = groups.get(in[at]);
    return group.get(Math.min(in[at + 1], group.size() - 1));
  }

  @Override
  public Acceptance acceptance(Object value) {
    boolean known = value instanceof String text && tokens.containsKey(text);
    return known ? Acceptance.EXACT : rare ? Acceptance.NEAREST : Acceptance.UNKNOWN;
  }

  @Override
  public List<String> texts() {
    return groups.stream().flatMap(List::stream).toList();
  }

  @Override
  public int missingToken() {
    return missing ? limits.length - 1 : -1;
  }

  @Override
  public boolean isWritable(int position, int token) {
    return position > 0 || !rare || token != groups.size();
  }

  @Override
  public int[] limits(int position) {
    return position == 0 ? null : limits.clone();
  }

  @Override
  public boolean isComparable() {
    return true;
  }
}
