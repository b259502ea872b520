package org.safesynth.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes the reference page: a configuration with every parameter at its default, explained. */
public final class ReferencePage {
  private static final String HEAD =
      """
      # Every parameter with its default. Copy the lines that you change; leave the others out.
      # On the command line a parameter is --section.field or --section__field, which goes before
      # the file; the file goes before the defaults. auto is resolved once the data was read.
      # Made from the declarations in the package org.safesynth.config.
      """;

  /** The section that is null by default: its parameters stand in comments. */
  private static final String OFF = "replace_pii";

  private static final String COMMENTED = "# ";

  private ReferencePage() {}

  /** The page, as YAML that reads as the defaults. */
  public static String text() {
    StringBuilder out = new StringBuilder(HEAD);
    Map<String, String> sections = Parameters.sections();
    sections.forEach(
        (path, meaning) -> {
          boolean off = path.startsWith(OFF);
          if (path.indexOf('.') < 0) {
            out.append('\n');
          }
          String indent = indent(path, off);
          appendComment(out, path.equals(OFF) ? "" : indent, sectionRemarks(path, meaning));
          if (path.equals(OFF)) {
            out.append(OFF).append(": null\n");
          }
          out.append(indent).append(path.substring(path.lastIndexOf('.') + 1)).append(":\n");
          appendParameters(out, path, off);
        });
    return out.toString();
  }

  private static void appendParameters(StringBuilder out, String section, boolean off) {
    for (Declaration declared : Parameters.all()) {
      if (!declared.path().equals(section + "." + declared.name())) {
        continue;
      }
      String indent = indent(declared.path(), off);
      appendComment(out, indent, remarks(declared));
      out.append(indent)
          .append(declared.name())
          .append(": ")
          .append(declared.defaultText())
          .append('\n');
    }
  }

  private static List<String> sectionRemarks(String path, String meaning) {
    return Availability.isMissing(path)
        ? List.of(meaning, "not in this version")
        : List.of(meaning);
  }

  private static List<String> remarks(Declaration declared) {
    List<String> remarks = new ArrayList<>();
    remarks.add(declared.meaning() + " (" + declared.allowed() + ")");
    if (!declared.note().isEmpty()) {
      remarks.add(declared.note());
    }
    if (!declared.isUsedByEmbedded()) {
      remarks.add("not used by the embedded model");
    }
    if (!declared.section().equals(OFF)) {
      Availability.reason(declared.path())
          .ifPresent(reason -> remarks.add("this version " + reason));
    }
    return remarks;
  }

  private static void appendComment(StringBuilder out, String indent, List<String> remarks) {
    out.append(indent).append("# ").append(String.join("; ", remarks)).append(".\n");
  }

  private static String indent(String path, boolean off) {
    long depth = path.chars().filter(c -> c == '.').count();
    String spaces = "  ".repeat((int) depth);
    return off ? COMMENTED + spaces : spaces;
  }
}
