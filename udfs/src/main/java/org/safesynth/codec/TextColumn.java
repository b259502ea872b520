package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.safesynth.schema.ColumnProfile;

/**
 * Free text as a row of learned pieces: at each position token 0 ends the text, then the pieces,
 * then "other" for a character that is in no piece, which is never written; at the first position
 * one more token stands for a missing value. What does not fit in the positions is cut.
 */
final class TextColumn implements ColumnCodec {
  private static final int END = 0;

  private final List<String> pieces;
  private final int length;
  private final boolean missing;
  private final Map<String, Integer> tokens = new HashMap<>();
  private final int longest;

  @JsonCreator
  TextColumn(
      @JsonProperty("pieces") List<String> pieces,
      @JsonProperty("length") int length,
      @JsonProperty("missing") boolean missing) {
    this.pieces = List.copyOf(pieces);
    this.length = length;
    this.missing = missing;
    int most = 1;
    for (String piece : pieces) {
      tokens.put(piece, tokens.size() + 1);
      most = Math.max(most, piece.length());
    }
    this.longest = most;
  }

  @JsonProperty("pieces")
  List<String> pieces() {
    return pieces;
  }

  @JsonProperty("length")
  int length() {
    return length;
  }

  @JsonProperty("missing")
  boolean missing() {
    return missing;
  }

  private int other() {
    return pieces.size() + 1;
  }

  @Override
  public int[] sizes() {
    int[] sizes = new int[length];
    for (int i = 0; i < length; i++) {
      sizes[i] = pieces.size() + 2 + (i == 0 && missing ? 1 : 0);
    }
    return sizes;
  }

  @Override
  public void encode(Object value, int[] out, int at) {
    if (value == null) {
      out[at] = missing ? other() + 1 : END;
      for (int i = 1; i < length; i++) {
        out[at + i] = END;
      }
      return;
    }
    String text = (String) value;
    int from = 0;
    for (int i = 0; i < length; i++) {
      if (from >= text.length()) {
        out[at + i] = END;
        continue;
      }
      int to = Math.min(text.length(), from + longest);
      Integer token = null;
      while (to > from && (token = tokens.get(text.substring(from, to))) == null) {
        to--;
      }
      out[at + i] = token == null ? other() : token;
      from = token == null ? text.offsetByCodePoints(from, 1) : to;
    }
  }

  /** Pieces that the whole text takes, for choosing the number of positions. */
  int piecesOf(String text) {
    int count = 0;
    for (int from = 0; from < text.length(); count++) {
      int to = Math.min(text.length(), from + longest);
      while (to > from && !tokens.containsKey(text.substring(from, to))) {
        to--;
      }
      from = to == from ? text.offsetByCodePoints(from, 1) : to;
    }
    return count;
  }

  /** Share of the profile's texts that need more pieces than there are positions. */
  double shareCut(ColumnProfile profile) {
    long all = 0;
    long cut = 0;
    for (int i = 0; i < profile.texts().length; i++) {
      all += profile.counts()[i];
      cut += piecesOf(profile.texts()[i]) > length ? profile.counts()[i] : 0;
    }
    return all == 0 ? 0 : (double) cut / all;
  }

  @Override
  public Object decode(int[] in, int at, long record, RandomGenerator random) {
    if (in[at] > other()) {
      return null;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length && in[at + i] != END; i++) {
      if (in[at + i] < other()) {
        text.append(pieces.get(in[at + i] - 1));
      }
    }
    return text.toString();
  }

  @Override
  public int missingToken() {
    return missing ? other() + 1 : -1;
  }

  @Override
  public boolean isWritable(int position, int token) {
    return token != other();
  }

  @Override
  public int[] limits(int position) {
    if (position == 0) {
      return null;
    }
    int[] limits = new int[sizes()[position - 1]];
    for (int token = 0; token < limits.length; token++) {
      boolean over = token == END || token > other();
      limits[token] = over ? 1 : pieces.size() + 2;
    }
    return limits;
  }

  @Override
  public boolean isComparable() {
    return false;
  }
}
