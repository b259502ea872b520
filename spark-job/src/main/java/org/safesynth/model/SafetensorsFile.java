package org.safesynth.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.safesynth.fault.RunFailedException;

/** Reads and writes the flat parameter vector as a safetensors file of float32 tensors. */
public final class SafetensorsFile {
  private static final int LENGTH_BYTES = 8;

  private SafetensorsFile() {}

  /** The file's bytes. */
  public static byte[] write(ParameterLayout layout, float[] flat) {
    ObjectNode header = new ObjectMapper().createObjectNode();
    for (ParameterLayout.Entry entry : layout.entries()) {
      ObjectNode tensor = header.putObject(entry.name());
      tensor.put("dtype", "F32");
      entry.shape().forEach(tensor.putArray("shape")::add);
      tensor
          .putArray("data_offsets")
          .add(entry.offset() * Float.BYTES)
          .add((entry.offset() + entry.size()) * Float.BYTES);
    }
    StringBuilder text = new StringBuilder(header.toString());
    while (text.toString().getBytes(StandardCharsets.UTF_8).length % LENGTH_BYTES != 0) {
      text.append(' ');
    }
    byte[] head = text.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer data =
        ByteBuffer.allocate(LENGTH_BYTES + head.length + flat.length * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    data.putLong(head.length).put(head);
    data.asFloatBuffer().put(flat);
    return data.array();
  }

  /**
   * Reads the vector back.
   *
   * @param source the file's name, for the error
   * @throws RunFailedException when the file does not hold exactly the layout's tensors
   */
  public static float[] read(ParameterLayout layout, byte[] file, String source) {
    ByteBuffer data = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    long headLength = file.length < LENGTH_BYTES ? -1 : data.getLong();
    long start = LENGTH_BYTES + headLength;
    if (headLength < 2 || start > file.length) {
      throw corrupt(source, "its header does not fit in its " + file.length + " bytes", null);
    }
    JsonNode header;
    try {
      String text = new String(file, LENGTH_BYTES, (int) headLength, StandardCharsets.UTF_8);
      header = new ObjectMapper().readTree(text);
    } catch (JsonProcessingException e) {
      throw corrupt(source, "its header is not JSON", e);
    }
    float[] flat = new float[Math.toIntExact(layout.size())];
    for (ParameterLayout.Entry entry : layout.entries()) {
      JsonNode tensor = header.path(entry.name());
      long from = tensor.path("data_offsets").path(0).asLong(-1);
      long to = tensor.path("data_offsets").path(1).asLong(-1);
      boolean fits =
          tensor.path("dtype").asText().equals("F32")
              && shapeOf(tensor).equals(entry.shape().toString())
              && from >= 0
              && to - from == entry.size() * Float.BYTES
              && to <= file.length - start;
      if (!fits) {
        throw corrupt(
            source,
            "tensor " + entry.name() + " of float32 " + entry.shape() + " is not whole in it",
            null);
      }
      ByteBuffer at = data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
      at.position((int) (start + from));
      at.asFloatBuffer().get(flat, (int) entry.offset(), (int) entry.size());
    }
    return flat;
  }

  private static String shapeOf(JsonNode tensor) {
    java.util.List<Long> shape = new java.util.ArrayList<>();
    tensor.path("shape").forEach(size -> shape.add(size.asLong()));
    return shape.toString();
  }

  private static RunFailedException corrupt(String source, String why, Throwable cause) {
    return new RunFailedException(
        source + " is corrupt or truncated: " + why + "; train again or restore the file", cause);
  }
}
