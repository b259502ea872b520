package org.safesynth.config;

import java.util.LinkedHashMap;
import java.util.Map;
import org.safesynth.fault.BadInputException;

/**
 * Reads {@code generation.rebalance}: columns, their values, and the share that each shall have.
 */
final class Shares {
  private static final double ROUNDING = 1e-6;

  private Shares() {}

  static Map<String, Map<String, Double>> read(Map<String, Object> rebalance) {
    Map<String, Map<String, Double>> columns = new LinkedHashMap<>();
    rebalance.forEach((column, shares) -> columns.put(column, shares(column, shares)));
    if (columns.isEmpty()) {
      throw new BadInputException(
          "generation.rebalance names no column; write {column: {value: share}}, or null");
    }
    return columns;
  }

  private static Map<String, Double> shares(String column, Object given) {
    if (!(given instanceof Map<?, ?> map) || map.isEmpty()) {
      throw new BadInputException(
          "generation.rebalance.%s must be a map of values and shares, such as {yes: 0.5, no: 0.5}"
              .formatted(column));
    }
    Map<String, Double> shares = new LinkedHashMap<>();
    double sum = 0;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      double share = entry.getValue() instanceof Number number ? number.doubleValue() : Double.NaN;
      if (!(share >= 0 && share <= 1)) {
        throw new BadInputException(
            "generation.rebalance.%s: the share of '%s' must be a number from 0 to 1"
                .formatted(column, entry.getKey()));
      }
      shares.put(String.valueOf(entry.getKey()), share);
      sum += share;
    }
    if (Math.abs(sum - 1) > ROUNDING) {
      throw new BadInputException(
          "generation.rebalance.%s: the shares add up to %s; make them add up to 1"
              .formatted(column, YamlText.number(sum)));
    }
    return shares;
  }
}
