package org.safesynth.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

@Tag("unit")
class JsonlCodecTest {
  private static final List<String> SPECIALS = List.of("<|im_end|>", "</s>", "<s>");
  private static final JsonlCodec CODEC = new JsonlCodec(Records.SCHEMA, Map.of(), SPECIALS);

  @Provide
  Arbitrary<Object[]> records() {
    return Records.records();
  }

  @Property(tries = 2000, edgeCases = EdgeCasesMode.NONE)
  void everyRecordReadsBackAsItself(@ForAll("records") Object[] record) {
    String text = CODEC.encode(record);
    JsonlCodec.Decoded decoded = CODEC.decode(text);
    assertNull(decoded.rejection(), text);
    assertArrayEquals(record, decoded.cells(), text);
  }

  @Property(tries = 500, edgeCases = EdgeCasesMode.NONE)
  void everyRecordIsOneLineOfJsonWithoutSpecialTokens(@ForAll("records") Object[] record)
      throws IOException {
    String text = CODEC.encode(record);
    JsonNode json = new ObjectMapper().readTree(text); // another reader than the codec's
    assertEquals(record.length, json.size());
    assertFalse(text.contains("\n"));
    SPECIALS.forEach(special -> assertFalse(text.contains(special), text));
    List<JsonlCodec.Found> found = CODEC.parse(text + "\n" + text);
    assertEquals(2, found.size());
    assertTrue(found.stream().allMatch(f -> f.decoded().isValid()));
  }

  private static ColumnSchema column(String type, ColumnKind kind, int scale, boolean missing) {
    return new ColumnSchema("a", type, kind, missing, scale, 0, null, null, null, null, 0);
  }

  private static JsonlCodec of(ColumnSchema... columns) {
    return new JsonlCodec(new FrozenSchema(List.of(columns)), Map.of(), List.of());
  }

  @Test
  void threadsThatShareACodecReadTheirOwnNumbers() {
    JsonlCodec codec = of(column("bigint", ColumnKind.INTEGER, 0, false));
    List<Long> wrong =
        LongStream.range(0, 1_000_000)
            .parallel()
            .map(n -> 1_000_003 * n)
            .filter(n -> !isRead(codec, n))
            .boxed()
            .toList();
    assertEquals(List.of(), wrong);
  }

  private static boolean isRead(JsonlCodec codec, long n) {
    JsonlCodec.Decoded decoded = codec.decode("{\"a\":" + n + "}");
    return decoded.isValid() && decoded.cells()[0].equals(n);
  }

  @Test
  void valuesAreWrittenAsAgreed() {
    JsonlCodec integer = of(column("bigint", ColumnKind.INTEGER, 0, true));
    assertEquals("{\"a\":1}", integer.encode(new Object[] {1L}));
    assertEquals("{\"a\":null}", integer.encode(new Object[] {null}));
    JsonlCodec text = of(column("string", ColumnKind.TEXT, 0, false));
    assertEquals("{\"a\":\"007\"}", text.encode(new Object[] {"007"}));
    assertEquals(
        "{\"a\":\"a/é\\n\\u0001\u2028\"}", text.encode(new Object[] {"a/é\n\u0001\u2028"}));
    JsonlCodec date =
        of(
            new ColumnSchema(
                "a", "string", ColumnKind.DATE, false, 0, 0, "MM/dd/yyyy", null, null, null, 0));
    assertEquals("{\"a\":\"2020-01-31\"}", date.encode(new Object[] {18_292L}));
    JsonlCodec time =
        of(
            new ColumnSchema(
                "a", "string", ColumnKind.INTEGER, false, 0, 0, "HH:mm", null, null, null, 0));
    assertEquals("{\"a\":\"00:10\"}", time.encode(new Object[] {10L}));
    assertEquals("{\"a\":\"00:10\"}", time.encode(new Object[] {1_450L}), "of the next day");
    assertArrayEquals(new Object[] {10L}, time.decode("{\"a\":\"00:10\"}").cells());
    assertFalse(time.decode("{\"a\":\"24:10\"}").isValid());
    assertFalse(time.decode("{\"a\":10}").isValid());
  }

  /** Python's repr is the oracle where it is not in scientific form. */
  @Test
  void decimalsAreShortestAndNeverIntegers() {
    assertEquals("1.0", JsonlColumn.decimal(100, 2));
    assertEquals("0.3", JsonlColumn.decimal(30, 2));
    assertEquals("-12.5", JsonlColumn.decimal(-1250, 2));
    assertEquals("0.0", JsonlColumn.decimal(0, 5));
    assertEquals("3.0", JsonlColumn.decimal(3, 0));
    assertEquals(
        0, new BigDecimal("1.5e17").compareTo(new BigDecimal(JsonlColumn.decimal(15, -16))));
  }

  private static Rejection.Reason reason(JsonlCodec codec, String text) {
    return codec.decode(text).rejection().reason();
  }

  @Test
  void everyRejectionHasItsReason() {
    JsonlCodec codec = of(column("bigint", ColumnKind.INTEGER, 0, false).withDomain(0L, 9L, null));
    assertEquals(Rejection.Reason.INVALID_JSON, reason(codec, "{\"a\":1"));
    assertEquals(Rejection.Reason.INVALID_JSON, reason(codec, "{\"a\":1}}"));
    assertEquals(Rejection.Reason.INVALID_JSON, reason(codec, "{\"a\":01}"));
    assertEquals(Rejection.Reason.INVALID_JSON, reason(codec, "{\"a\":NaN}"));
    assertEquals(Rejection.Reason.MISSING_FIELD, reason(codec, "{\"b\":1}"));
    assertEquals(Rejection.Reason.INVALID_TYPE, reason(codec, "{\"a\":\"1\"}"));
    assertEquals(Rejection.Reason.INVALID_TYPE, reason(codec, "{\"a\":true}"));
    assertEquals(Rejection.Reason.INVALID_TYPE, reason(codec, "{\"a\":null}"));
    assertEquals(Rejection.Reason.INVALID_TYPE, reason(codec, "{\"a\":[1,{\"a\":2}]}"));
    assertEquals(Rejection.Reason.INVALID_TYPE, reason(codec, "{\"a\":1.5}"));
    assertEquals(Rejection.Reason.INVALID_TYPE, reason(codec, "{\"a\":1e999}"));
    assertEquals(Rejection.Reason.INVALID_VALUE, reason(codec, "{\"a\":10}"));
    assertEquals("a", codec.decode("{\"a\":10}").rejection().column());
    assertArrayEquals(new Object[] {1L}, codec.decode("{\"a\": 1.0}").cells());
    assertArrayEquals(new Object[] {2L}, codec.decode("{\"a\":1,\"x\":[{}],\"a\":2}").cells());
    JsonlCodec limited =
        new JsonlCodec(
            new FrozenSchema(List.of(column("string", ColumnKind.TEXT, 0, false))),
            Map.of("a", 2),
            List.of());
    assertEquals(Rejection.Reason.INVALID_LENGTH, reason(limited, "{\"a\":\"abc\"}"));
    assertTrue(limited.decode("{\"a\":\"😀😀\"}").isValid());
  }

  @Test
  void recordsAreFoundByTheirLines() {
    JsonlCodec codec = of(column("bigint", ColumnKind.INTEGER, 0, false));
    String text = "Sure! {\"a\":1}\n {\"a\":2}\n{\"a\":3} \nprose}\n{\"a\":\"}\"}\n{\"a\":4";
    List<JsonlCodec.Found> found = codec.parse(text);
    assertEquals(
        List.of("{\"a\":1}", "{\"a\":2}", "{\"a\":\"}\"}"),
        found.stream().map(JsonlCodec.Found::text).toList());
    assertTrue(found.get(0).decoded().isValid());
    assertFalse(found.get(2).decoded().isValid());
    assertEquals(List.of(), codec.parse(""));
    assertEquals(List.of(), codec.parse("\n}\n"));
  }
}
