import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.time.LocalDate;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Makes the tables of scripts/bench/cohorts, and compares what its runs wrote with them. */
public final class CohortsBench {
  private static final int LAGS = 7;
  private static final int MOST_CUT = 120; // days by which a series may stop early

  private record Purchase(String customer, LocalDate day, double amount) {}

  public static void main(String[] arguments) throws IOException {
    Locale.setDefault(Locale.ROOT);
    if (arguments[0].equals("tables")) {
      tables(Paths.get(arguments[1]), Paths.get(arguments[2]));
    } else {
      figures(Paths.get(arguments[1]), Integer.parseInt(arguments[2]));
    }
  }

  private static void tables(Path file, Path folder) throws IOException {
    List<Purchase> purchases = new ArrayList<>();
    Map<String, LocalDate> first = new HashMap<>();
    List<String> lines = Files.readAllLines(file);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      LocalDate day = LocalDate.parse(cells[1]);
      purchases.add(new Purchase(cells[0], day, Double.parseDouble(cells[3])));
      first.merge(cells[0], day, (a, b) -> a.isBefore(b) ? a : b);
    }
    LocalDate end = purchases.stream().map(Purchase::day).max(LocalDate::compareTo).orElseThrow();
    TreeMap<LocalDate, List<Purchase>> cohorts = new TreeMap<>();
    for (Purchase purchase : purchases) {
      cohorts
          .computeIfAbsent(first.get(purchase.customer()), day -> new ArrayList<>())
          .add(purchase);
    }
    Files.write(folder.resolve("week.csv"), series(cohorts, end, 7));
    Files.write(folder.resolve("day.csv"), series(cohorts, end, 1));
  }

  private static List<String> series(
      TreeMap<LocalDate, List<Purchase>> cohorts, LocalDate end, int days) {
    SplittableRandom random = new SplittableRandom(5);
    List<String> rows = new ArrayList<>(List.of("cohort,day,purchases,amount"));
    cohorts.forEach(
        (start, purchases) -> {
          LocalDate stop = end.minusDays(random.nextInt(MOST_CUT));
          int steps = (int) (ChronoUnit.DAYS.between(start, stop) + 1) / days;
          int[] count = new int[steps];
          double[] amount = new double[steps];
          for (Purchase purchase : purchases) {
            int step = (int) ChronoUnit.DAYS.between(start, purchase.day()) / days;
            if (step < steps) {
              count[step]++;
              amount[step] += purchase.amount();
            }
          }
          for (int i = 0; i < steps; i++) {
            LocalDate day = start.plusDays((long) days * i);
            rows.add("%s,%s,%d,%.2f".formatted(start, day, count[i], amount[i]));
          }
        });
    return rows;
  }

  private static void figures(Path folder, int seeds) throws IOException {
    System.out.printf(
        "%n| every, seed | column | correlation with the row before, real and written | greatest difference at 1 to"
            + " %d rows before | the same, mean over series | steps of another length | shortest series, real and"
            + " written |%n|---|---|---|---|---|---|---|%n",
        LAGS);
    for (String every : List.of("week", "day")) {
      int days = every.equals("week") ? 7 : 1;
      Map<String, List<String[]>> real = series(folder.resolve(every + ".csv"));
      for (int seed = 1; seed <= seeds; seed++) {
        Map<String, List<String[]>> written =
            series(folder.resolve(every + "-" + seed + ".csv"));
        for (int column : new int[] {2, 3}) {
          double[][] of = correlations(real, column);
          double[][] made = correlations(written, column);
          System.out.printf(
              "| %s, %d | %s | %.2f, %.2f | %.3f | %.3f | %,d of %,d | %d, %d |%n",
              every,
              seed,
              column == 2 ? "purchases" : "amount",
              of[0][0],
              made[0][0],
              apart(of[0], made[0]),
              apart(of[1], made[1]),
              otherSteps(written, days),
              written.values().stream().mapToInt(rows -> rows.size() - 1).sum(),
              shortest(real),
              shortest(written));
        }
      }
    }
  }

  private static double apart(double[] a, double[] b) {
    return IntStream.range(0, LAGS).mapToDouble(k -> Math.abs(a[k] - b[k])).max().orElse(0);
  }

  /** Pearson's, of all pairs of rows so far apart, and the mean of each series' own. */
  private static double[][] correlations(Map<String, List<String[]>> series, int column) {
    double[][] all = new double[2][LAGS];
    for (int lag = 1; lag <= LAGS; lag++) {
      List<double[]> pairs = new ArrayList<>();
      double sum = 0;
      int counted = 0;
      for (List<String[]> rows : series.values()) {
        List<double[]> own = new ArrayList<>();
        for (int i = lag; i < rows.size(); i++) {
          own.add(
              new double[] {
                Double.parseDouble(rows.get(i - lag)[column]),
                Double.parseDouble(rows.get(i)[column])
              });
        }
        pairs.addAll(own);
        double of = pearson(own);
        sum += Double.isNaN(of) ? 0 : of;
        counted += Double.isNaN(of) ? 0 : 1;
      }
      all[0][lag - 1] = pearson(pairs);
      all[1][lag - 1] = sum / counted;
    }
    return all;
  }

  private static double pearson(List<double[]> pairs) {
    double a = pairs.stream().mapToDouble(pair -> pair[0]).average().orElse(0);
    double b = pairs.stream().mapToDouble(pair -> pair[1]).average().orElse(0);
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (double[] pair : pairs) {
      ab += (pair[0] - a) * (pair[1] - b);
      aa += (pair[0] - a) * (pair[0] - a);
      bb += (pair[1] - b) * (pair[1] - b);
    }
    return ab / Math.sqrt(aa * bb);
  }

  /** The rows of each cohort, as they stand. */
  private static Map<String, List<String[]>> series(Path file) throws IOException {
    Map<String, List<String[]>> series = new HashMap<>();
    List<String> lines = Files.readAllLines(file);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      series.computeIfAbsent(cells[0], cohort -> new ArrayList<>()).add(cells);
    }
    return series;
  }

  private static int shortest(Map<String, List<String[]>> series) {
    return series.values().stream().mapToInt(List::size).min().orElse(0);
  }

  private static long otherSteps(Map<String, List<String[]>> series, int step) {
    return series.values().stream()
        .flatMap(
            rows ->
                IntStream.range(1, rows.size())
                    .filter(
                        i ->
                            !LocalDate.parse(rows.get(i - 1)[1])
                                .plusDays(step)
                                .equals(LocalDate.parse(rows.get(i)[1])))
                    .boxed())
        .count();
  }
}
