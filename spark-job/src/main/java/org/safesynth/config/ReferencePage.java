package org.safesynth.config;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Generates {@code conf/reference.yaml}: every parameter with its default and what it means. */
public final class ReferencePage {
  private ReferencePage() {}

  /** The page, a configuration that equals the defaults. */
  public static String text() {
    StringBuilder page = new StringBuilder();
    page.append(
        "# Every parameter with its default. Generated from the declarations in the code.\n");
    page.append(
        "# Use it: scripts/safe-synthesizer run --config conf/reference.yaml --data-source T\n");
    page.append("# On the command line: --section__field VALUE or --section.field VALUE.\n");
    page.append(
        "# 'LLM' marks what only pretrained language models use: the embedded model, which is\n");
    page.append("# the default, warns when it is set and does without.\n");
    Set<String> open = new LinkedHashSet<>();
    for (Declaration declared : Parameters.all()) {
      if (declared.section().equals("replace_pii")) {
        continue; // off by default as a whole: its parameters stand in the comment below
      }
      List<String> names = List.of(declared.path().split("\\."));
      for (int depth = 1; depth < names.size(); depth++) {
        String section = String.join(".", names.subList(0, depth));
        if (open.add(section)) {
          String indent = "  ".repeat(depth - 1);
          page.append(depth == 1 ? "\n" : "");
          page.append(indent).append("# ").append(Parameters.sections().get(section)).append('\n');
          page.append(indent).append(names.get(depth - 1)).append(":\n");
        }
      }
      append(page, declared, "  ".repeat(names.size() - 1));
    }
    page.append("\n# ").append(Parameters.sections().get("replace_pii")).append("\n");
    page.append("replace_pii: null\n");
    for (Declaration declared : Parameters.all()) {
      if (declared.section().equals("replace_pii")) {
        page.append("#   ").append(declared.path()).append(": ").append(declared.defaultText());
        page.append("  (").append(declared.meaning()).append(")\n");
      }
    }
    return page.toString();
  }

  private static void append(StringBuilder page, Declaration declared, String indent) {
    page.append(indent).append("# ").append(declared.meaning()).append(": ");
    page.append(declared.allowed());
    if (!declared.note().isEmpty()) {
      page.append("; ").append(declared.note());
    }
    page.append(declared.isUsedByEmbedded() ? "" : ". LLM").append('\n');
    page.append(indent).append(declared.name()).append(": ");
    page.append(declared.defaultText()).append('\n');
  }
}
