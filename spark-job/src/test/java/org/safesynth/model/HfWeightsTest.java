package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.safesynth.FixtureFiles;
import org.safesynth.fault.BadInputException;

@Tag("unit")
class HfWeightsTest {
  @TempDir Path folder;

  @BeforeAll
  static void load() {
    Natives.load();
  }

  private Path file(String name, String header, byte[] data) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer whole =
        ByteBuffer.allocate(8 + text.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    whole.putLong(text.length).put(text).put(data);
    Path file = folder.resolve(name);
    Files.write(file, whole.array());
    return file;
  }

  private static String tensor(String name, String type, String shape, long from, long to) {
    return "\"%s\": {\"dtype\": \"%s\", \"shape\": %s, \"data_offsets\": [%d, %d]}"
        .formatted(name, type, shape, from, to);
  }

  private static byte[] shorts(int... halves) {
    ByteBuffer data = ByteBuffer.allocate(2 * halves.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int half : halves) {
      data.putShort((short) half);
    }
    return data.array();
  }

  private static float[] values(Tensor tensor) {
    float[] values = new float[(int) tensor.numel()];
    tensor.data_ptr_float().get(values);
    return values;
  }

  @ParameterizedTest
  @CsvSource({"F16, 0x3C00, 0xC100", "BF16, 0x3F80, 0xC020"})
  void sixteenBitWeightsBecomeFloats(String type, String one, String minusTwoAndAHalf)
      throws IOException {
    byte[] data = shorts(Integer.decode(one), Integer.decode(minusTwoAndAHalf));
    Path file = file("w.safetensors", "{" + tensor("w", type, "[1, 2]", 0, 4) + "}", data);
    try (PointerScope scope = new PointerScope()) {
      HfWeights weights = HfWeights.ofFile(file);
      assertArrayEquals(new float[] {1f, -2.5f}, values(weights.floats("w", 1, 2)));
      assertArrayEquals(new float[] {1f, -2.5f}, values(weights.frozen("w", 1, 2)));
    }
  }

  @Test
  void frozenFloatsAreTheMappedFileItself() throws IOException {
    Path model = FixtureFiles.path("models/tinyllama-tiny");
    HfWeights weights = HfWeights.ofFolder(model);
    String name = "model.layers.2.mlp.down_proj.weight";
    try (PointerScope scope = new PointerScope()) {
      Tensor frozen = weights.frozen(name, 64, 176);
      assertArrayEquals(values(weights.floats(name, 64, 176)), values(frozen));
      String address = Long.toHexString(frozen.data_ptr_float().address() & ~0xfffL);
      assertTrue(
          Files.readString(Path.of("/proc/self/maps"))
              .lines()
              .anyMatch(l -> l.startsWith(address + "-") && l.contains("tinyllama-tiny")),
          address);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "outside   | F32 | [2]           | 0  | 8  | F32 | [3]  | 8  | 20 | truncated",
        "negative  | F32 | [2]           | -8 | 0  | F32 | [2]  | 8  | 16 | offsets [-8,0]",
        "backward  | F32 | [2]           | 8  | 0  | F32 | [2]  | 8  | 16 | offsets [8,0]",
        "overlap   | F32 | [2]           | 0  | 8  | F32 | [2]  | 4  | 12 | overlap",
        "shape     | F32 | [3]           | 0  | 8  | F32 | [2]  | 8  | 16 | shape [3]",
        "minus     | F32 | [-2]          | 0  | 8  | F32 | [2]  | 8  | 16 | shape [-2]",
        "huge      | F32 | [4294967296, 4294967296] | 0 | 0 | F32 | [2] | 8 | 16 | has 0 bytes",
        "type      | F8_E4M3 | [8]       | 0  | 8  | F32 | [2]  | 8  | 16 | F8_E4M3"
      })
  void aHostileHeaderIsRefusedBeforeAnyWeightIsRead(
      String what,
      String type,
      String shape,
      long from,
      long to,
      String type2,
      String shape2,
      long from2,
      long to2,
      String named)
      throws IOException {
    String header =
        "{"
            + tensor("a", type, shape, from, to)
            + ", "
            + tensor("b", type2, shape2, from2, to2)
            + "}";
    Path file = file(what + ".safetensors", header, new byte[16]);
    assertRefused(named, file);
  }

  private static void assertRefused(String named, Path file) {
    String message =
        assertThrows(BadInputException.class, () -> HfWeights.ofFile(file)).getMessage();
    assertTrue(message.startsWith(file + " is damaged") && message.contains(named), message);
    assertTrue(!message.contains("\n"), message);
  }

  @Test
  void aHeaderThatTheFileCannotHoldIsRefused() throws IOException {
    for (long claimed : new long[] {Long.MAX_VALUE, -1, 40, 100_000_001, 0}) {
      ByteBuffer data = ByteBuffer.allocate(40).order(ByteOrder.LITTLE_ENDIAN);
      data.putLong(claimed);
      Path file = folder.resolve("claimed.safetensors");
      Files.write(file, data.array());
      assertRefused("claims", file);
    }
    Path tiny = folder.resolve("tiny.safetensors");
    Files.write(tiny, new byte[3]);
    assertRefused("3 bytes", tiny);
    assertRefused("JSON", file("text.safetensors", "{not json", new byte[0]));
    assertRefused("JSON", file("list.safetensors", "[1, 2]", new byte[0]));
    String twice = tensor("a", "F32", "[1]", 0, 4);
    assertRefused("JSON", file("twice.safetensors", "{" + twice + "," + twice + "}", new byte[4]));
  }

  @Test
  void aWeightOfAnotherModelIsRefused() throws IOException {
    String header =
        "{" + tensor("w", "F32", "[2]", 0, 8) + "," + tensor("i", "I64", "[1]", 8, 16) + "}";
    HfWeights weights = HfWeights.ofFile(file("w.safetensors", header, new byte[16]));
    String shape = assertThrows(BadInputException.class, () -> weights.frozen("w", 3)).getMessage();
    assertTrue(shape.contains("[2]") && shape.contains("[3]"), shape);
    String type = assertThrows(BadInputException.class, () -> weights.frozen("i", 1)).getMessage();
    assertTrue(type.contains("Long"), type);
    String absent =
        assertThrows(BadInputException.class, () -> weights.frozen("x", 1)).getMessage();
    assertTrue(absent.contains("no x"), absent);
  }

  private String refusedFolder() {
    return assertThrows(BadInputException.class, () -> HfWeights.ofFolder(folder)).getMessage();
  }

  @Test
  void anIndexMustNameShardsThatAreThere() throws IOException {
    Path index = folder.resolve("model.safetensors.index.json");
    file("one.safetensors", "{" + tensor("a", "F32", "[1]", 0, 4) + "}", new byte[4]);
    Files.writeString(index, "{\"weight_map\": {\"a\": \"one.safetensors\"}}");
    assertEquals(1, HfWeights.ofFolder(folder).shape("a")[0]);

    Files.writeString(
        index, "{\"weight_map\": {\"a\": \"one.safetensors\", \"b\": \"two.safetensors\"}}");
    assertTrue(refusedFolder().contains("two.safetensors are missing"), refusedFolder());

    Files.writeString(
        index, "{\"weight_map\": {\"a\": \"one.safetensors\", \"b\": \"one.safetensors\"}}");
    assertTrue(refusedFolder().contains("has no b"), refusedFolder());

    Files.writeString(index, "{\"weight_map\": {\"a\": \"../one.safetensors\"}}");
    assertTrue(refusedFolder().contains("outside its folder"), refusedFolder());
  }

  @Test
  void aTruncatedShardIsRefused() throws IOException {
    Path model = FixtureFiles.path("models/tinyllama-tiny-sharded-bf16");
    for (int i = 1; i <= 3; i++) {
      String shard = "model-0000" + i + "-of-00003.safetensors";
      Files.copy(model.resolve(shard), folder.resolve(shard));
    }
    String index = "model.safetensors.index.json";
    Files.copy(model.resolve(index), folder.resolve(index));
    Path cut = folder.resolve("model-00002-of-00003.safetensors");
    byte[] whole = Files.readAllBytes(cut);
    Files.write(cut, java.util.Arrays.copyOf(whole, whole.length - 100));
    String message = refusedFolder();
    assertTrue(message.startsWith(cut.toString()) && message.contains("truncated"), message);
  }
}
