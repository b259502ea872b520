package org.safesynth.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** Values written as YAML read back as the same values. */
@Tag("unit")
final class YamlTextTest {
  private static String readBack(String written) {
    return assertInstanceOf(ScalarNode.class, YamlSource.parse(written, "text", "x")).getValue();
  }

  @Property
  void anyTextReadsBack(@ForAll String text) {
    String written = YamlText.flow(text);
    assertEquals(text, readBack(written));
    assertEquals(
        org.snakeyaml.engine.v2.nodes.Tag.STR, YamlSource.parse(written, "text", "x").getTag());
    assertEquals(text, readBack(YamlText.json(text, "")));
  }

  @Property
  void anyNumberReadsBack(@ForAll double number) {
    assertEquals(number, Double.parseDouble(readBack(YamlText.flow(number))));
  }

  @Property(tries = 100)
  void anyOptionsReadBackThroughTheWholeConfiguration(@ForAll Map<String, String> options) {
    SafeSynthesizerConfig config = new ConfigBuilder().set("data.options", options).build();
    assertEquals(options, config.data().options());
    String saved = ConfigWriter.toYaml(config);
    assertEquals(config, ConfigReader.read(saved, "saved", Map.of()));
  }

  @Example
  void wordsThatYamlWouldReadAsSomethingElseAreQuoted() {
    for (String word :
        List.of("null", "yes", "No", "~", "1e3", "0x1f", "", "a: b", "-", "2020-01-01")) {
      assertEquals('"', YamlText.flow(word).charAt(0), word);
    }
    assertEquals("q_proj", YamlText.flow("q_proj"));
    assertEquals("0.0001", YamlText.flow(1e-4));
    assertEquals("3", YamlText.number(3.0));
  }
}
