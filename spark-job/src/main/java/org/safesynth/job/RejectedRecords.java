package org.safesynth.job;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.safesynth.generate.JsonlSampler;

/**
 * What a shard's sampling rejected, and why: the task tells the driver, which adds shards up.
 *
 * @param valid records that were taken
 * @param groups null where records stand on their own
 * @param device where they were sampled, in words
 * @param reasons each with how often it was met and a few texts
 */
record RejectedRecords(long shard, long valid, Groups groups, String device, List<Reason> reasons)
    implements Serializable {
  private static final int EXAMPLES = 3;

  /** A kind of fault at a column, or at the whole record when {@code column} is null. */
  record Reason(String reason, String column, long count, List<String> examples)
      implements Serializable {}

  /** Groups that were taken and that were not. */
  record Groups(long valid, long rejected) implements Serializable {
    Groups add(Groups other) {
      return new Groups(valid + other.valid, rejected + other.rejected);
    }
  }

  /**
   * @param hasGroups whether records belong to groups
   */
  static RejectedRecords of(
      long shard, boolean hasGroups, String device, JsonlSampler.Sampled sampled) {
    List<Reason> reasons = new ArrayList<>();
    sampled
        .rejections()
        .forEach(
            (why, count) ->
                reasons.add(
                    new Reason(
                        why.reason().words(),
                        why.column(),
                        count,
                        List.copyOf(sampled.examples().get(why)))));
    Groups groups = hasGroups ? new Groups(sampled.units().size(), sampled.rejectedGroups()) : null;
    return new RejectedRecords(shard, sampled.rows(), groups, device, reasons);
  }

  /** The content of {@code rejected.json}; a shard that a retried task did again counts once. */
  static Map<String, Object> summary(List<RejectedRecords> all) {
    Set<Long> seen = new HashSet<>();
    Map<String, Reason> sums = new TreeMap<>();
    long valid = 0;
    long rejected = 0;
    Groups groups = null;
    List<RejectedRecords> ordered = new ArrayList<>(all);
    ordered.sort(java.util.Comparator.comparingLong(RejectedRecords::shard));
    for (RejectedRecords shard : ordered) {
      if (!seen.add(shard.shard())) {
        continue;
      }
      valid += shard.valid();
      groups =
          groups == null || shard.groups() == null ? shard.groups() : groups.add(shard.groups());
      for (Reason reason : shard.reasons()) {
        rejected += reason.count();
        sums.merge(reason.reason() + "\0" + reason.column(), reason, RejectedRecords::sum);
      }
    }
    List<Reason> reasons = new ArrayList<>(sums.values());
    reasons.sort(java.util.Comparator.comparingLong(Reason::count).reversed());
    Map<String, Object> summary = new LinkedHashMap<>();
    summary.put("rejected", rejected);
    summary.put("valid", valid);
    summary.put(
        "valid_fraction", valid + rejected == 0 ? null : (double) valid / (valid + rejected));
    if (groups != null) {
      summary.put("groups", Map.of("valid", groups.valid(), "rejected", groups.rejected()));
    }
    summary.put("reasons", reasons);
    return summary;
  }

  /**
   * The content of {@code rejected.json} where valid records were thrown away too.
   *
   * @param records {@link #summary} of what was no record
   * @param thrownAway what conditions threw away
   */
  static Map<String, Object> joined(Map<String, Object> records, Map<String, Object> thrownAway) {
    Map<String, Object> joined = new LinkedHashMap<>(thrownAway);
    long valid = (Long) thrownAway.get("valid");
    long rejected = (Long) records.get("rejected") + (Long) thrownAway.get("rejected");
    joined.put("rejected", rejected);
    joined.put(
        "valid_fraction", valid + rejected == 0 ? null : (double) valid / (valid + rejected));
    if (records.containsKey("groups")) {
      joined.put("groups", records.get("groups"));
    }
    List<Object> reasons = new ArrayList<>((List<?>) records.get("reasons"));
    reasons.addAll((List<?>) thrownAway.get("reasons"));
    joined.put("reasons", reasons);
    return joined;
  }

  private static Reason sum(Reason a, Reason b) {
    List<String> examples = new ArrayList<>(a.examples());
    examples.addAll(b.examples());
    return new Reason(
        a.reason(),
        a.column(),
        a.count() + b.count(),
        List.copyOf(examples.subList(0, Math.min(EXAMPLES, examples.size()))));
  }
}
