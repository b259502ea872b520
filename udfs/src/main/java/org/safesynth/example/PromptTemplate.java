package org.safesynth.example;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.safesynth.fault.BadInputException;

/**
 * The instruction in front of the records, as each family of models is used to it.
 *
 * @param name the family, or {@code custom}
 * @param text with the places {@code {instruction}} and {@code {schema}}
 * @param beginsWithBos whether the token that begins a sequence stands before it
 * @param endsWithEos whether the token that ends a sequence stands behind it
 * @param bosToken text of the token that begins a sequence instead of the tokenizer's own, or null
 * @param stretchesRope whether the context may be stretched by scaling the rotary positions
 */
public record PromptTemplate(
    String name,
    String text,
    boolean beginsWithBos,
    boolean endsWithEos,
    String bosToken,
    boolean stretchesRope)
    implements Serializable {
  /** With its last space: the template's own follows. */
  static final String INSTRUCTION = "Generate a JSONL dataset with the following columns: ";

  private static final String INSTRUCTION_PLACE = "{instruction}";
  private static final String SCHEMA_PLACE = "{schema}";
  private static final String INST = "[INST] {instruction} {schema} [/INST]";
  private static final String INST_APART = "[INST] {instruction} \n\n {schema} [/INST]";
  private static final String CHAT = "user\n {instruction} {schema} \n assistant\n";
  private static final String CHAT_ENDED =
      "user\n {instruction} {schema} <|im_end|> \n assistant\n";
  private static final String IM_START = "<|im_start|>";

  /** In the order in which names are matched. */
  private static final List<PromptTemplate> FAMILIES =
      List.of(
          new PromptTemplate("tinyllama", INST, true, true, null, true),
          new PromptTemplate("qwen", CHAT, true, false, null, true),
          // The reference begins sequences with an id that this family's vocabulary does not have.
          new PromptTemplate("llama32", CHAT, false, false, null, true),
          new PromptTemplate("smollm2", CHAT, false, false, IM_START, false),
          new PromptTemplate("smollm3", CHAT_ENDED, true, false, IM_START, false),
          new PromptTemplate("mistral", INST_APART, true, true, null, false),
          new PromptTemplate("nemotron", INST_APART, true, true, null, true),
          new PromptTemplate("granite", CHAT, false, true, null, true));

  /** The names of the families. */
  public static List<String> names() {
    return FAMILIES.stream().map(PromptTemplate::name).toList();
  }

  /**
   * The template of a run.
   *
   * @param wanted {@code training.prompt_template}: a family's name, a template of one's own, or
   *     null to go by the model
   * @param model id or folder of the model
   * @param architecture {@code model_type} of its {@code config.json}
   */
  public static PromptTemplate choose(String wanted, String model, String architecture) {
    if (wanted != null) {
      return wanted(wanted);
    }
    String folder = model.replaceAll("/+$", "");
    PromptTemplate byName = matching(folder.substring(folder.lastIndexOf('/') + 1));
    PromptTemplate byArchitecture = byName == null ? matching(architecture) : byName;
    return byArchitecture == null ? FAMILIES.get(0) : byArchitecture;
  }

  private static PromptTemplate wanted(String wanted) {
    for (PromptTemplate family : FAMILIES) {
      if (family.name().equals(wanted.toLowerCase(Locale.ROOT))) {
        return family;
      }
    }
    if (!wanted.contains(SCHEMA_PLACE)) {
      throw new BadInputException(
          "training.prompt_template '%s' is neither a family (%s) nor a template with the place %s"
              .formatted(
                  wanted,
                  FAMILIES.stream().map(PromptTemplate::name).collect(Collectors.joining(", ")),
                  SCHEMA_PLACE));
    }
    return new PromptTemplate("custom", wanted.replace("{prefill}", ""), true, false, null, true);
  }

  private static PromptTemplate matching(String name) {
    String plain = name.toLowerCase(Locale.ROOT).replaceAll("[-_.]", "");
    return FAMILIES.stream()
        .filter(family -> plain.contains(family.name()))
        .findFirst()
        .orElse(null);
  }

  /** The text in front of the records of a table with these columns. */
  public String of(String[] columns) {
    String schema =
        Arrays.stream(columns)
            .map(column -> '"' + column + "\":<unk>")
            .collect(Collectors.joining(","));
    int place = text.indexOf(SCHEMA_PLACE);
    // Columns may be called {instruction}: the texts around the schema are filled in on their own.
    return filled(text.substring(0, place))
        + schema
        + filled(text.substring(place + SCHEMA_PLACE.length()));
  }

  private static String filled(String text) {
    return text.replace(INSTRUCTION_PLACE, INSTRUCTION);
  }
}
