package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;

/** Latitude and longitude learned as one place, through the command line. */
@Tag("spark")
final class PlacesTest {
  private static final double LATITUDE = 46.2;
  private static final double LONGITUDE = 6.15;

  @TempDir private static Path temp;

  private final CommandRuns runs = new CommandRuns(temp);

  /** Houses around a round lake of a tenth of a degree; those in the east are dear. */
  private static List<String> houses() {
    SplittableRandom random = new SplittableRandom(9);
    List<String> lines = new ArrayList<>(List.of("homeLat,price,homeLng"));
    for (int i = 0; i < 6_000; i++) {
      double angle = 2 * Math.PI * random.nextDouble();
      double away = 0.1 * (1 + 0.05 * random.nextDouble());
      double longitude = LONGITUDE + away * Math.cos(angle);
      int price = (longitude > LONGITUDE ? 900 : 300) + random.nextInt(50);
      lines.add("%.4f,%d,%.4f".formatted(LATITUDE + away * Math.sin(angle), price, longitude));
    }
    return lines;
  }

  private static Path table;

  @BeforeAll
  static void learn() throws IOException {
    LocalSpark.session();
    table = Files.write(temp.resolve("houses.csv"), houses());
    PlacesTest test = new PlacesTest();
    assertEquals(0, test.run("places"), test.runs.said());
    String said = test.runs.said();
    assertTrue(said.contains("'homeLat' and 'homeLng' are learned as one place"), said);
  }

  private int run(String id, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--data.random_state",
                "3",
                "--training.num_input_records_to_sample",
                "60000",
                "--evaluation.enabled",
                "false",
                "--output-file",
                temp.resolve(id + ".csv").toString()));
    all.addAll(List.of(more));
    if (!all.contains("--data-source")) {
      all.addAll(List.of("--data-source", table.toString()));
    }
    return runs.command("run", id, all.toArray(String[]::new));
  }

  private static double[] cells(String line) {
    String[] cells = line.split(",");
    return new double[] {
      Double.parseDouble(cells[0]), Double.parseDouble(cells[1]), Double.parseDouble(cells[2])
    };
  }

  /** Share of rows that lie in the lake or far from its shore. */
  private static double astray(List<String> lines) {
    return lines.stream()
            .skip(1)
            .map(PlacesTest::cells)
            .filter(
                c -> {
                  double away = Math.hypot(c[0] - LATITUDE, c[2] - LONGITUDE);
                  return away < 0.097 || away > 0.108;
                })
            .count()
        / (lines.size() - 1.0);
  }

  private List<String> written(String id) throws IOException {
    return Files.readAllLines(temp.resolve(id + ".csv"));
  }

  @Test
  void placesLieWhereRealOnesAre() throws IOException {
    assertEquals(0, run("apart", "--data.coordinates", "{}"), runs.said());
    double together = astray(written("places"));
    double apart = astray(written("apart"));
    assertTrue(together < 0.01, together + " of the places are astray");
    assertTrue(apart > 5 * together, apart + " apart and " + together + " together");
  }

  @Test
  void otherColumnsGoWithThePlace() throws IOException {
    long wrong =
        written("places").stream()
            .skip(1)
            .map(PlacesTest::cells)
            .filter(c -> (c[1] > 600) != (c[2] > LONGITUDE))
            .count();
    assertTrue(wrong < 0.05 * 1_000, wrong + " of 1,000");
  }

  /** A latitude alone leaves two shores; with the price it leaves one. */
  @Test
  void oneCoordinateIsCompleted() throws IOException {
    List<String> given = new ArrayList<>(List.of("homeLat,price"));
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 400; i++) {
      double latitude = LATITUDE + 0.09 * (2 * random.nextDouble() - 1);
      given.add("%.4f,%d".formatted(latitude, i % 2 == 0 ? 920 : 320));
    }
    Path file = Files.write(temp.resolve("given.csv"), given);
    assertEquals(
        0,
        runs.command(
            "run generate",
            "places",
            "--generation.conditions",
            file.toString(),
            "--output-file",
            temp.resolve("completed.csv").toString()),
        runs.said());
    List<String> completed = written("completed");
    assertEquals(given.size(), completed.size());
    int wrongShore = 0;
    for (int i = 1; i < given.size(); i++) {
      assertTrue(completed.get(i).startsWith(given.get(i) + ","), completed.get(i));
      wrongShore += (i % 2 == 1) != (cells(completed.get(i))[2] > LONGITUDE) ? 1 : 0;
    }
    assertTrue(astray(completed) < 0.03, astray(completed) + " of the places are astray");
    assertTrue(wrongShore < 60, wrongShore + " of 400 on the wrong shore");
  }

  /** A place is missing as a whole: it must not take the latitude of rows without a longitude. */
  @Test
  void coordinatesThatAreNotMissingTogetherAreLearnedApart() throws IOException {
    List<String> holes = new ArrayList<>(houses());
    for (int i = 1; i < holes.size(); i += 5) {
      holes.set(i, holes.get(i).replaceAll("[^,]*$", ""));
    }
    Path file = Files.write(temp.resolve("holes.csv"), holes);
    assertEquals(0, run("holes", "--data-source", file.toString()), runs.said());
    assertTrue(runs.said().contains("are learned apart, not as one place"), runs.said());
    List<String> lines = written("holes");
    assertTrue(lines.stream().noneMatch(line -> line.startsWith(",")), "a latitude is missing");
    long open = lines.stream().filter(line -> line.endsWith(",")).count();
    assertTrue(open > 100 && open < 300, open + " of 1,000 longitudes are missing");
  }

  /** Every fifth house has no place. */
  @Test
  void aMissingPlaceIsMissingAsAWhole() throws IOException {
    List<String> holes = new ArrayList<>(houses());
    for (int i = 1; i < holes.size(); i += 5) {
      holes.set(i, holes.get(i).replaceAll("^[^,]*(,.*,)[^,]*$", "$1"));
    }
    Path file = Files.write(temp.resolve("whole.csv"), holes);
    assertEquals(0, run("whole", "--data-source", file.toString()), runs.said());
    assertTrue(runs.said().contains("are learned as one place"), runs.said());
    int open = 0;
    for (String line : written("whole")) {
      assertEquals(line.startsWith(","), line.endsWith(","), line);
      open += line.endsWith(",") ? 1 : 0;
    }
    assertTrue(open > 100 && open < 300, open + " of 1,000 places are missing");
  }

  private static FrozenSchema schema(String... names) {
    return new FrozenSchema(
        java.util.Arrays.stream(names)
            .map(
                name ->
                    new ColumnSchema(
                        name,
                        "double",
                        name.startsWith("text") ? ColumnKind.TEXT : ColumnKind.DECIMAL,
                        false,
                        4,
                        0,
                        null,
                        null,
                        null,
                        null,
                        0))
            .collect(Collectors.toList()));
  }

  @Test
  void pairsAreFoundByTheirNames() {
    assertEquals(
        List.of(new PlaceStage.Pair(1, 3), new PlaceStage.Pair(4, 0)),
        PlaceStage.found(
            schema("dropoff Long", "pickup_latitude", "plate", "pickup_longitude", "dropoffLat")));
    assertEquals(List.of(), PlaceStage.found(schema("lat", "pickup_lon", "latency", "longency")));
    assertEquals(List.of(), PlaceStage.found(schema("text lat", "text lon")));
  }

  @Test
  void badCoordinatesAreRefused() {
    assertEquals(2, run("bad1", "--data.coordinates", "{homeLat: homeLon}"), runs.said());
    assertTrue(
        runs.said().contains("data.coordinates names 'homeLon', but"), "said: " + runs.said());
    assertEquals(2, run("bad2", "--data.coordinates", "{homeLat: homeLat}"), runs.said());
    assertTrue(
        runs.said().contains("data.coordinates names 'homeLat' twice"), "said: " + runs.said());
    assertEquals(
        2,
        run(
            "bad3",
            "--data.coordinates",
            "{homeLat: homeLng}",
            "--data.group_training_examples_by",
            "price"),
        runs.said());
    assertTrue(runs.said().contains("data.coordinates"), "said: " + runs.said());
  }
}
