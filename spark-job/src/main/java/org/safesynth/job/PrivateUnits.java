package org.safesynth.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.safesynth.config.DataConfig;
import org.safesynth.fault.RunFailedException;

/**
 * How many units a private run plans with, and which of them it holds out. A record's own keyed
 * hash decides, so that no record moves another between train and holdout.
 *
 * @param records n̂, public or noisy
 * @param heldOutShare of the identities' range
 */
record PrivateUnits(double records, double heldOutShare) {
  private static final double LARGEST_SHARE = 0.5;

  /** The units of a table of about this many records. */
  static PrivateUnits of(double records, DataConfig data) {
    double asked = data.holdout() < 1 ? data.holdout() : data.holdout() / records;
    double share = Math.min(LARGEST_SHARE, Math.min(asked, data.maxHoldout() / records));
    return new PrivateUnits(records, share);
  }

  /** The units of a run that wrote its ledger: n̂ is on it. */
  static PrivateUnits ofRun(RunContext context) {
    String ledger =
        context
            .folder()
            .read(RunFolder.PRIVACY)
            .orElseThrow(
                () ->
                    new RunFailedException(
                        "the private run %s has no %s, so which rows it held out is not known"
                            .formatted(context.folder().path(), RunFolder.PRIVACY)));
    JsonNode units;
    try {
      units = new ObjectMapper().readTree(ledger).path("units");
    } catch (JsonProcessingException e) {
      throw new RunFailedException(
          "%s of the run %s is no JSON: it was changed since the run wrote it"
              .formatted(RunFolder.PRIVACY, context.folder().path()));
    }
    if (!units.isNumber()) {
      throw new RunFailedException(
          "%s of the run %s has no number of units"
              .formatted(RunFolder.PRIVACY, context.folder().path()));
    }
    return of(units.asDouble(), context.config().data());
  }

  double trained() {
    return records * (1 - heldOutShare);
  }

  /** Identities whose high half is below this number, signed, are held out. */
  long threshold() {
    return (long) Math.scalb(heldOutShare, 63) * 2 + Long.MIN_VALUE;
  }
}
