package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.example.ExampleFormat;
import org.safesynth.example.PromptTemplate;
import org.safesynth.model.TinyLlama;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.tokenizer.TokenizerFolder;

/** A private record is never longer than what is declared, and none is refused. */
@Tag("unit")
final class PrivateLanguageEncoderTest {
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(List.of(text("title"), text("note"), number("size")));

  @TempDir private Path folder;
  private ExampleFormat format;

  private static ColumnSchema text(String name) {
    return new ColumnSchema(
        name, "string", ColumnKind.TEXT, true, 0, 0, null, null, null, null, 1_000);
  }

  private static ColumnSchema number(String name) {
    return new ColumnSchema(name, "bigint", ColumnKind.INTEGER, true, 0, 0, null, 0L, 99L, null, 0);
  }

  @BeforeEach
  void load() throws Exception {
    TinyLlama.write(folder);
    TokenizerFolder tokenizer = TokenizerFolder.load(folder);
    JsonlCodec codec = new JsonlCodec(SCHEMA, Map.of(), tokenizer.vocabulary().specialTexts());
    format =
        ExampleFormat.of(PromptTemplate.choose("tinyllama", "m", "llama"), tokenizer, codec, null);
  }

  @Test
  void aRecordThatFitsIsLeftAsItIs() {
    Object[] cells = {"a title", "a note", 7L};
    int[] ids = format.record(cells.clone());
    assertArrayEquals(ids, PrivateLanguageEncoder.ids(format, cells, SCHEMA, ids.length));
    assertArrayEquals(new Object[] {"a title", "a note", 7L}, cells);
  }

  @Test
  void theLongestTextIsHalvedUntilTheRecordFits() {
    Object[] cells = {"a title", "long ".repeat(300), 7L};
    int[] ids = PrivateLanguageEncoder.ids(format, cells, SCHEMA, 100);
    assertTrue(ids.length <= 100 && ids.length > 50, "tokens " + ids.length);
    assertEquals("a title", cells[0]);
    assertTrue("long ".repeat(300).startsWith((String) cells[1]));
    assertArrayEquals(format.record(cells), ids, "a whole record");
  }

  @Test
  void whereNoTextIsLeftTheIdsAreCut() {
    Object[] cells = {"\uD83D\uDE00", null, 7L};
    int[] whole = format.record(new Object[] {"", null, 7L});
    int[] ids = PrivateLanguageEncoder.ids(format, cells, SCHEMA, 5);
    assertArrayEquals(Arrays.copyOf(whole, 5), ids);
  }
}
