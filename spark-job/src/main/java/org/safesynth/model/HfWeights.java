package org.safesynth.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.fault.BadInputException;

/**
 * The named tensors of safetensors files, single or sharded, read by memory map: weights go from
 * the file to libtorch without a copy on the heap, and those that are used as they are stored
 * without any copy.
 */
public final class HfWeights {
  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";
  private static final long PIECE = 1 << 30; // a Java buffer ends at 2 GiB

  private record Place(Path file, SafetensorsHeader.Entry entry) {}

  private final Map<String, Place> places = new HashMap<>();
  private final List<MappedByteBuffer> maps = new ArrayList<>(); // behind the frozen tensors

  private HfWeights() {}

  /** The weights of a model folder. */
  public static HfWeights ofFolder(Path folder) {
    HfWeights weights = new HfWeights();
    Path index = folder.resolve(INDEX);
    if (Files.isRegularFile(folder.resolve(SINGLE)) || !Files.isRegularFile(index)) {
      weights.add(folder.resolve(SINGLE));
    } else {
      weights.addShards(folder, index);
    }
    return weights;
  }

  /** The weights of one file. */
  public static HfWeights ofFile(Path file) {
    HfWeights weights = new HfWeights();
    weights.add(file);
    return weights;
  }

  private void addShards(Path folder, Path index) {
    JsonNode shardOf;
    try {
      shardOf = new ObjectMapper().readTree(Files.readAllBytes(index)).path("weight_map");
    } catch (IOException e) {
      throw new BadInputException(index + " cannot be read as JSON; restore the file", e);
    }
    TreeSet<String> shards = new TreeSet<>();
    shardOf.forEach(shard -> shards.add(shard.asText()));
    for (String shard : shards) {
      Path file = folder.resolve(shard).normalize();
      if (!folder.normalize().equals(file.getParent())) {
        throw new BadInputException(
            "%s names the shard '%s' outside its folder; restore the file".formatted(index, shard));
      }
      add(file);
    }
    shardOf
        .fields()
        .forEachRemaining(
            field -> {
              Place place = places.get(field.getKey());
              if (place == null || !place.file().endsWith(field.getValue().asText())) {
                throw new BadInputException(
                    "%s has no %s, which %s says is there; copy it again from where it came from"
                        .formatted(
                            folder.resolve(field.getValue().asText()), field.getKey(), index));
              }
            });
  }

  private void add(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(
          "the weights %s are missing: copy the file there from where the model came from"
              .formatted(file));
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      SafetensorsHeader.read(channel, file.toString())
          .forEach((name, entry) -> places.put(name, new Place(file, entry)));
    } catch (IOException e) {
      throw unreadable(file, e);
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

  /** The shape of a tensor. */
  public long[] shape(String name) {
    return shape(places.get(name).entry());
  }

  /**
   * A copy of a tensor in float32.
   *
   * @param shape what it must have
   */
  public Tensor floats(String name, long... shape) {
    Place place = weight(name, shape);
    return Scopes.keep(() -> read(place).to(torch.ScalarType.Float));
  }

  /**
   * A copy of a weight in native memory as it is stored: float32, float16 or bfloat16.
   *
   * @param shape what it must have
   */
  Tensor copy(String name, long... shape) {
    return read(weight(name, shape));
  }

  /**
   * A tensor in float32 that is never written: the mapped file itself where it stores float32, else
   * a copy. Valid as long as this object is.
   *
   * @param shape what it must have
   */
  public Tensor frozen(String name, long... shape) {
    Place place = weight(name, shape);
    return place.entry().type() == torch.ScalarType.Float ? mapped(place) : floats(name, shape);
  }

  /** A tensor of any type as it is stored. Never to be written; valid as long as this object is. */
  Tensor stored(String name) {
    return mapped(place(name));
  }

  /**
   * A weight as it is stored: float32, float16 or bfloat16. Never to be written; valid as long as
   * this object is.
   *
   * @param shape what it must have
   */
  Tensor stored(String name, long... shape) {
    return mapped(weight(name, shape));
  }

  /** Values of all tensors. */
  public long values() {
    return places.values().stream()
        .mapToLong(place -> place.entry().shape().stream().reduce(1L, Math::multiplyExact))
        .sum();
  }

  private Place place(String name) {
    Place place = places.get(name);
    if (place == null) {
      throw new BadInputException(
          "the weights have no %s: they are of another model than config.json says"
              .formatted(name));
    }
    return place;
  }

  private Place weight(String name, long... shape) {
    Place place = place(name);
    if (shape.length > 0 && !Arrays.equals(shape, shape(name))) {
      throw new BadInputException(
          "%s: %s has the shape %s, not the %s of config.json"
              .formatted(place.file(), name, place.entry().shape(), Arrays.toString(shape)));
    }
    torch.ScalarType type = place.entry().type();
    if (type != torch.ScalarType.Float
        && type != torch.ScalarType.Half
        && type != torch.ScalarType.BFloat16) {
      throw new BadInputException(
          "%s: %s is of type %s, not float32, float16 or bfloat16"
              .formatted(place.file(), name, type));
    }
    return place;
  }

  /** The file's bytes as a tensor, valid as long as this object is. */
  private Tensor mapped(Place place) {
    SafetensorsHeader.Entry entry = place.entry();
    if (entry.bytes() == 0 || entry.bytes() > Integer.MAX_VALUE) {
      return read(place); // no buffer has room for so many
    }
    try (FileChannel channel = FileChannel.open(place.file(), StandardOpenOption.READ)) {
      MappedByteBuffer buffer =
          channel.map(FileChannel.MapMode.READ_ONLY, entry.from(), entry.bytes());
      synchronized (maps) {
        maps.add(buffer);
      }
      return torch.from_blob(
          new BytePointer(buffer), shape(entry), new TensorOptions(entry.type()));
    } catch (IOException e) {
      throw unreadable(place.file(), e);
    }
  }

  /**
   * The file's bytes, read into native memory: a map would count as memory until it is collected.
   */
  private static Tensor read(Place place) {
    SafetensorsHeader.Entry entry = place.entry();
    Tensor whole = FrozenWeights.empty(entry.type(), shape(entry));
    try (FileChannel channel = FileChannel.open(place.file(), StandardOpenOption.READ);
        PointerScope scope = new PointerScope()) {
      BytePointer bytes = new BytePointer(whole.data_ptr());
      for (long done = 0; done < entry.bytes(); ) {
        bytes.position(done).limit(Math.min(entry.bytes(), done + PIECE));
        ByteBuffer piece = bytes.asByteBuffer();
        while (piece.hasRemaining()) {
          int count = channel.read(piece, entry.from() + done);
          if (count < 0) {
            throw new EOFException("it ends in the middle of a tensor");
          }
          done += count;
        }
      }
      return whole;
    } catch (IOException e) {
      throw unreadable(place.file(), e);
    }
  }

  private static long[] shape(SafetensorsHeader.Entry entry) {
    return entry.shape().stream().mapToLong(Long::longValue).toArray();
  }

  private static BadInputException unreadable(Path file, IOException e) {
    return new BadInputException(
        "%s cannot be read: %s; check the disk and its permissions".formatted(file, e.getMessage()),
        e);
  }
}
