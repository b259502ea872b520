package org.safesynth.job;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.safesynth.codec.FieldCodec;
import org.safesynth.fault.RunFailedException;
import org.safesynth.marginal.Raking;
import org.safesynth.model.FieldDecoder;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.SafetensorsFile;

/**
 * The trained model in the run folder: shape, encoding and weights, then a manifest with their
 * checksums, which is written last and makes the model whole.
 */
final class ModelFolder {
  static final String CONFIG = "config.json";
  static final String ENCODING = "encoding.json";
  static final String WEIGHTS = "model.safetensors";
  static final String RAKING = "raking.json";
  static final String GROUPS = "groups.json";
  static final String MANIFEST = "manifest.json";
  private static final String ARCHITECTURE = "safesynth-field-decoder";

  private final TextFiles files;
  private final Path path;

  ModelFolder(Configuration hadoop, Path path) {
    this.files = new TextFiles(hadoop);
    this.path = path;
  }

  /**
   * What a model folder holds.
   *
   * @param fingerprint digest of what the model was trained on
   * @param sha256 of each file, by name
   */
  record Manifest(String fingerprint, Map<String, String> sha256) {}

  /**
   * {@code config.json}.
   *
   * @param columns positions of each column, of a model that knows any order; else empty, or null
   */
  record Shape(
      String architecture,
      int hiddenSize,
      int numLayers,
      int numHeads,
      List<Integer> vocabularySizes,
      List<Integer> columns) {}

  /**
   * A model that is ready to be sampled.
   *
   * @param raking weights of its records, or null when they are taken as they come
   */
  record Model(FieldDecoder decoder, float[] weights, FieldCodec codec, Raking raking) {}

  /** Writes a model; a folder that is cut off in the middle has no whole manifest. */
  Manifest write(FieldDecoder decoder, float[] weights, FieldCodec codec, String fingerprint) {
    return write(decoder, weights, codec, fingerprint, null);
  }

  Manifest write(
      FieldDecoder decoder, float[] weights, FieldCodec codec, String fingerprint, Raking raking) {
    FieldDecoderConfig config = decoder.config();
    Shape shape =
        new Shape(
            ARCHITECTURE,
            config.hiddenSize(),
            config.numLayers(),
            config.numHeads(),
            config.vocabularySizes(),
            config.columns());
    Map<String, byte[]> contents = new LinkedHashMap<>();
    contents.put(CONFIG, Json.file(shape).getBytes(StandardCharsets.UTF_8));
    contents.put(ENCODING, codec.toJson().getBytes(StandardCharsets.UTF_8));
    contents.put(WEIGHTS, SafetensorsFile.write(decoder.layout(), weights));
    if (raking != null) {
      contents.put(RAKING, Json.line(raking).getBytes(StandardCharsets.UTF_8));
    }
    return write(contents, fingerprint);
  }

  /** Writes files, then the manifest that makes them whole. */
  Manifest write(Map<String, byte[]> contents, String fingerprint) {
    Map<String, String> sha256 = new LinkedHashMap<>();
    for (Map.Entry<String, byte[]> file : contents.entrySet()) {
      write(new Path(path, file.getKey()), file.getValue());
      sha256.put(file.getKey(), sha256(file.getValue()));
    }
    Manifest manifest = new Manifest(fingerprint, sha256);
    files.write(new Path(path, MANIFEST), Json.file(manifest));
    return manifest;
  }

  /** The manifest, or null when there is no whole model. */
  Manifest manifest() {
    return files
        .read(new Path(path, MANIFEST))
        .flatMap(text -> Json.parse(text, Manifest.class))
        .orElse(null);
  }

  /** The manifest; a folder without one is refused. */
  Manifest wholeManifest() {
    Manifest manifest = manifest();
    if (manifest == null) {
      throw new RunFailedException(
          "the model in " + path + " is not whole (no " + MANIFEST + "); train again");
    }
    return manifest;
  }

  /** Reads a model and checks every file against the manifest. */
  Model read() {
    Manifest manifest = wholeManifest();
    String encoding = new String(checked(manifest, ENCODING), StandardCharsets.UTF_8);
    String config = new String(checked(manifest, CONFIG), StandardCharsets.UTF_8);
    Shape shape =
        Json.parse(config, Shape.class)
            .filter(s -> ARCHITECTURE.equals(s.architecture()))
            .orElseThrow(
                () ->
                    new RunFailedException(
                        new Path(path, CONFIG) + " does not describe a model of this library"));
    FieldDecoder decoder =
        new FieldDecoder(
            new FieldDecoderConfig(
                shape.hiddenSize(),
                shape.numLayers(),
                shape.numHeads(),
                shape.vocabularySizes(),
                shape.columns() == null ? List.of() : shape.columns()));
    byte[] weights = checked(manifest, WEIGHTS);
    return new Model(
        decoder,
        SafetensorsFile.read(decoder.layout(), weights, new Path(path, WEIGHTS).toString()),
        FieldCodec.fromJson(encoding, new Path(path, ENCODING).toString()),
        manifest.sha256().containsKey(RAKING) ? raking(manifest) : null);
  }

  private Raking raking(Manifest manifest) {
    String text = new String(checked(manifest, RAKING), StandardCharsets.UTF_8);
    return Json.parse(text, Raking.class)
        .orElseThrow(
            () -> new RunFailedException(new Path(path, RAKING) + " is corrupt; train again"));
  }

  byte[] checked(Manifest manifest, String name) {
    Path file = new Path(path, name);
    byte[] content = bytes(files, file);
    if (!sha256(content).equals(manifest.sha256().get(name))) {
      throw new RunFailedException(
          file
              + " is corrupt or truncated: its checksum is not the one in "
              + MANIFEST
              + "; train again or restore the file");
    }
    return content;
  }

  static byte[] bytes(TextFiles files, Path file) {
    try (FSDataInputStream in = files.fileSystem(file).open(file)) {
      return in.readAllBytes();
    } catch (FileNotFoundException e) {
      throw new RunFailedException(file + " is missing; train again or restore the file", e);
    } catch (IOException e) {
      throw Faults.reading(file, e);
    }
  }

  private void write(Path file, byte[] content) {
    try (FSDataOutputStream out = files.fileSystem(file).create(file, true)) {
      out.write(content);
    } catch (IOException e) {
      throw Faults.writing(file, e);
    }
  }

  static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
