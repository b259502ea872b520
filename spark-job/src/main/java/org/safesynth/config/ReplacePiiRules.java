package org.safesynth.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.safesynth.fault.BadInputException;

/** Checks the steps of PII replacement, whose rules are a tree of known keys. */
final class ReplacePiiRules {
  private static final int MAX_STEPS = 10;
  private static final Pattern LOCALE = Pattern.compile("[a-z]{2,3}_[A-Z]{2}");

  /** What a rule may hold, and of what it must hold at least one. */
  private record Rule(Set<String> keys, Set<String> oneOf) {}

  private static final Map<String, Map<String, Rule>> RULES =
      Map.of(
          "columns",
          Map.of(
              "add", new Rule(Set.of("name", "position"), Set.of("name")),
              "drop",
                  new Rule(
                      Set.of("name", "entity", "type", "position", "condition"),
                      Set.of("name", "entity", "type", "position", "condition")),
              "rename", new Rule(Set.of("name", "value"), Set.of("name"))),
          "rows",
          Map.of(
              "drop", new Rule(Set.of("condition"), Set.of("condition")),
              "update",
                  new Rule(
                      Set.of(
                          "name",
                          "entity",
                          "type",
                          "condition",
                          "value",
                          "foreach",
                          "fallback_value",
                          "description"),
                      Set.of("name", "entity", "type", "condition"))));

  private static final String STEPS = "replace_pii.steps";

  private ReplacePiiRules() {}

  static void check(ReplacePii replacePii) {
    List<String> locales = replacePii.globals().locales();
    for (String locale : locales == null ? List.<String>of() : locales) {
      if (!LOCALE.matcher(locale).matches()) {
        throw new BadInputException(
            String.format(
                "replace_pii.globals.locales has '%s', but must be locales such as en_US", locale));
      }
    }
    List<Map<String, Object>> steps = replacePii.steps();
    if (steps == null) {
      return;
    }
    if (steps.isEmpty() || steps.size() > MAX_STEPS) {
      throw new BadInputException(
          String.format(
              "%s has %d steps, but must have 1 to %d; leave it out for the default step",
              STEPS, steps.size(), MAX_STEPS));
    }
    for (int i = 0; i < steps.size(); i++) {
      checkStep(steps.get(i), STEPS + "[" + i + "]");
    }
  }

  private static void checkStep(Map<String, Object> step, String path) {
    checkKeys(step, path, Set.of("vars", "columns", "rows"));
    if (step.get("vars") != null) {
      map(step.get("vars"), path + ".vars");
    }
    RULES.forEach(
        (part, actions) -> {
          if (step.get(part) != null) {
            checkPart(map(step.get(part), path + "." + part), path + "." + part, actions);
          }
        });
  }

  private static void checkPart(Map<?, ?> part, String path, Map<String, Rule> actions) {
    checkKeys(part, path, actions.keySet());
    for (Map.Entry<?, ?> action : part.entrySet()) {
      if (action.getValue() == null) {
        continue;
      }
      String actionPath = path + "." + action.getKey();
      if (!(action.getValue() instanceof List<?> rules)) {
        throw new BadInputException(actionPath + " must be a list of rules, each with a dash");
      }
      for (int i = 0; i < rules.size(); i++) {
        String rulePath = actionPath + "[" + i + "]";
        Rule allowed = actions.get(action.getKey());
        checkRule(map(rules.get(i), rulePath), rulePath, allowed);
      }
    }
  }

  private static void checkRule(Map<?, ?> rule, String path, Rule allowed) {
    checkKeys(rule, path, allowed.keys());
    if (allowed.oneOf().stream().allMatch(key -> rule.get(key) == null)) {
      throw new BadInputException(
          path + " must say what it applies to; give " + sorted(allowed.oneOf(), " or "));
    }
    boolean needsValue = path.contains(".update[") || path.contains(".rename[");
    if (needsValue && rule.get("value") == null) {
      throw new BadInputException(path + " needs value; say what is written instead");
    }
  }

  private static void checkKeys(Map<?, ?> map, String path, Set<String> known) {
    for (Object key : map.keySet()) {
      if (!known.contains(key.toString())) {
        List<String> paths = new ArrayList<>();
        known.stream().sorted().forEach(name -> paths.add(path + "." + name));
        String unknown = path + "." + key;
        throw new BadInputException(
            "unknown parameter " + unknown + "; " + NearestKey.suggestion(unknown, paths));
      }
    }
  }

  private static Map<?, ?> map(Object value, String path) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new BadInputException(path + " must be a map such as {name: value}");
  }

  private static String sorted(Set<String> names, String separator) {
    return String.join(separator, names.stream().sorted().toList());
  }
}
