package org.safesynth.job;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.codec.FieldCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.fault.RunFailedException;
import org.safesynth.generate.Endings;
import org.safesynth.model.FieldDecoderConfig;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.model.SafetensorsFile;

/** The trained model of groups in the run folder: as {@link ModelFolder}, with its layout. */
final class GroupModelFolder {
  private static final String ENDINGS = "endings.json";
  private static final String ARCHITECTURE = "safesynth-group-decoder";

  private final ModelFolder files;
  private final Path path;

  GroupModelFolder(Configuration hadoop, Path path) {
    this.files = new ModelFolder(hadoop, path);
    this.path = path;
  }

  /** {@code config.json}. */
  record Shape(
      String architecture,
      FieldDecoderConfig row,
      int memorySize,
      int features,
      boolean hasFirstBias) {}

  /**
   * A model that is ready to be sampled.
   *
   * @param endings null where the model alone says when groups end
   */
  record Model(GroupDecoder decoder, float[] weights, GroupCodec codec, Endings endings) {}

  ModelFolder.Manifest write(
      GroupDecoder decoder, float[] weights, GroupCodec codec, String fingerprint) {
    return write(decoder, weights, codec, fingerprint, null);
  }

  ModelFolder.Manifest write(
      GroupDecoder decoder,
      float[] weights,
      GroupCodec codec,
      String fingerprint,
      Endings endings) {
    GroupDecoderConfig config = decoder.config();
    Shape shape =
        new Shape(
            ARCHITECTURE,
            config.row(),
            config.memorySize(),
            config.features(),
            config.hasFirstBias());
    Map<String, byte[]> contents = new LinkedHashMap<>();
    contents.put(ModelFolder.CONFIG, Json.file(shape).getBytes(StandardCharsets.UTF_8));
    contents.put(ModelFolder.ENCODING, codec.fields().toJson().getBytes(StandardCharsets.UTF_8));
    contents.put(ModelFolder.GROUPS, Json.file(codec.layout()).getBytes(StandardCharsets.UTF_8));
    if (endings != null) {
      contents.put(ENDINGS, Json.file(endings).getBytes(StandardCharsets.UTF_8));
    }
    contents.put(ModelFolder.WEIGHTS, SafetensorsFile.write(decoder.layout(), weights));
    return files.write(contents, fingerprint);
  }

  /** The newest whole manifest, or null. */
  ModelFolder.Manifest manifest() {
    return files.manifest();
  }

  /** Reads a model and checks every file against the manifest. */
  Model read() {
    ModelFolder.Manifest manifest = files.wholeManifest();
    Shape shape = parsed(manifest, ModelFolder.CONFIG, Shape.class);
    GroupLayout layout = parsed(manifest, ModelFolder.GROUPS, GroupLayout.class);
    GroupDecoder decoder =
        new GroupDecoder(
            new GroupDecoderConfig(
                shape.row(), shape.memorySize(), shape.features(), shape.hasFirstBias()));
    String encoding = text(manifest, ModelFolder.ENCODING);
    String weights = new Path(path, ModelFolder.WEIGHTS).toString();
    return new Model(
        decoder,
        SafetensorsFile.read(
            decoder.layout(), files.checked(manifest, ModelFolder.WEIGHTS), weights),
        new GroupCodec(
            FieldCodec.fromJson(encoding, new Path(path, ModelFolder.ENCODING).toString()), layout),
        manifest.sha256().containsKey(ENDINGS) ? parsed(manifest, ENDINGS, Endings.class) : null);
  }

  private String text(ModelFolder.Manifest manifest, String name) {
    return new String(files.checked(manifest, name), StandardCharsets.UTF_8);
  }

  private <T> T parsed(ModelFolder.Manifest manifest, String name, Class<T> type) {
    return Json.parse(text(manifest, name), type)
        .orElseThrow(
            () ->
                new RunFailedException(
                    new Path(path, name) + " does not describe a model of groups; train again"));
  }
}
