package org.safesynth.config;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Every parameter as an option of a command, {@code --section.field} or {@code --section__field},
 * with its declared meaning as help.
 */
public final class PicocliOptions {
  private static final Map<String, String> SWITCHES =
      Map.of("--no-privacy", "privacy", "--no-replace-pii", "replace_pii");

  private final Map<String, OptionSpec> parameters = new LinkedHashMap<>();
  private final Map<String, OptionSpec> switches = new LinkedHashMap<>();

  private PicocliOptions() {}

  /** Adds the options, a group for each section. */
  public static PicocliOptions addTo(CommandSpec command) {
    PicocliOptions options = new PicocliOptions();
    Map<String, ArgGroupSpec.Builder> groups = new LinkedHashMap<>();
    Map<String, String> meanings = Parameters.sections();
    for (Declaration declared : Parameters.all()) {
      ArgGroupSpec.Builder group =
          groups.computeIfAbsent(
              declared.section(),
              section ->
                  ArgGroupSpec.builder()
                      .validate(false)
                      .exclusive(false)
                      .multiplicity("0..1")
                      .heading("%n" + section + ": " + meanings.get(section) + "%n"));
      OptionSpec option = option(declared);
      options.parameters.put(declared.path(), option);
      group.addArg(option);
    }
    SWITCHES.forEach(
        (name, section) -> {
          OptionSpec option =
              OptionSpec.builder(name)
                  .type(boolean.class)
                  .arity("0")
                  .description("Switches " + section + " off, whatever the file says.")
                  .build();
          options.switches.put(section, option);
          groups.get(section).addArg(option);
        });
    groups.values().forEach(group -> command.addArgGroup(group.build()));
    return options;
  }

  private static OptionSpec option(Declaration declared) {
    StringBuilder text = new StringBuilder(declared.meaning()).append(". ");
    text.append("Default ").append(declared.defaultText()).append("; ");
    text.append(declared.allowed());
    if (!declared.note().isEmpty()) {
      text.append(" (").append(declared.note()).append(')');
    }
    text.append('.');
    OptionSpec.Builder builder =
        OptionSpec.builder("--" + declared.path(), "--" + declared.path().replace(".", "__"))
            .type(String.class)
            .paramLabel("VALUE")
            .description(text.toString().replace("%", "%%"));
    return declared.isBoolean()
        ? builder.arity("0..1").fallbackValue("true").build()
        : builder.arity("1").build();
  }

  /** What the command line gave, by path, after it was parsed. */
  public Map<String, String> values() {
    Map<String, String> values = new LinkedHashMap<>();
    switches.forEach(
        (section, option) -> {
          if (Boolean.TRUE.equals(option.getValue())) {
            values.put(section, "null");
          }
        });
    parameters.forEach(
        (path, option) -> {
          String value = option.getValue();
          if (value != null) {
            values.put(path, value);
          }
        });
    return values;
  }
}
