package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.codec.DomainCodec;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.marginal.Marginals;
import org.safesynth.marginal.PairTable;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnSchema;
import org.safesynth.schema.FrozenSchema;
import org.safesynth.train.TokenStore;

@Tag("unit")
final class GroupNetworkTest {
  private static final int MOST = 6;
  private static final FrozenSchema SCHEMA =
      new FrozenSchema(
          List.of(
              new ColumnSchema(
                  "key", "string", ColumnKind.IDENTIFIER, false, 0, 0, null, null, null, null, 3),
              new ColumnSchema(
                  "kind",
                  "string",
                  ColumnKind.CATEGORICAL,
                  false,
                  0,
                  0,
                  null,
                  null,
                  null,
                  List.of("a", "b"),
                  0)));
  private static final GroupLayout LAYOUT =
      new GroupLayout(0, -1, new boolean[] {true, false}, new long[0], 1, Long.MAX_VALUE, 2, MOST);

  /** Kinds are a, b, other; sizes 1 to 6. */
  private static GroupRecords records() {
    GroupCodec codec = new GroupCodec(DomainCodec.fine(LAYOUT.derived(SCHEMA)), LAYOUT);
    return new GroupRecords(codec, GroupMarginalStage.sizeCells(MOST));
  }

  /** Groups that begin with a have one row, those with b four or six; kinds take turns. */
  private static GroupNetwork network() {
    double[] ofSizes = new double[3 * MOST];
    ofSizes[0] = 40;
    ofSizes[MOST + 3] = 30;
    ofSizes[MOST + 5] = 30;
    Marginals first =
        new Marginals(
            new double[][] {{40, 60, 0}, {40, 0, 0, 30, 0, 30}},
            1,
            List.of(new PairTable(0, 1, ofSizes, 1)),
            List.of());
    double[] turns = {0, 20, 0, 40, 0, 0, 0, 0, 0};
    Marginals steps =
        new Marginals(
            new double[][] {
              {20, 40, 0},
              new double[GroupDecoderConfig.indexBuckets()],
              new double[MOST],
              {40, 20, 0}
            },
            1,
            List.of(new PairTable(0, 3, turns, 1)),
            List.of());
    return new GroupNetwork(records(), first, steps);
  }

  @Test
  void groupsFollowTheTables() {
    List<String> groups = new ArrayList<>();
    try (TokenStore store = network().draw(2_000, 5)) {
      int[] tokens = new int[store.positions()];
      StringBuilder group = new StringBuilder();
      for (long row = 0; row < store.records(); row++) {
        store.read(row, tokens);
        group.append("ab?".charAt(tokens[1]));
        if (tokens[2] > 0) {
          groups.add(group.toString() + tokens[2]);
          group.setLength(0);
        }
      }
      assertTrue(group.isEmpty(), "the last group has an end");
    }
    assertEquals(2_000, groups.size());
    // A group of the most rows may have had more: its end is not known.
    assertTrue(groups.stream().allMatch(List.of("a1", "baba1", "bababa2")::contains));
    assertEquals(800, groups.stream().filter("a1"::equals).count(), 5 * Math.sqrt(2_000 * 0.24));
    assertEquals(600, groups.stream().filter("baba1"::equals).count(), 5 * Math.sqrt(2_000 * 0.21));
  }

  @Test
  void theSameSeedDrawsTheSameGroups() {
    try (TokenStore one = network().draw(50, 5);
        TokenStore other = network().draw(50, 5)) {
      assertEquals(one.records(), other.records());
      int[] tokens = new int[one.positions()];
      int[] others = new int[one.positions()];
      for (long row = 0; row < one.records(); row++) {
        one.read(row, tokens);
        other.read(row, others);
        assertArrayEquals(tokens, others);
      }
    }
  }
}
