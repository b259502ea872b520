package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * A category as one token: the values in order, then "rare" for any value that is not among them,
 * then "missing" when the column has missing values.
 */
final class TextSetColumn implements ColumnCodec {
  private final List<String> values;
  private final boolean rare;
  private final boolean missing;
  private final Map<String, Integer> tokens = new HashMap<>();

  @JsonCreator
  TextSetColumn(
      @JsonProperty("values") List<String> values,
      @JsonProperty("rare") boolean rare,
      @JsonProperty("missing") boolean missing) {
    this.values = List.copyOf(values);
    this.rare = rare;
    this.missing = missing;
    for (String value : values) {
      tokens.put(value, tokens.size());
    }
    if (tokens.size() != values.size()) {
      throw new IllegalArgumentException("a category value is listed twice");
    }
  }

  @JsonProperty("values")
  List<String> values() {
    return values;
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
    return new int[] {Math.max(1, values.size() + (rare ? 1 : 0) + (missing ? 1 : 0))};
  }

  @Override
  public void encode(Object value, int[] out, int at) {
    if (value == null) {
      out[at] = missing ? values.size() + (rare ? 1 : 0) : 0;
      return;
    }
    Integer token = tokens.get((String) value);
    if (token == null && !rare) {
      throw new IllegalArgumentException("a value outside the column's set");
    }
    out[at] = token == null ? values.size() : token;
  }

  @Override
  public Object decode(int[] in, int at, long record, RandomGenerator random) {
    return in[at] < values.size() ? values.get(in[at]) : null;
  }

  @Override
  public Acceptance acceptance(Object value) {
    boolean known = value instanceof String text && tokens.containsKey(text);
    return known ? Acceptance.EXACT : rare ? Acceptance.NEAREST : Acceptance.UNKNOWN;
  }

  @Override
  public List<String> texts() {
    return values;
  }

  @Override
  public int missingToken() {
    return missing ? values.size() + (rare ? 1 : 0) : -1;
  }

  @Override
  public boolean isWritable(int position, int token) {
    boolean isRare = rare && token == values.size();
    return !isRare || (values.isEmpty() && !missing);
  }

  @Override
  public boolean isComparable() {
    return true;
  }
}
