package org.safesynth.job;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Hides secrets of data sources before options and addresses are logged or saved. */
public final class Credentials {
  private static final String MASK = "***";
  private static final Pattern SECRET_NAME =
      Pattern.compile("key|secret|token|passw|pwd|credential|sas", Pattern.CASE_INSENSITIVE);
  private static final Pattern USER_INFO = Pattern.compile("://[^/@\\s]*:[^/@\\s]*@");
  private static final Pattern ASSIGNED =
      Pattern.compile(
          "([\\w.-]*(?:key|secret|token|passw|pwd|credential|sig)[\\w.-]*\\s*=\\s*)[^;&,\\s]+",
          Pattern.CASE_INSENSITIVE);

  private Credentials() {}

  /** Whether an option's name says that its value is a secret. */
  public static boolean isSecret(String name) {
    return SECRET_NAME.matcher(name).find();
  }

  /** The options with every secret value hidden. */
  public static Map<String, String> masked(Map<String, String> options) {
    Map<String, String> masked = new TreeMap<>();
    options.forEach(
        (name, value) -> masked.put(name, isSecret(name) ? MASK : masked(String.valueOf(value))));
    return masked;
  }

  /** A text without {@code user:password@} and {@code password=...}. */
  public static String masked(String text) {
    String withoutUser = USER_INFO.matcher(text).replaceAll("://" + MASK + "@");
    return ASSIGNED.matcher(withoutUser).replaceAll("$1" + MASK);
  }
}
