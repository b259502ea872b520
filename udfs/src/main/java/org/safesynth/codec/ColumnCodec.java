package org.safesynth.codec;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.io.Serializable;
import java.util.List;
import java.util.random.RandomGenerator;

/** Turns the value of one column into tokens at one or more positions, and back. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "codec")
@JsonSubTypes({
  @JsonSubTypes.Type(value = TextSetColumn.class, name = "text_set"),
  @JsonSubTypes.Type(value = LargeTextSetColumn.class, name = "large_text_set"),
  @JsonSubTypes.Type(value = NumberSetColumn.class, name = "number_set"),
  @JsonSubTypes.Type(value = BinnedNumberColumn.class, name = "binned_number"),
  @JsonSubTypes.Type(value = CellBinsColumn.class, name = "cell_bins"),
  @JsonSubTypes.Type(value = PlaceColumn.class, name = "place"),
  @JsonSubTypes.Type(value = PlacedColumn.class, name = "placed"),
  @JsonSubTypes.Type(value = TextColumn.class, name = "text"),
  @JsonSubTypes.Type(value = IdentifierColumn.class, name = "identifier"),
})
sealed interface ColumnCodec extends Serializable
    permits TextSetColumn,
        LargeTextSetColumn,
        NumberSetColumn,
        BinnedNumberColumn,
        CellBinsColumn,
        PlaceColumn,
        PlacedColumn,
        TextColumn,
        IdentifierColumn {
  /** Vocabulary sizes of the column's positions, at least one. */
  int[] sizes();

  /** Writes the value's tokens from {@code at} on. */
  void encode(Object value, int[] tokens, int at);

  /** Reads a canonical value from the tokens at {@code at}. */
  Object decode(int[] tokens, int at, long record, RandomGenerator random);

  /** Whether the token may be written at the column's {@code position}. */
  default boolean isWritable(int position, int token) {
    return true;
  }

  /** As {@link RecordGrammar#limits}, for the column's own positions; null for the first. */
  default int[] limits(int position) {
    return null;
  }

  /** How well the column's tokens say a value that is not missing. */
  default Acceptance acceptance(Object value) {
    return Acceptance.EXACT;
  }

  /** Least tick that a token of the first position may stand for, where tokens are numbers. */
  default long leastTick(int token) {
    return Long.MIN_VALUE;
  }

  /** Least and greatest tick that may be written, where values are numbers; else null. */
  default long[] range() {
    return null;
  }

  /** The values that may be written, where they are a set of texts; else null. */
  default List<String> texts() {
    return null;
  }

  /** The first position's token for a missing value, or -1. */
  int missingToken();

  /**
   * Whether the token at the column's first position tells enough of the value to compare tables.
   */
  boolean isComparable();
}
