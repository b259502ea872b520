package org.safesynth.job;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute;
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction;
import org.apache.spark.sql.catalyst.expressions.And;
import org.apache.spark.sql.catalyst.expressions.EqualNullSafe;
import org.apache.spark.sql.catalyst.expressions.EqualTo;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GreaterThan;
import org.apache.spark.sql.catalyst.expressions.GreaterThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.In;
import org.apache.spark.sql.catalyst.expressions.LessThan;
import org.apache.spark.sql.catalyst.expressions.LessThanOrEqual;
import org.apache.spark.sql.catalyst.expressions.Literal;
import org.apache.spark.sql.catalyst.expressions.Not;
import org.apache.spark.sql.catalyst.parser.CatalystSqlParser;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.unsafe.types.UTF8String;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A comparison of one column with constants, or with another column, that a condition asks for.
 *
 * @param column its name
 * @param other column that it is compared with; null for constants
 * @param constants numbers as BigDecimal, texts as String, truth values as Boolean and dates as
 *     LocalDate; several for ONE_OF and NONE_OF
 * @param text the whole condition
 */
record ColumnTest(
    String column, Comparison comparison, String other, List<Object> constants, String text) {
  /** How a column is compared. */
  enum Comparison {
    LESS,
    AT_MOST,
    MORE,
    AT_LEAST,
    ONE_OF,
    NONE_OF;

    /** The same with both sides exchanged. */
    Comparison turned() {
      return switch (this) {
        case LESS -> MORE;
        case AT_MOST -> AT_LEAST;
        case MORE -> LESS;
        case AT_LEAST -> AT_MOST;
        default -> this;
      };
    }

    /** What is true where this is false. */
    Comparison opposite() {
      return switch (this) {
        case LESS -> AT_LEAST;
        case AT_MOST -> MORE;
        case MORE -> AT_MOST;
        case AT_LEAST -> LESS;
        case ONE_OF -> NONE_OF;
        case NONE_OF -> ONE_OF;
      };
    }
  }

  /**
   * The comparisons that a condition joins by AND; what else it asks for is left out. A row for
   * which one of them is false does not meet it.
   *
   * <p>A null-safe comparison is true for missing values where others are not: it is taken only
   * where it asks for a constant.
   */
  static List<ColumnTest> of(String text) {
    List<ColumnTest> tests = new ArrayList<>();
    add(new CatalystSqlParser().parseExpression(text), false, text, tests);
    return tests;
  }

  private static void add(
      Expression condition, boolean isNegated, String text, List<ColumnTest> tests) {
    if (condition instanceof Not not) {
      add(not.child(), !isNegated, text, tests);
    } else if (condition instanceof And both && !isNegated) {
      add(both.left(), false, text, tests);
      add(both.right(), false, text, tests);
    } else if (condition instanceof In in) {
      addList(in.value(), CollectionConverters.asJava(in.list()), isNegated, text, tests);
    } else if (condition instanceof UnresolvedFunction function) {
      if (!isNegated) {
        addBetween(function, text, tests);
      }
    } else {
      Comparison comparison = comparison(condition);
      List<Expression> sides = CollectionConverters.asJava(condition.children());
      boolean mayBeMissing =
          condition instanceof EqualNullSafe
              && (isNegated || sides.stream().allMatch(side -> name(side) != null));
      if (comparison != null && !mayBeMissing) {
        Comparison asked = isNegated ? comparison.opposite() : comparison;
        addComparison(sides.get(0), asked, sides.get(1), text, tests);
      }
    }
  }

  private static Comparison comparison(Expression condition) {
    if (condition instanceof EqualTo || condition instanceof EqualNullSafe) {
      return Comparison.ONE_OF;
    }
    if (condition instanceof LessThan) {
      return Comparison.LESS;
    }
    if (condition instanceof LessThanOrEqual) {
      return Comparison.AT_MOST;
    }
    if (condition instanceof GreaterThan) {
      return Comparison.MORE;
    }
    return condition instanceof GreaterThanOrEqual ? Comparison.AT_LEAST : null;
  }

  private static void addBetween(UnresolvedFunction function, String text, List<ColumnTest> tests) {
    List<Expression> arguments = CollectionConverters.asJava(function.arguments());
    String name = String.join(".", CollectionConverters.asJava(function.nameParts()));
    if (name.toLowerCase(Locale.ROOT).equals("between") && arguments.size() == 3) {
      addComparison(arguments.get(0), Comparison.AT_LEAST, arguments.get(1), text, tests);
      addComparison(arguments.get(0), Comparison.AT_MOST, arguments.get(2), text, tests);
    }
  }

  private static void addComparison(
      Expression left, Comparison comparison, Expression right, String text, List<ColumnTest> all) {
    if (name(left) == null && name(right) != null) {
      addComparison(right, comparison.turned(), left, text, all);
    } else if (name(left) != null && name(right) != null) {
      all.add(new ColumnTest(name(left), comparison, name(right), List.of(), text));
    } else if (name(left) != null && constant(right) != null) {
      all.add(new ColumnTest(name(left), comparison, null, List.of(constant(right)), text));
    }
  }

  /** A list that holds NULL is false for no value. */
  private static void addList(
      Expression value,
      List<Expression> list,
      boolean isNegated,
      String text,
      List<ColumnTest> tests) {
    List<Object> constants = new ArrayList<>();
    for (Expression element : list) {
      Object constant = constant(element);
      if (constant == null) {
        return;
      }
      constants.add(constant);
    }
    if (name(value) != null) {
      Comparison comparison = isNegated ? Comparison.NONE_OF : Comparison.ONE_OF;
      tests.add(new ColumnTest(name(value), comparison, null, List.copyOf(constants), text));
    }
  }

  private static String name(Expression expression) {
    return expression instanceof UnresolvedAttribute attribute
            && attribute.nameParts().length() == 1
        ? attribute.nameParts().head()
        : null;
  }

  /** A number, text, date or truth value; null for others and NULL. */
  private static Object constant(Expression expression) {
    if (!(expression instanceof Literal literal)) {
      return null;
    }
    Object value = literal.value();
    if (literal.dataType() instanceof DateType && value instanceof Integer days) {
      return LocalDate.ofEpochDay(days);
    }
    if (value instanceof Boolean) {
      return value;
    }
    if (value instanceof UTF8String) {
      return value.toString();
    }
    if (value instanceof Decimal decimal) {
      return decimal.toJavaBigDecimal();
    }
    boolean isNumber =
        value instanceof Byte
            || value instanceof Short
            || (value instanceof Double d && Double.isFinite(d))
            || (value instanceof Float f && Float.isFinite(f));
    boolean isWhole = literal.dataType().typeName().matches("integer|long");
    return isNumber || (isWhole && value != null) ? new BigDecimal(value.toString()) : null;
  }
}
