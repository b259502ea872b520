import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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

/** Makes the tables of scripts/bench/cohorts, and reads the figures of its runs. */
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
        "%n| every, seed | column | greatest difference of the first %d autocorrelations | at lag 1, real and"
            + " written | steps of another length | shortest series, real and written |%n"
            + "|---|---|---|---|---|---|%n",
        LAGS);
    for (String every : List.of("week", "day")) {
      int days = every.equals("week") ? 7 : 1;
      Map<String, List<LocalDate>> real = days(folder.resolve(every + ".csv"));
      for (int seed = 1; seed <= seeds; seed++) {
        String run = every + "-" + seed;
        Map<String, List<LocalDate>> written = days(folder.resolve(run + ".csv"));
        JsonNode groups =
            new ObjectMapper()
                .readTree(folder.resolve(run).resolve("metrics.json").toFile())
                .get("measures")
                .get("groups");
        for (JsonNode column : groups.get("autocorrelations")) {
          double[] of = values(column.get("real"));
          double[] made = values(column.get("synthetic"));
          System.out.printf(
              "| %s, %d | %s | %.3f | %.2f, %.2f | %,d of %,d | %d, %d |%n",
              every,
              seed,
              column.get("column").asText(),
              IntStream.range(0, LAGS).mapToDouble(k -> Math.abs(of[k] - made[k])).max().orElse(0),
              of[0],
              made[0],
              otherSteps(written, days),
              written.values().stream().mapToInt(series -> series.size() - 1).sum(),
              shortest(real),
              shortest(written));
        }
      }
    }
  }

  private static double[] values(JsonNode array) {
    return IntStream.range(0, LAGS).mapToDouble(k -> array.get(k).asDouble()).toArray();
  }

  /** The days of each cohort's rows, as they stand. */
  private static Map<String, List<LocalDate>> days(Path file) throws IOException {
    Map<String, List<LocalDate>> days = new HashMap<>();
    List<String> lines = Files.readAllLines(file);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      days.computeIfAbsent(cells[0], cohort -> new ArrayList<>()).add(LocalDate.parse(cells[1]));
    }
    return days;
  }

  private static int shortest(Map<String, List<LocalDate>> days) {
    return days.values().stream().mapToInt(List::size).min().orElse(0);
  }

  private static long otherSteps(Map<String, List<LocalDate>> days, int step) {
    return days.values().stream()
        .flatMap(
            series ->
                IntStream.range(1, series.size())
                    .filter(i -> !series.get(i - 1).plusDays(step).equals(series.get(i)))
                    .boxed())
        .count();
  }
}
