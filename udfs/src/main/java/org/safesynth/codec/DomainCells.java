package org.safesynth.codec;

import java.io.Serializable;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Brings a private record into the domain that is public, before a language model reads it as text:
 * numbers are clamped to their range, texts are cut to their length, a category that is not listed
 * becomes one public word that is none of the listed ones, so that no grammar writes it, and
 * identifiers become a constant. Each record is changed by a rule of its own, so nothing of one
 * record reaches another.
 */
public final class DomainCells implements Serializable {
  private static final String OTHER = "other";

  private final FrozenSchema schema;
  private final String[] others; // (columns) null where a column lists no values
  private transient Set<String>[] listed;

  /**
   * @param schema with every column's domain
   */
  public DomainCells(FrozenSchema schema) {
    this.schema = schema;
    this.others = new String[schema.columns().size()];
    for (int c = 0; c < others.length; c++) {
      ColumnSchema column = schema.columns().get(c);
      if (column.kind() == ColumnKind.CATEGORICAL && column.values() != null) {
        others[c] = other(column.values());
      }
    }
  }

  private static String other(List<String> values) {
    String other = OTHER;
    while (values.contains(other)) {
      other += "~";
    }
    return other;
  }

  /** The record within the domain. */
  public Object[] within(Object[] cells) {
    Object[] within = new Object[cells.length];
    for (int c = 0; c < cells.length; c++) {
      within[c] = cells[c] == null ? null : within(c, cells[c]);
    }
    return within;
  }

  private Object within(int c, Object value) {
    ColumnSchema column = schema.columns().get(c);
    if (column.kind() == ColumnKind.IDENTIFIER) {
      return constant(column);
    }
    if (value instanceof Long tick) {
      long low = column.min() == null ? tick : Math.max(column.min(), tick);
      return column.max() == null ? low : Math.min(column.max(), low);
    }
    String text = (String) value;
    if (others[c] != null) {
      return listed(c).contains(text) ? text : others[c];
    }
    return column.kind() == ColumnKind.TEXT ? cut(text, column.maxLength()) : text;
  }

  /** Identifiers are written afresh ({@link FieldCodec#renewed}): none is worth learning. */
  private static Object constant(ColumnSchema column) {
    if (!column.isNumericIdentifier()) {
      return "0";
    }
    return column.max() != null ? column.max() : column.min() != null ? column.min() : (Long) 0L;
  }

  @SuppressWarnings("unchecked")
  private Set<String> listed(int c) {
    if (listed == null) {
      listed = new Set[others.length];
    }
    if (listed[c] == null) {
      listed[c] = Set.copyOf(schema.columns().get(c).values());
    }
    return listed[c];
  }

  private static String cut(String text, int length) {
    boolean fits = length <= 0 || text.codePointCount(0, text.length()) <= length;
    return fits ? text : text.substring(0, text.offsetByCodePoints(0, length));
  }

  /**
   * The record that tokens of a domain's encoding stand for, such as a row drawn from noisy counts.
   *
   * @param codec made from the same schema by {@link DomainCodec}
   * @param tokens (positions)
   */
  public Object[] ofTokens(FieldCodec codec, int[] tokens, RandomGenerator random) {
    Object[] cells = codec.decode(tokens, 0, random);
    RecordGrammar grammar = codec.grammar();
    for (int c = 0; c < cells.length; c++) {
      int position = codec.firstPosition(c);
      if (others[c] != null && !grammar.isWritable(position, tokens[position])) {
        cells[c] = others[c];
      }
    }
    return within(cells);
  }

  /**
   * A record that is about as long as any in the domain, but for its free texts, which are empty:
   * of every column the value with the longest text.
   */
  public Object[] longest(JsonlCodec codec) {
    Object[] cells = new Object[others.length];
    for (int c = 0; c < cells.length; c++) {
      int column = c;
      cells[c] =
          candidates(schema.columns().get(c))
              .max(Comparator.comparingInt(value -> codec.encodeCell(column, value).length()))
              .orElse(null);
    }
    return cells;
  }

  /** Values of which one has the longest text of its column. */
  private static Stream<Object> candidates(ColumnSchema column) {
    if (column.kind() == ColumnKind.IDENTIFIER) {
      return Stream.of(constant(column));
    }
    if (column.kind().isNumeric()) {
      long low = column.min();
      long high = column.max();
      return Stream.of(low, high, Math.min(low + 1, high), Math.max(high - 1, low));
    }
    return switch (column.kind()) {
      case BOOLEAN -> Stream.of("false");
      case TEXT -> Stream.of("");
      default -> column.values().stream().map(value -> (Object) value);
    };
  }
}
