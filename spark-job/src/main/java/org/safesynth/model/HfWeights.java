package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeSet;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.BadInputException;

/**
 * The named tensors of safetensors files, single or sharded, read by memory map: weights go from
 * the file to libtorch without a copy on the heap.
 */
public final class HfWeights {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final int MOST_HEADER_BYTES = 100_000_000;

  private record Place(Path file, String dtype, long[] shape, long begin, long end) {}

  private final Map<String, Place> places = new HashMap<>();

  private HfWeights() {}

  /** The weights of a model folder. */
  public static HfWeights ofFolder(Path folder) {
    HfWeights weights = new HfWeights();
    Path index = folder.resolve(INDEX);
    if (Files.isRegularFile(folder.resolve(SINGLE)) || !Files.isRegularFile(index)) {
      weights.add(folder.resolve(SINGLE));
      return weights;
    }
    TreeSet<String> shards = new TreeSet<>();
    try {
      new ObjectMapper()
          .readTree(Files.readAllBytes(index))
          .path("weight_map")
          .forEach(shard -> shards.add(shard.asText()));
    } catch (IOException e) {
      throw new BadInputException(index + " cannot be read as JSON; restore the file", e);
    }
    shards.forEach(shard -> weights.add(folder.resolve(shard)));
    return weights;
  }

  /** The weights of one file. */
  public static HfWeights ofFile(Path file) {
    HfWeights weights = new HfWeights();
    weights.add(file);
    return weights;
  }

  private void add(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(
          "the weights %s are missing: copy the file there from where the model came from"
              .formatted(file));
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      channel.read(length, 0);
      long header = length.getLong(0);
      require(
          file,
          length.remaining() == 0
              && header > 0
              && header <= MOST_HEADER_BYTES
              && header <= channel.size() - Long.BYTES,
          "its header is longer than the file");
      ByteBuffer text = ByteBuffer.allocate((int) header);
      channel.read(text, Long.BYTES);
      addAll(
          file,
          new String(text.array(), StandardCharsets.UTF_8),
          Long.BYTES + header,
          channel.size());
    } catch (IOException e) {
      throw new BadInputException(
          "%s is no safetensors file: %s"
              .formatted(file, String.valueOf(e.getMessage()).lines().findFirst().orElse("")),
          e);
    }
  }

  private void addAll(Path file, String header, long data, long size) throws IOException {
    JsonNode json = new ObjectMapper().readTree(header);
    for (Iterator<Map.Entry<String, JsonNode>> all = json.fields(); all.hasNext(); ) {
      Map.Entry<String, JsonNode> entry = all.next();
      if (entry.getKey().equals("__metadata__")) {
        continue;
      }
      JsonNode tensor = entry.getValue();
      long begin = tensor.path("data_offsets").path(0).asLong(-1);
      long end = tensor.path("data_offsets").path(1).asLong(-1);
      long[] shape = new long[tensor.path("shape").size()];
      long values = 1;
      for (int i = 0; i < shape.length; i++) {
        shape[i] = tensor.path("shape").get(i).asLong(-1);
        require(file, shape[i] >= 0, entry.getKey() + " has a negative size");
        values = Math.multiplyExact(values, shape[i]);
      }
      String dtype = tensor.path("dtype").asText();
      require(
          file,
          begin >= 0 && begin <= end && end <= size - data,
          entry.getKey() + " lies outside the file");
      require(
          file,
          end - begin == Math.multiplyExact(values, bytes(dtype, file, entry.getKey())),
          entry.getKey() + " does not have the length of its shape");
      places.put(entry.getKey(), new Place(file, dtype, shape, data + begin, data + end));
    }
  }

  private static int bytes(String dtype, Path file, String name) {
    return switch (dtype) {
      case "F64", "I64", "U64" -> 8;
      case "F32", "I32", "U32" -> 4;
      case "F16", "BF16", "I16", "U16" -> 2;
      case "I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2" -> 1;
      default ->
          throw new BadInputException(
              "%s is damaged: %s is of the unknown type '%s'; copy it again from where it came from"
                  .formatted(file, name, dtype));
    };
  }

  private static void require(Path file, boolean isRight, String fault) {
    if (!isRight) {
      throw new BadInputException(
          "%s is damaged: %s; copy it again from where it came from".formatted(file, fault));
    }
  }

  /** Whether there is a tensor of this name. */
  public boolean has(String name) {
    return places.containsKey(name);
  }

  /** The names of all tensors. */
  public Iterable<String> names() {
    return new TreeSet<>(places.keySet());
  }

  /**
   * A tensor in float32.
   *
   * @param shape what it must have
   */
  public Tensor floats(String name, long... shape) {
    Place place = places.get(name);
    if (place == null) {
      throw new BadInputException(
          "the weights have no %s: they are of another model than config.json says"
              .formatted(name));
    }
    if (shape.length > 0 && !java.util.Arrays.equals(shape, place.shape())) {
      throw new BadInputException(
          "%s: %s has the shape %s, not the %s of config.json"
              .formatted(
                  place.file(),
                  name,
                  java.util.Arrays.toString(place.shape()),
                  java.util.Arrays.toString(shape)));
    }
    torch.ScalarType type =
        switch (place.dtype()) {
          case "F32" -> torch.ScalarType.Float;
          case "F16" -> torch.ScalarType.Half;
          case "BF16" -> torch.ScalarType.BFloat16;
          default ->
              throw new BadInputException(
                  "%s: %s is of type %s, not F32, F16 or BF16"
                      .formatted(place.file(), name, place.dtype()));
        };
    try (FileChannel channel = FileChannel.open(place.file(), StandardOpenOption.READ)) {
      ByteBuffer mapped =
          channel.map(FileChannel.MapMode.READ_ONLY, place.begin(), place.end() - place.begin());
      try (BytePointer bytes = new BytePointer(mapped)) {
        Tensor view = torch.from_blob(bytes, place.shape(), new TensorOptions(type));
        Tensor copy = torch.empty(place.shape());
        copy.copy_(view);
        view.close();
        return copy;
      }
    } catch (IOException e) {
      throw new BadInputException(
          "%s cannot be read: %s".formatted(place.file(), e.getMessage()), e);
    }
  }

  /** The shape of a tensor. */
  public long[] shape(String name) {
    return places.get(name).shape().clone();
  }
}
