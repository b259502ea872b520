package org.safesynth.job;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.SQLTransformer;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.safesynth.fault.BadInputException;

/** Learning and sampling as stages of a Spark ML pipeline. */
@Tag("spark")
final class TableSynthesizerTest {
  @TempDir private Path temp;

  private static Dataset<Row> table(int rows) {
    return LocalSpark.session()
        .range(rows)
        .selectExpr("id % 23 AS age", "IF(id % 3 = 0, 'ulm', 'bonn') AS town", "id % 7 AS pay");
  }

  private TableSynthesizer synthesizer() {
    return new TableSynthesizer()
        .setArtifactPath(temp.toString())
        .setRunId("r")
        .setParameter("data.random_state", 5)
        .setParameter("embedded.max_minutes", 0.05);
  }

  @Test
  void isStageOfPipelinesAndIsKept() throws IOException, AnalysisException {
    Dataset<Row> table = table(500);
    Pipeline pipeline =
        new Pipeline()
            .setStages(
                new PipelineStage[] {
                  new SQLTransformer().setStatement("SELECT age, town FROM __THIS__"), synthesizer()
                });
    pipeline.write().overwrite().save(temp.resolve("pipeline").toString());
    PipelineModel model = Pipeline.load(temp.resolve("pipeline").toString()).fit(table);
    Dataset<Row> synthetic = model.transform(table);
    assertEquals(500, synthetic.count());
    assertEquals("age BIGINT,town STRING", synthetic.schema().toDDL().replace(" NOT NULL", ""));

    model.write().overwrite().save(temp.resolve("model").toString());
    PipelineModel loaded = PipelineModel.load(temp.resolve("model").toString());
    assertEquals(0, synthetic.exceptAll(loaded.transform(table)).count());
    SynthesizerModel alone = (SynthesizerModel) loaded.stages()[1];
    assertTrue(
        alone.explainParams().contains("current: file:" + temp.resolve("r")),
        alone.explainParams());
    Dataset<Row> more = alone.setNumRecords(700).setSeed(3).transform(table);
    assertEquals(700, more.count());
    assertTrue(more.exceptAll(synthetic).count() > 200);
    assertEquals(
        0,
        LocalSpark.session()
            .catalog()
            .listTables("global_temp")
            .filter("name LIKE 'safesynth_%'")
            .count());
  }

  @Test
  void badInputIsOneSentence() {
    assertTrue(
        assertThrows(
                BadInputException.class,
                () -> synthesizer().setParameter("training.max_step", 3).fit(table(10)))
            .getMessage()
            .contains("training.max_step"));
    assertTrue(
        assertThrows(BadInputException.class, () -> synthesizer().fit(table(0)))
            .getMessage()
            .contains("row"));
    TableSynthesizer odd = synthesizer();
    odd.set(odd.parameters(), new String[] {"data.holdout"});
    assertTrue(
        assertThrows(BadInputException.class, () -> odd.fit(table(10)))
            .getMessage()
            .contains("NAME=VALUE"));
  }
}
