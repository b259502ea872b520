package org.safesynth.codec;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.safesynth.random.KeyedPermutation;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.schema.TableProfile;

/**
 * Chooses and fits the encoding of each column from its kind and its counts, with value protection.
 *
 * <p>Sizes follow the number of rows n, so that the rule carries over from a thousand rows to
 * millions: a number of at most min(300, max(20, n/30)) distinct values is a set; others take √n/2
 * bins, 8 to 100, with leaves of about 12 records, 1 to 32 (at 39,000 rows: the measured 300, 100
 * and 32).
 */
final class ColumnFit {
  private static final int MOST_IN_ONE_TOKEN = 512;
  private static final int MOST_IN_A_GROUP = 512;
  private static final double MOSTLY_RARE = 0.5;
  private static final int MOST_PIECES = 256;
  private static final int MOST_TEXT_POSITIONS = 24;
  private static final int LEAST_TEXTS_OF_A_PIECE = 5;
  private static final int MOST_FORMS = 16;
  private static final double ROOM_PER_PAIR = 1e6;

  private final FrozenSchema schema;
  private final TableProfile profile;
  private final Protection protection;

  ColumnFit(FrozenSchema schema, TableProfile profile, Protection protection) {
    this.schema = schema;
    this.profile = profile;
    this.protection = protection;
  }

  /**
   * The columns' encodings.
   *
   * @param borders ticks at which a bin has to begin, by column
   */
  List<ColumnCodec> columns(Map<Integer, Long> borders) {
    List<ColumnCodec> columns = new ArrayList<>();
    for (int c = 0; c < schema.columns().size(); c++) {
      columns.add(column(schema.columns().get(c), profile.columns().get(c), borders.get(c)));
    }
    return columns;
  }

  private ColumnCodec column(ColumnSchema column, ColumnProfile counts, Long border) {
    boolean missing = column.missing() || counts.missing() > 0;
    if (column.kind() == ColumnKind.IDENTIFIER) {
      return identifier(column, counts, missing);
    }
    if (column.kind() == ColumnKind.TEXT) {
      return text(column, counts, missing);
    }
    boolean numeric = column.kind().isNumeric() || counts.ticks().length > 0;
    if (numeric && counts.distinct() > 0) {
      return new NumberFit(column, counts, protection.threshold(column.name()))
          .fit(missing, border);
    }
    return category(column, counts, missing);
  }

  private ColumnCodec category(ColumnSchema column, ColumnProfile counts, boolean missing) {
    if (column.values() != null) {
      return new TextSetColumn(column.values(), false, missing);
    }
    int threshold = protection.threshold(column.name());
    List<String> values = new ArrayList<>();
    List<Double> weights = new ArrayList<>();
    long rareRecords = 0;
    long records = 0;
    for (int i = 0; i < counts.texts().length; i++) {
      records += counts.counts()[i];
      if (counts.counts()[i] >= threshold) {
        values.add(counts.texts()[i]);
        weights.add((double) counts.counts()[i]);
      } else {
        rareRecords += counts.counts()[i];
      }
    }
    if (!counts.complete() || rareRecords > MOSTLY_RARE * records) {
      return text(column, counts, missing);
    }
    boolean rare = rareRecords > 0;
    if (values.size() <= MOST_IN_ONE_TOKEN) {
      return new TextSetColumn(values, rare, missing);
    }
    double[] heavy = weights.stream().mapToDouble(Double::doubleValue).toArray();
    int groups = Math.max(100, (int) Math.sqrt(values.size()));
    List<List<String>> cut = new ArrayList<>();
    for (SpikeOrQuantile.Cell cell : SpikeOrQuantile.cut(heavy, groups, MOST_IN_A_GROUP)) {
      cut.add(cell.items().stream().map(values::get).toList());
    }
    return new LargeTextSetColumn(cut, rare, missing);
  }

  private ColumnCodec text(ColumnSchema column, ColumnProfile counts, boolean missing) {
    int least = Math.max(LEAST_TEXTS_OF_A_PIECE, protection.threshold(column.name()));
    int wanted = (int) Math.max(32, Math.min(MOST_PIECES, counts.rows() / 50));
    List<String> pieces = PieceLearner.learn(counts.texts(), counts.counts(), least, wanted);
    TextColumn unlimited = new TextColumn(pieces, 1, missing);
    int[] lengths = Arrays.stream(counts.texts()).mapToInt(unlimited::piecesOf).sorted().toArray();
    int last = lengths.length - 1;
    int most = lengths.length == 0 ? 1 : lengths[last];
    most = most <= MOST_TEXT_POSITIONS ? most : lengths[(int) (last * 0.99)];
    return new TextColumn(pieces, Math.max(1, Math.min(MOST_TEXT_POSITIONS, most)), missing);
  }

  private ColumnCodec identifier(ColumnSchema column, ColumnProfile counts, boolean missing) {
    long key = KeyedPermutation.mix(protection.key() ^ column.name().hashCode());
    if (counts.highTicks().length > 0) {
      long last = counts.highTicks()[counts.highTicks().length - 1];
      return new IdentifierColumn(last, List.of(), missing, key);
    }
    TreeMap<Integer, List<int[]>> byLength = new TreeMap<>();
    int longest = 1;
    for (String text : counts.texts()) {
      int[] characters = text.codePoints().toArray();
      byLength.computeIfAbsent(characters.length, k -> new ArrayList<>()).add(characters);
      longest = Math.max(longest, characters.length);
    }
    longest = Math.max(longest, column.maxLength());
    int threshold = protection.threshold(column.name());
    List<IdentifierColumn.Form> forms = new ArrayList<>();
    for (List<int[]> texts : byLength.values()) {
      if (texts.size() >= threshold && forms.size() < MOST_FORMS) {
        List<String> alphabets = alphabets(texts, threshold);
        boolean roomy =
            IdentifierColumn.room(alphabets) >= ROOM_PER_PAIR * Math.max(1, counts.rows()) * 1e3;
        if (!roomy) {
          while (alphabets.size() < longest) {
            alphabets.add("0");
          }
          alphabets.add("0"); // with the number that follows, longer than any real value
        }
        forms.add(new IdentifierColumn.Form(alphabets, !roomy));
      }
    }
    if (forms.isEmpty()) {
      List<String> digits = new ArrayList<>(java.util.Collections.nCopies(longest + 1, "0"));
      forms.add(new IdentifierColumn.Form(digits, true));
    }
    return new IdentifierColumn(null, forms, missing, key);
  }

  /** The characters that may stand at each place: the class of what enough texts hold there. */
  private static List<String> alphabets(List<int[]> texts, int threshold) {
    List<String> alphabets = new ArrayList<>();
    for (int place = 0; place < texts.get(0).length; place++) {
      TreeMap<Integer, Integer> holders = new TreeMap<>();
      for (int[] text : texts) {
        holders.merge(text[place], 1, Integer::sum);
      }
      TreeSet<Integer> allowed = new TreeSet<>();
      boolean hexadecimal = holders.keySet().stream().allMatch(ColumnFit::isHexadecimal);
      for (var holder : holders.entrySet()) {
        int c = holder.getKey();
        if (holders.size() == 1) {
          allowed.add(c);
        } else if (c >= '0' && c <= '9') {
          addRange(allowed, '0', '9');
        } else if (c >= 'a' && c <= 'z') {
          addRange(allowed, 'a', hexadecimal ? 'f' : 'z');
        } else if (c >= 'A' && c <= 'Z') {
          addRange(allowed, 'A', hexadecimal ? 'F' : 'Z');
        } else if (holder.getValue() >= threshold) {
          allowed.add(c);
        }
      }
      if (allowed.isEmpty()) {
        allowed.add((int) '0');
      }
      StringBuilder alphabet = new StringBuilder();
      allowed.forEach(alphabet::appendCodePoint);
      alphabets.add(alphabet.toString());
    }
    return alphabets;
  }

  private static boolean isHexadecimal(int c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }

  private static void addRange(TreeSet<Integer> set, char from, char to) {
    for (int c = from; c <= to; c++) {
      set.add(c);
    }
  }

  List<ProtectionCount> protectionCounts() {
    List<ProtectionCount> all = new ArrayList<>();
    for (int c = 0; c < schema.columns().size(); c++) {
      ColumnSchema column = schema.columns().get(c);
      ColumnProfile counts = profile.columns().get(c);
      int threshold = protection.threshold(column.name());
      ProtectionCount count;
      if (column.kind() == ColumnKind.IDENTIFIER) {
        count = new ProtectionCount(column.name(), 0, 0, 0, 0, true);
      } else if (counts.ticks().length > 0) {
        long[] pulledIn = new NumberFit(column, counts, threshold).pulledIn();
        count = new ProtectionCount(column.name(), 0, 0, pulledIn[0], pulledIn[1], false);
      } else if (column.kind() != ColumnKind.TEXT && column.values() == null && counts.complete()) {
        long rare = 0;
        long records = 0;
        for (long held : counts.counts()) {
          rare += held < threshold ? 1 : 0;
          records += held < threshold ? held : 0;
        }
        count = new ProtectionCount(column.name(), rare, records, 0, 0, false);
      } else {
        continue;
      }
      if (!count.isEmpty()) {
        all.add(count);
      }
    }
    return all;
  }
}
