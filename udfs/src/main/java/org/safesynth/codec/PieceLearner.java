package org.safesynth.codec;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Learns the pieces of a text column by byte-pair merges over characters (Sennrich, Haddow and
 * Birch 2016), where enough records must hold a piece, so that none is one person's.
 */
final class PieceLearner {
  private static final int MOST_TEXTS = 4_000;
  private static final int MOST_CODE_UNITS = 200;

  private PieceLearner() {}

  /**
   * The pieces in a fixed order: characters, then merges.
   *
   * @param texts distinct values
   * @param records (texts) records that hold each text
   * @param least records that must hold a character or a pair
   * @param mostPieces greatest number of pieces
   */
  static List<String> learn(String[] texts, long[] records, int least, int mostPieces) {
    List<List<String>> rows = new ArrayList<>();
    List<Long> weights = new ArrayList<>();
    int stride = Math.max(1, texts.length / MOST_TEXTS);
    for (int i = 0; i < texts.length && rows.size() < MOST_TEXTS; i += stride) {
      rows.add(characters(texts[i]));
      weights.add(records[i]);
    }
    Map<String, Long> holders = new HashMap<>();
    for (int r = 0; r < rows.size(); r++) {
      for (String character : new HashSet<>(rows.get(r))) {
        holders.merge(character, weights.get(r), Long::sum);
      }
    }
    Set<String> pieces = new TreeSet<>();
    holders.forEach(
        (character, count) -> {
          if (count >= least) {
            pieces.add(character);
          }
        });
    List<String> result = new ArrayList<>(pieces);
    result.sort(Comparator.comparing((String c) -> -holders.get(c)).thenComparing(c -> c));
    if (result.size() > mostPieces) {
      result.subList(mostPieces, result.size()).clear();
    }
    Set<String> known = new HashSet<>(result);
    while (result.size() < mostPieces) {
      String merged = bestPair(rows, weights, known, least);
      if (merged == null) {
        break;
      }
      if (known.add(merged)) {
        result.add(merged);
      }
    }
    return result;
  }

  private static List<String> characters(String text) {
    List<String> row = new ArrayList<>();
    String head = text.substring(0, Math.min(text.length(), MOST_CODE_UNITS));
    head.codePoints().forEach(c -> row.add(Character.toString(c)));
    return row;
  }

  /** Merges the most frequent pair everywhere and returns it; null when none is frequent enough. */
  private static String bestPair(
      List<List<String>> rows, List<Long> weights, Set<String> known, int least) {
    Map<String, long[]> counts = new HashMap<>(); // pair -> occurrences, records, last text
    for (int r = 0; r < rows.size(); r++) {
      List<String> row = rows.get(r);
      for (int i = 0; i + 1 < row.size(); i++) {
        if (known.contains(row.get(i)) && known.contains(row.get(i + 1))) {
          long[] count =
              counts.computeIfAbsent(
                  row.get(i) + '\0' + row.get(i + 1), k -> new long[] {0, 0, -1});
          count[0] += weights.get(r);
          if (count[2] != r) {
            count[2] = r;
            count[1] += weights.get(r);
          }
        }
      }
    }
    String best = null;
    long most = 0;
    for (Map.Entry<String, long[]> entry : counts.entrySet()) {
      long[] count = entry.getValue();
      boolean better =
          count[0] > most
              || (count[0] == most && best != null && entry.getKey().compareTo(best) < 0);
      if (count[1] >= Math.max(2, least) && better) {
        best = entry.getKey();
        most = count[0];
      }
    }
    if (best == null) {
      return null;
    }
    int cut = best.indexOf('\0');
    merge(rows, best.substring(0, cut), best.substring(cut + 1));
    return best.substring(0, cut) + best.substring(cut + 1);
  }

  private static void merge(List<List<String>> rows, String left, String right) {
    for (List<String> row : rows) {
      int to = 0;
      for (int i = 0; i < row.size(); i++, to++) {
        boolean pair =
            i + 1 < row.size() && row.get(i).equals(left) && row.get(i + 1).equals(right);
        row.set(to, pair ? left + right : row.get(i));
        if (pair) {
          i++;
        }
      }
      row.subList(to, row.size()).clear();
    }
  }
}
