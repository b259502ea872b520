package org.safesynth.codec;

/**
 * Why a generated record is not taken: never a silent drop.
 *
 * @param reason the kind of fault
 * @param column the column at fault, or null when the whole record is
 */
public record Rejection(Reason reason, String column) {
  /** Kinds of faults, with the words that reports show. */
  public enum Reason {
    INVALID_JSON("Invalid JSON"),
    MISSING_FIELD("Missing required field"),
    INVALID_TYPE("Invalid field type"),
    INVALID_VALUE("Invalid field value"),
    INVALID_LENGTH("Invalid field length"),
    GROUP_MARKS("Group BOS and/or EOS tokens missing"),
    GROUP_RECORD("Invalid JSON in other groupby records"),
    GROUP_KEY("Groupby value is not unique"),
    GROUP_ORDER("Group not ordered"),
    TIME_SERIES("TimeSeries");

    private final String words;

    Reason(String words) {
      this.words = words;
    }

    /** The words that reports show. */
    public String words() {
      return words;
    }
  }
}
