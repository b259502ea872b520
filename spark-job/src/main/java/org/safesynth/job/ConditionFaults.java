package org.safesynth.job;

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
