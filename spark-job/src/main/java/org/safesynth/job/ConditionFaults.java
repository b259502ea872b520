package org.safesynth.job;

import java.util.Arrays;
import java.util.List;
import org.apache.spark.QueryContext;
import org.apache.spark.QueryContextType;
import org.apache.spark.SparkThrowable;
import org.safesynth.fault.BadInputException;

/** What is wrong with conditions that SQL can read and not evaluate, in one sentence. */
final class ConditionFaults {
  private static final String DATA_EXCEPTION = "22"; // SQL's class of states
  private static final String NO_VALUE_OF_TYPE = "CAST_INVALID_INPUT";

  private ConditionFaults() {}

  /**
   * Of a condition whose constants alone cannot be evaluated.
   *
   * @return null where something else went wrong
   */
  static BadInputException ofConstants(String text, Throwable thrown) {
    SparkThrowable fault = dataException(thrown);
    if (fault == null) {
      return null;
    }
    if (!NO_VALUE_OF_TYPE.equals(fault.getCondition())) {
      return new BadInputException(
          "generation.constraints: '%s' has a constant that cannot be computed (%s); correct it"
              .formatted(text, name(fault)),
          thrown);
    }
    String type = fault.getMessageParameters().get("targetType").replace("\"", "");
    String literal = fault.getMessageParameters().get("expression");
    return noValueOf(type.toLowerCase(java.util.Locale.ROOT), literal, text, thrown);
  }

  /**
   * Runs a pass that evaluates conditions on rows.
   *
   * @throws BadInputException when a row has no value of a condition
   */
  static void evaluating(List<String> texts, Runnable pass) {
    try {
      pass.run();
    } catch (RuntimeException e) {
      throw ofRows(texts, e);
    } catch (Exception e) { // SparkException, which Scala throws without declaring it
      throw ofRows(texts, new IllegalStateException(e));
    }
  }

  private static RuntimeException ofRows(List<String> texts, RuntimeException thrown) {
    SparkThrowable fault = dataException(thrown);
    return fault == null
        ? thrown
        : new BadInputException(
            "generation.constraints: '%s' cannot be computed for some rows (%s); let it be NULL there, as by nullif(b, 0), try_divide or try_cast"
                .formatted(String.join("' or '", blamed(texts, fault)), name(fault)),
            thrown);
  }

  /** The conditions that hold what failed; all where that is not said. */
  private static List<String> blamed(List<String> texts, SparkThrowable fault) {
    List<String> fragments = // of SQL's text
        Arrays.stream(fault.getQueryContext())
            .filter(of -> of.contextType() == QueryContextType.SQL)
            .map(QueryContext::fragment)
            .toList();
    List<String> blamed =
        texts.stream().filter(text -> fragments.stream().anyMatch(text::contains)).toList();
    return blamed.isEmpty() ? texts : blamed;
  }

  /** Of a literal that is compared with a column of another type. */
  static BadInputException noValueOf(String type, String literal, String text, Throwable cause) {
    return new BadInputException(
        "generation.constraints: %s in '%s' is nothing that SQL reads as %s; %s"
            .formatted(literal, text, type, wayToWrite(type)),
        cause);
  }

  private static String wayToWrite(String type) {
    if (type.equals("date")) {
      return "write yyyy-MM-dd, as '2021-04-30', in whatever form the table has its own";
    }
    return type.startsWith("timestamp")
        ? "write yyyy-MM-dd HH:mm:ss, as '2021-04-30 13:15:00', in whatever form the table has its own"
        : "correct it";
  }

  private static SparkThrowable dataException(Throwable thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof SparkThrowable fault
          && fault.getSqlState() != null
          && fault.getSqlState().startsWith(DATA_EXCEPTION)) {
        return fault;
      }
    }
    return null;
  }

  /** {@code DIVIDE_BY_ZERO} in words. */
  private static String name(SparkThrowable fault) {
    return fault
        .getCondition()
        .replaceFirst("\\..*", "")
        .toLowerCase(java.util.Locale.ROOT)
        .replace('_', ' ');
  }
}
