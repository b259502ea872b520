package org.safesynth.codec;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/**
 * Records as one JSON object a line, which pretrained language models read and write.
 *
 * <p>Every value is typed: an integer column with missing values stays integer, {@code 007} stays a
 * text, dates and times of day are ISO 8601 whatever the source's format. Training text and the
 * grammar of constrained generation both follow this one writer. Nothing of the private rows is
 * checked but what the schema declares. May be used by several threads.
 */
public final class JsonlCodec {
  private static final JsonFactory JSON = new JsonFactory();

  private final List<JsonlColumn> columns = new ArrayList<>();
  private final Map<String, Integer> index = new HashMap<>();
  private final List<String> specials;

  /**
   * A codec.
   *
   * @param declaredLengths greatest number of characters of the texts of some columns, by name:
   *     declared ones only, since the longest text of a private column is private
   * @param specials texts that the tokenizer takes for special tokens wherever they stand
   */
  public JsonlCodec(
      FrozenSchema schema, Map<String, Integer> declaredLengths, List<String> specials) {
    for (ColumnSchema column : schema.columns()) {
      index.put(column.name(), columns.size());
      columns.add(new JsonlColumn(column, declaredLengths.getOrDefault(column.name(), 0)));
    }
    this.specials = List.copyOf(specials);
  }

  /** A record that was read: canonical cells, or why it is none. */
  public record Decoded(Object[] cells, Rejection rejection) {
    public boolean isValid() {
      return rejection == null;
    }
  }

  List<JsonlColumn> columns() {
    return columns;
  }

  /** The names of the columns, in the order in which they are written. */
  public List<String> names() {
    return columns.stream().map(column -> column.schema().name()).toList();
  }

  /** The JSON text of a name, with its quotes. */
  String key(int column) {
    return new JsonText(specials).string(columns.get(column).schema().name()).toString();
  }

  /** The JSON text of a canonical value. */
  public String encodeCell(int column, Object value) {
    JsonText text = new JsonText(specials);
    columns.get(column).write(value, text);
    return text.toString();
  }

  /** The JSON text of a record of canonical cells, without a line end. */
  public String encode(Object[] cells) {
    JsonText text = new JsonText(specials).raw("{");
    for (int c = 0; c < cells.length; c++) {
      text.raw(c == 0 ? "" : ",").string(columns.get(c).schema().name()).raw(":");
      columns.get(c).write(cells[c], text);
    }
    return text.raw("}").toString();
  }

  /**
   * Reads one JSON object. Keys of no column are passed over, of a key that stands twice the last
   * value counts, and a key that is not there is a missing value where the column has such.
   */
  public Decoded decode(String text) {
    return decode(text, new Object[columns.size()], new boolean[columns.size()]);
  }

  /**
   * The same, with some cells as they are given and not as the text has them.
   *
   * @param given canonical values (columns)
   * @param isGiven (columns)
   */
  public Decoded decode(String text, Object[] given, boolean[] isGiven) {
    Object[] cells = given.clone();
    boolean[] seen = isGiven.clone();
    try (JsonParser json = JSON.createParser(text)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        return rejected(Rejection.Reason.INVALID_JSON, null);
      }
      Rejection[] faults = new Rejection[cells.length];
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        Integer column = index.get(json.currentName());
        json.nextToken();
        if (column == null || isGiven[column]) {
          json.skipChildren();
          continue;
        }
        JsonlColumn.Read read = columns.get(column).read(json);
        json.skipChildren();
        cells[column] = read.value();
        faults[column] = read.rejection();
        seen[column] = true;
      }
      if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
        return rejected(Rejection.Reason.INVALID_JSON, null);
      }
      for (int c = 0; c < cells.length; c++) {
        if (faults[c] != null) {
          return new Decoded(null, faults[c]);
        }
        ColumnSchema column = columns.get(c).schema();
        if (!seen[c] && !column.missing()) {
          return rejected(Rejection.Reason.MISSING_FIELD, column.name());
        }
      }
      return new Decoded(cells, null);
    } catch (IOException e) {
      return rejected(Rejection.Reason.INVALID_JSON, null);
    }
  }

  private static Decoded rejected(Rejection.Reason reason, String column) {
    return new Decoded(null, new Rejection(reason, column));
  }

  /** A piece of generated text that looks like a record. */
  public record Found(String text, Decoded decoded) {}

  /**
   * Reads the records of a generated text: what stands on one line from its first opening brace to
   * a closing one at its very end. Other pieces, such as a last record that was cut off, are not
   * records and are passed over.
   */
  public List<Found> parse(String text) {
    List<Found> found = new ArrayList<>();
    int from = 0;
    while (from <= text.length()) {
      int end = text.indexOf('\n', from);
      end = end < 0 ? text.length() : end;
      int brace = text.indexOf('{', from);
      if (brace >= 0 && brace < end && text.charAt(end - 1) == '}') {
        String record = text.substring(brace, end);
        found.add(new Found(record, decode(record)));
      }
      from = end + 1;
    }
    return found;
  }
}
