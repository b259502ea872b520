package org.safesynth.config;

import java.util.LinkedHashMap;
import java.util.Map;
import org.safesynth.fault.BadInputException;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * Gives a command an option for every parameter, {@code --section.field} or {@code
 * --section__field}, and reads back those that were used.
 */
public final class PicocliOptions {
  private static final Map<String, String> SWITCHES =
      Map.of("--no-privacy", "privacy", "--no-replace-pii", "replace_pii");

  private final Map<String, OptionSpec> options = new LinkedHashMap<>();

  private PicocliOptions() {}

  /** Adds the options, a group with a heading for each section. */
  public static PicocliOptions addTo(CommandSpec command) {
    PicocliOptions added = new PicocliOptions();
    Map<String, ArgGroupSpec.Builder> groups = new LinkedHashMap<>();
    for (Declaration declared : Parameters.all()) {
      OptionSpec option = option(declared);
      added.options.put(declared.path(), option);
      groups.computeIfAbsent(declared.section(), PicocliOptions::group).addArg(option);
    }
    SWITCHES.forEach(
        (name, section) -> {
          OptionSpec option =
              OptionSpec.builder(name)
                  .type(boolean.class)
                  .description("The same as " + section + ": null in YAML.")
                  .build();
          groups.get(section).addArg(option);
          added.options.put(section, option);
        });
    int order = 0;
    for (ArgGroupSpec.Builder group : groups.values()) {
      command.addArgGroup(group.order(order++).build());
    }
    command.usageMessage().abbreviateSynopsis(true);
    return added;
  }

  /**
   * The texts that were given, by path, as {@link ConfigReader#read} takes them.
   *
   * @throws BadInputException if one is given twice
   */
  public Map<String, String> overrides(ParseResult parsed) {
    Map<String, String> overrides = new LinkedHashMap<>();
    options.forEach(
        (path, option) -> {
          String name = option.longestName();
          if (parsed.hasMatchedOption(name)) {
            // Within a group picocli itself lets the last one win.
            if (parsed.matchedOption(name).originalStringValues().size() > 1) {
              throw new BadInputException(
                  Overrides.COMMAND_LINE + ": " + name + " is given twice; keep one");
            }
            Object value = parsed.matchedOptionValue(name, null);
            overrides.put(path, SWITCHES.containsKey(name) ? "null" : String.valueOf(value));
          }
        });
    return overrides;
  }

  private static ArgGroupSpec.Builder group(String section) {
    String meaning = Parameters.sections().get(section);
    return ArgGroupSpec.builder()
        .exclusive(false)
        .multiplicity("0..1")
        .validate(false)
        .heading("%n" + escaped(section + ": " + meaning) + "%n");
  }

  private static OptionSpec option(Declaration declared) {
    String dotted = "--" + declared.path();
    OptionSpec.Builder option =
        OptionSpec.builder(dotted, dotted.replace(".", "__"))
            .type(String.class)
            .paramLabel("<" + declared.typeText().replace(' ', '-') + ">")
            .description(description(declared));
    if (declared.isBoolean()) {
      option.arity("0..1").fallbackValue("true");
    }
    if (!declared.choices().isEmpty() && !declared.isList()) {
      option.completionCandidates(declared.choices());
    }
    return option.build();
  }

  private static String description(Declaration declared) {
    return escaped(
        String.format(
            "%s (%s; default %s).",
            declared.meaning(), declared.allowed(), declared.defaultText()));
  }

  /** Percent signs begin formats in picocli's texts. */
  private static String escaped(String text) {
    return text.replace("%", "%%");
  }
}
