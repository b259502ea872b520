package org.safesynth.generate;

import java.util.ArrayList;
import java.util.List;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.LineGrammar;
import org.safesynth.codec.TokenGrammar;

/** Reads the records of one sequence as they are written, and says what may follow them. */
interface RecordReader {
  /** Takes what was found on the next line. */
  void take(JsonlCodec.Found found);

  /** Whether nothing that may follow can be used. */
  boolean isLost();

  /** Whether nothing more is wanted. */
  default boolean isComplete() {
    return false;
  }

  /** Whether the sequence may end behind the records so far. */
  default boolean mayEnd() {
    return true;
  }

  /**
   * The records that a further sequence begins with, which takes this one's place.
   *
   * @param isEnded whether the model ended this one
   * @return null when there is to be none
   */
  default List<Object[]> goOn(boolean isEnded) {
    return null;
  }

  /** The grammar of the next record. */
  LineGrammar next(TokenGrammar grammar);

  /**
   * What came of the sequence.
   *
   * @param isEnded whether the model ended it by itself, or a grammar did
   */
  Reading close(boolean isEnded);

  /**
   * What came of a sequence.
   *
   * @param units rows that belong together: a record on its own, or a group
   * @param rejected what was no record, or none of a group that counts
   * @param rejectedGroups groups that were not taken
   */
  record Reading(List<List<Object[]>> units, List<JsonlCodec.Found> rejected, int rejectedGroups) {}

  /** Records that stand on their own. */
  static RecordReader ofRecords() {
    return new RecordReader() {
      private final List<List<Object[]>> units = new ArrayList<>();
      private final List<JsonlCodec.Found> rejected = new ArrayList<>();

      @Override
      public void take(JsonlCodec.Found found) {
        if (found.decoded().isValid()) {
          units.add(List.<Object[]>of(found.decoded().cells()));
        } else {
          rejected.add(found);
        }
      }

      @Override
      public boolean isLost() {
        return false;
      }

      @Override
      public LineGrammar next(TokenGrammar grammar) {
        return grammar;
      }

      @Override
      public Reading close(boolean isEnded) {
        return new Reading(units, rejected, 0);
      }
    };
  }
}
