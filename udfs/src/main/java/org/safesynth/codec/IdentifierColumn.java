package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.Serializable;
import java.util.List;
import java.util.random.RandomGenerator;
import org.safesynth.random.KeyedPermutation;

/**
 * Keys, account numbers and the like: one token tells the value's form (or that it is missing), and
 * reading makes a fresh value of that form which no record holds.
 *
 * <p>Whole numbers continue after the greatest one. Texts keep what all texts of their length share
 * and take a keyed permutation of the record's number elsewhere, so that they are distinct; where
 * the form leaves so little room that a real value could be met, digits are appended until the text
 * is longer than any real one.
 */
final class IdentifierColumn implements ColumnCodec {
  static final long MOST_ROOM = 1L << 62;

  /**
   * Texts of one length: at each place the characters that may stand there.
   *
   * @param alphabets (length) one character where all texts agree
   * @param longer whether a number is appended
   */
  record Form(
      @JsonProperty("alphabets") List<String> alphabets, @JsonProperty("longer") boolean longer)
      implements Serializable {}

  private final Long lastNumber;
  private final List<Form> forms;
  private final boolean missing;
  private final long key;

  /**
   * Takes a fitted column.
   *
   * @param lastNumber whole numbers: the greatest in the table; null for texts
   * @param forms texts: at least one form
   * @param missing whether a token after the forms stands for a missing value
   * @param key of the permutation
   */
  @JsonCreator
  IdentifierColumn(
      @JsonProperty("last_number") Long lastNumber,
      @JsonProperty("forms") List<Form> forms,
      @JsonProperty("missing") boolean missing,
      @JsonProperty("key") long key) {
    if (lastNumber == null && forms.isEmpty()) {
      throw new IllegalArgumentException("an identifier has a form");
    }
    this.lastNumber = lastNumber;
    this.forms = List.copyOf(forms);
    this.missing = missing;
    this.key = key;
  }

  @JsonProperty("last_number")
  Long lastNumber() {
    return lastNumber;
  }

  @JsonProperty("forms")
  List<Form> forms() {
    return forms;
  }

  @JsonProperty("missing")
  boolean missing() {
    return missing;
  }

  @JsonProperty("key")
  long key() {
    return key;
  }

  private int formCount() {
    return lastNumber != null ? 1 : forms.size();
  }

  @Override
  public int[] sizes() {
    return new int[] {formCount() + (missing ? 1 : 0)};
  }

  @Override
  public void encode(Object value, int[] out, int at) {
    out[at] = value == null && missing ? formCount() : 0;
    if (value != null && lastNumber == null) {
      String text = (String) value;
      for (int f = 0; f < forms.size(); f++) {
        if (forms.get(f).alphabets().size() == text.codePointCount(0, text.length())) {
          out[at] = f;
          return;
        }
      }
    }
  }

  @Override
  public Object decode(int[] in, int at, long record, RandomGenerator random) {
    if (in[at] >= formCount()) {
      return null;
    }
    if (lastNumber != null) {
      return Math.addExact(lastNumber, record + 1);
    }
    Form form = forms.get(in[at]);
    StringBuilder text = new StringBuilder();
    long room = room(form.alphabets());
    long left = room > record ? new KeyedPermutation(room, key).apply(record) : 0;
    for (int i = form.alphabets().size() - 1; i >= 0; i--) {
      String alphabet = form.alphabets().get(i);
      int size = alphabet.codePointCount(0, alphabet.length());
      // Once the permuted number is used up, the places that are left take keyed characters.
      boolean spent = room == MOST_ROOM && left == 0;
      long source = spent ? KeyedPermutation.mix(key + record * 31 + i) : left;
      int pick = (int) Long.remainderUnsigned(source, size);
      left /= size;
      text.insert(
          0, Character.toString(alphabet.codePointAt(alphabet.offsetByCodePoints(0, pick))));
    }
    if (form.longer()) {
      text.append(record);
    }
    return text.toString();
  }

  /** Number of texts of the form, at most {@link #MOST_ROOM}. */
  static long room(List<String> alphabets) {
    long room = 1;
    for (String alphabet : alphabets) {
      int size = alphabet.codePointCount(0, alphabet.length());
      room = room > MOST_ROOM / size ? MOST_ROOM : room * size;
    }
    return room;
  }

  @Override
  public int missingToken() {
    return missing ? formCount() : -1;
  }

  @Override
  public boolean isComparable() {
    return false;
  }
}
