package org.safesynth.evaluate;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Whether the rows of two related tables belong together as the real ones do: how many a parent
 * has, and that every key is whole.
 *
 * @param figures each with its value in both pairs of tables
 */
public record RelatedStructure(List<GroupStructure.Figure> figures) implements Finding {
  static Finding of(Evidence evidence) {
    return evidence
        .input()
        .children()
        .map(RelatedStructure::of)
        .orElseGet(() -> Unavailable.because("the table has no parent table (data.parent)"));
  }

  static Finding of(ChildCounts counts) {
    TreeMap<Long, Long> real = counts.real();
    TreeMap<Long, Long> made = counts.synthetic();
    List<GroupStructure.Figure> figures = new ArrayList<>();
    figures.add(figure("parents", GroupStructure.total(real), GroupStructure.total(made)));
    figures.add(
        new GroupStructure.Figure(
            "rows of a parent, on average",
            GroupStructure.mean(real),
            GroupStructure.mean(made),
            GroupStructure.distance(real, made),
            false));
    figures.add(figure("parents without rows", childless(real), childless(made)));
    figures.add(
        figure(
            "rows that .999 of the parents do not exceed",
            GroupStructure.tail(real),
            GroupStructure.tail(made)));
    figures.add(figure("rows of the parent with most", real.lastKey(), made.lastKey()));
    figures.add(figure("rows without their parent", 0, counts.orphans()));
    figures.add(figure("parents with a key that another has", 0, counts.repeated()));
    return new RelatedStructure(figures);
  }

  private static GroupStructure.Figure figure(String name, double real, double synthetic) {
    return new GroupStructure.Figure(name, real, synthetic, Double.NaN, false);
  }

  private static double childless(TreeMap<Long, Long> sizes) {
    return sizes.getOrDefault(0L, 0L) / GroupStructure.total(sizes);
  }
}
