package org.safesynth.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.BadInputException;

/**
 * What a safetensors file says of its tensors, checked against the file before any byte of them is
 * touched.
 */
final class SafetensorsHeader {
  private static final int LENGTH_BYTES = 8;
  private static final long LONGEST = 100_000_000; // the format's own limit

  /**
   * One tensor.
   *
   * @param from first byte in the file
   * @param bytes its length
   */
  record Entry(String name, torch.ScalarType type, List<Long> shape, long from, long bytes) {}

  private SafetensorsHeader() {}

  /**
   * Reads and checks the header.
   *
   * @param source the file's name, for the error
   * @throws BadInputException when the header is hostile or the file is not whole
   */
  static Map<String, Entry> read(FileChannel file, String source) throws IOException {
    long size = file.size();
    ByteBuffer prefix = read(file, 0, (int) Math.min(size, LENGTH_BYTES));
    if (size < LENGTH_BYTES) {
      throw refused(source, "it has only " + size + " bytes");
    }
    long length = prefix.getLong();
    if (length < 2 || length > LONGEST || length > size - LENGTH_BYTES) {
      throw refused(
          source,
          "its header claims " + Long.toUnsignedString(length) + " bytes of a file of " + size);
    }
    byte[] text = read(file, LENGTH_BYTES, (int) length).array();
    long start = LENGTH_BYTES + length;
    Map<String, Entry> entries = new LinkedHashMap<>();
    JsonNode header = parse(text, source);
    header
        .fields()
        .forEachRemaining(
            field -> {
              if (!field.getKey().equals("__metadata__")) {
                entries.put(
                    field.getKey(), entry(field.getKey(), field.getValue(), start, size, source));
              }
            });
    checkDisjoint(entries, source);
    return entries;
  }

  private static ByteBuffer read(FileChannel file, long from, int bytes) throws IOException {
    ByteBuffer into = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (into.hasRemaining() && file.read(into, from + into.position()) >= 0) {
      continue;
    }
    return into.flip();
  }

  private static JsonNode parse(byte[] text, String source) {
    try {
      JsonNode header =
          new ObjectMapper()
              .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
              .readTree(new String(text, StandardCharsets.UTF_8));
      if (header == null || !header.isObject()) {
        throw refused(source, "its header is no JSON object");
      }
      return header;
    } catch (JsonProcessingException e) {
      throw new BadInputException(
          source + " is damaged: its header is not JSON; copy it again from where it came from", e);
    }
  }

  private static Entry entry(String name, JsonNode tensor, long start, long size, String source) {
    torch.ScalarType type =
        switch (tensor.path("dtype").asText()) {
          case "F64" -> torch.ScalarType.Double;
          case "F32" -> torch.ScalarType.Float;
          case "F16" -> torch.ScalarType.Half;
          case "BF16" -> torch.ScalarType.BFloat16;
          case "I64" -> torch.ScalarType.Long;
          case "I32" -> torch.ScalarType.Int;
          case "I8" -> torch.ScalarType.Char;
          case "U8" -> torch.ScalarType.Byte;
          case "BOOL" -> torch.ScalarType.Bool;
          default ->
              throw refused(
                  source, "tensor " + name + " has the type " + tensor.path("dtype").asText());
        };
    List<Long> shape = new ArrayList<>();
    tensor.path("shape").forEach(d -> shape.add(d.isIntegralNumber() ? d.asLong() : -1));
    JsonNode offsets = tensor.path("data_offsets");
    long from = offsets.path(0).asLong(-1);
    long to = offsets.path(1).asLong(-1);
    if (offsets.size() != 2 || from < 0 || to < from) {
      throw refused(source, "tensor " + name + " lies at the offsets " + offsets);
    }
    if (to > size - start) {
      throw refused(
          source,
          "tensor "
              + name
              + " ends at byte "
              + to
              + " of "
              + Math.max(0, size - start)
              + ": the file is truncated");
    }
    if (bytes(shape, type) != to - from) {
      throw refused(
          source, "tensor " + name + " of shape " + shape + " has " + (to - from) + " bytes");
    }
    return new Entry(name, type, List.copyOf(shape), start + from, to - from);
  }

  /** Bytes of a tensor; -1 where the shape is negative or too large for any file. */
  private static long bytes(List<Long> shape, torch.ScalarType type) {
    long bytes = elementBytes(type);
    for (long d : shape) {
      if (d < 0 || (d > 0 && bytes > Long.MAX_VALUE / d)) {
        return -1;
      }
      bytes *= d;
    }
    return bytes;
  }

  private static long elementBytes(torch.ScalarType type) {
    return switch (type) {
      case Double, Long -> Long.BYTES;
      case Float, Int -> Float.BYTES;
      case Half, BFloat16 -> Short.BYTES;
      default -> 1;
    };
  }

  private static void checkDisjoint(Map<String, Entry> entries, String source) {
    List<Entry> inOrder = new ArrayList<>(entries.values());
    inOrder.sort(Comparator.comparingLong(Entry::from).thenComparingLong(Entry::bytes));
    for (int i = 1; i < inOrder.size(); i++) {
      Entry before = inOrder.get(i - 1);
      if (before.from() + before.bytes() > inOrder.get(i).from()) {
        throw refused(
            source, "tensors " + before.name() + " and " + inOrder.get(i).name() + " overlap");
      }
    }
  }

  private static BadInputException refused(String source, String why) {
    return new BadInputException(
        source + " is damaged: " + why + "; copy it again from where it came from");
  }
}
