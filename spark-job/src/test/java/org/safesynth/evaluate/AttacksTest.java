package org.safesynth.evaluate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Attacks succeed on copies and have no surplus on rows that were drawn afresh. */
@Tag("spark")
final class AttacksTest {
  private static final String TYPES =
      "a double, b double, c int, d string, e string, f double, g string";

  private static List<Row> rows(int seed, int number) {
    Random random = new Random(seed);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < number; i++) {
      rows.add(
          RowFactory.create(
              100 * random.nextGaussian(),
              random.nextDouble(),
              random.nextInt(500),
              "d" + random.nextInt(5),
              "e" + random.nextInt(9),
              random.nextInt(10) == 0 ? null : Math.exp(random.nextGaussian()),
              random.nextInt(3) == 0 ? null : "g" + random.nextInt(3)));
    }
    return rows;
  }

  private static Evidence evidence(List<Row> real, List<Row> made, List<Row> unseen, int parts) {
    return Evidence.gather(
        EvaluatedTables.input(
            EvaluatedTables.of("r", TYPES, real, parts),
            EvaluatedTables.of("s", TYPES, made, parts),
            unseen == null ? null : EvaluatedTables.of("h", TYPES, unseen, parts)),
        EvaluatedTables.config(Map.of()),
        5);
  }

  private static List<Attack> all(Evidence evidence) {
    List<Attack> attacks = new ArrayList<>();
    attacks.addAll(assertInstanceOf(SinglingOut.class, SinglingOut.of(evidence)).attacks());
    NeighbourAttacks.Linkability linkability =
        assertInstanceOf(
            NeighbourAttacks.Linkability.class, NeighbourAttacks.linkability(evidence));
    attacks.addAll(linkability.attacks());
    Findings findings = new Findings();
    findings.add("linkability", linkability);
    attacks.addAll(
        assertInstanceOf(
                NeighbourAttacks.Inference.class, NeighbourAttacks.inference(evidence, findings))
            .attacks());
    return attacks;
  }

  @Test
  void copiesAreFoundByEveryAttack() {
    List<Row> real = rows(1, 400);
    try (Evidence evidence = evidence(real, real, rows(2, 400), 2)) {
      List<Attack> attacks = all(evidence);
      assertEquals(2 + 1 + 7, attacks.size());
      for (Attack attack : attacks) {
        assertTrue(attack.riskLow() > 0.15, attack.toString());
      }
      Attack linked = attacks.get(2);
      assertEquals("Linkability", linked.name());
      assertTrue(linked.rate() > 0.9 && linked.controlRate() < 0.1, linked.toString());
    }
  }

  @Test
  void freshRowsGiveNobodyAwayAtAnyPartitionCount() {
    List<Attack> first = null;
    for (int parts : new int[] {1, 5}) {
      try (Evidence evidence = evidence(rows(1, 400), rows(3, 400), rows(2, 400), parts)) {
        List<Attack> attacks = all(evidence);
        for (Attack attack : attacks) {
          assertTrue(attack.risk() < 0.1, attack.toString());
        }
        first = first == null ? attacks : first;
        assertEquals(first, attacks);
      }
    }
  }

  @Test
  void withoutUnseenRowsOrWithTooFewTheReasonIsGiven() {
    List<Row> real = rows(1, 60);
    try (Evidence evidence = evidence(real, real, null, 1)) {
      assertTrue(SinglingOut.of(evidence).unavailable().contains("there is no holdout"));
      assertTrue(NeighbourAttacks.linkability(evidence).unavailable().contains("no holdout"));
      assertTrue(
          NeighbourAttacks.inference(evidence, new Findings())
              .unavailable()
              .contains("no holdout"));
    }
    try (Evidence evidence = evidence(real, real, real.subList(0, 7), 1)) {
      assertTrue(SinglingOut.of(evidence).unavailable().endsWith("and there are 7"));
      assertTrue(
          NeighbourAttacks.inference(evidence, new Findings())
              .unavailable()
              .endsWith("and there are 7"));
    }
  }
}
