package org.safesynth.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Finds what a mistyped key may have meant. */
final class NearestKey {
  private NearestKey() {}

  /**
   * The known paths that a path may have meant: the same name in another section, or the fewest
   * letters away; as the end of a sentence.
   */
  static String suggestion(String unknown, Collection<String> known) {
    String name = lastName(unknown);
    List<String> elsewhere = known.stream().filter(path -> lastName(path).equals(name)).toList();
    if (!elsewhere.isEmpty()) {
      return "did you mean " + String.join(" or ", elsewhere) + "?";
    }
    String parent = parent(unknown);
    List<String> siblings = known.stream().filter(path -> parent(path).equals(parent)).toList();
    String sibling = nearest(unknown, siblings);
    if (sibling != null) {
      return "did you mean " + sibling + "?";
    }
    List<String> notAbove = known.stream().filter(path -> !unknown.startsWith(path + ".")).toList();
    String any = nearest(unknown, notAbove);
    if (any != null) {
      return "did you mean " + any + "?";
    }
    List<String> names = new ArrayList<>(siblings.isEmpty() ? topLevel(known) : siblings);
    names.replaceAll(NearestKey::lastName);
    return "known here are " + String.join(", ", names);
  }

  /** The nearest of some keys, or null if none is near. */
  private static String nearest(String unknown, Collection<String> known) {
    String best = null;
    int bestDistance = 1 + Math.max(2, lastName(unknown).length() / 3);
    for (String candidate : known) {
      int distance = distance(unknown, candidate);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = candidate;
      }
    }
    return best;
  }

  /** Letters to insert, delete or replace to get from one text to the other. */
  static int distance(String from, String to) {
    int[] previous = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int[] current = new int[to.length() + 1];
      current[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int replaced = previous[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
      }
      previous = current;
    }
    return previous[to.length()];
  }

  private static List<String> topLevel(Collection<String> known) {
    return known.stream().filter(path -> path.indexOf('.') < 0).toList();
  }

  private static String lastName(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static String parent(String path) {
    return path.substring(0, Math.max(0, path.lastIndexOf('.')));
  }
}
