package org.safesynth.job;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.safesynth.fault.BadInputException;
import org.safesynth.fault.RunFailedException;
import org.safesynth.privacy.LedgerEntry;
import org.safesynth.privacy.Mechanism;

/**
 * Noisy results that a run has paid for. Each is drawn once, on the driver, and written with its
 * line of the ledger in one file before anything uses it; a resumed run reads it and never draws
 * again, since the same count with two noises would cost twice.
 */
final class Purchases {
  private final TextFiles files;
  private final Path folder;
  private final List<LedgerEntry> entries = new ArrayList<>();

  Purchases(Configuration hadoop, Path folder) {
    this.files = new TextFiles(hadoop);
    this.folder = folder;
  }

  /** A file: what was paid, and what for. */
  record Bought(LedgerEntry entry, double[][] values, List<List<String>> names) {}

  /**
   * Noisy results.
   *
   * @param values by what is counted
   * @param names of the values that were selected from the data; null where none were
   */
  record Noisy(double[][] values, List<List<String>> names) {}

  /**
   * The result of an earlier attempt, or a new one.
   *
   * @param entry the mechanism as it is now asked for
   * @param draw counts and adds noise
   */
  double[][] once(LedgerEntry entry, Supplier<double[][]> draw) {
    return named(entry, () -> new Noisy(draw.get(), null)).values();
  }

  /** As {@link #once}, for values that have names. */
  Noisy named(LedgerEntry entry, Supplier<Noisy> draw) {
    Path file = new Path(folder, entry.name().replace(' ', '-') + ".json");
    Optional<String> text = files.read(file);
    Bought bought;
    if (text.isPresent()) {
      bought =
          text.flatMap(whole -> Json.parse(whole, Bought.class))
              .orElseThrow(
                  () ->
                      new RunFailedException(
                          file
                              + " is damaged, and drawing its noise again would cost privacy twice; choose another --run-id"));
      if (!entry.equals(bought.entry())) {
        throw new BadInputException(
            "%s was bought with other privacy settings than the run has now; resume it with those it was begun with, or choose another --run-id"
                .formatted(file));
      }
    } else {
      Noisy drawn = draw.get();
      bought = new Bought(entry, drawn.values(), drawn.names());
      files.write(file, Json.file(bought));
    }
    entries.add(bought.entry());
    return new Noisy(bought.values(), bought.names());
  }

  /** What was bought so far, for the accountant. */
  List<Mechanism> history() {
    return entries.stream().map(LedgerEntry::mechanism).toList();
  }

  List<LedgerEntry> entries() {
    return List.copyOf(entries);
  }
}
