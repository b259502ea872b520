package org.safesynth.job;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.storage.StorageLevel;
import org.safesynth.codec.ParentColumns;
import org.safesynth.config.ParentTable;
import org.safesynth.fault.BadInputException;
import org.safesynth.schema.ColumnKind;
import org.safesynth.schema.ColumnProfile;
import org.safesynth.schema.DeclaredColumn;
import org.safesynth.schema.InferredTable;
import org.safesynth.schema.SchemaFile;
import org.safesynth.schema.TableProfile;

/** Reads the parent table of {@code data.parent}, checks the keys, and joins it to its children. */
final class RelatedStage {
  private RelatedStage() {}

  /**
   * Two tables as one of groups.
   *
   * @param inferred the joined columns
   * @param members rows of the groups, kept
   */
  record Joined(
      RelatedTables tables,
      SchemaStage.Inferred inferred,
      RelatedTables.KeyFacts keys,
      JavaRDD<GroupedRows.Member> members) {
    /** Rows of the child table for each of the parent's. */
    double meanChildren() {
      long rows = inferred.profile().rows() - keys.childless();
      return (double) rows / keys.parents();
    }
  }

  /** Opens the parent table. */
  static TableSource open(RunContext context) {
    ParentTable parent = context.config().data().parentTable();
    return TableSource.open(
        context.spark(),
        new TableSource.Address(
            parent.path(), parent.format(), parent.options(), "data.parent.path", "learn"));
  }

  /**
   * Reads and joins.
   *
   * @param children the child table, whose foreign key is never missing
   * @param ofChild its columns
   */
  static Joined run(
      RunContext context,
      TableSource parents,
      TableSource children,
      SchemaStage.Inferred ofChild,
      int orderColumn) {
    ParentTable wish = context.config().data().parentTable();
    SchemaStage.Inferred ofParent = parents.reading(() -> inferred(context, parents, wish));
    RelatedTables tables =
        new RelatedTables(ofParent.schema(), ofChild.schema(), wish.key(), wish.foreignKey());
    RelatedTables.Pairs pairs =
        tables.pairs(
            parents.rows(),
            ofParent.cells(),
            children.rows(),
            ofChild.cells(),
            orderColumn,
            new RecordIdentity(context.seed()),
            GroupStages.partitions(context));
    RelatedTables.KeyFacts keys = children.reading(() -> parents.reading(pairs::facts));
    check(keys, wish, parents, children, ofChild.profile().rows());
    TableProfile profile = profile(ofParent.profile(), ofChild.profile(), tables, keys);
    return new Joined(
        tables,
        new SchemaStage.Inferred(tables.joined(), profile, null),
        keys,
        pairs.members().persist(StorageLevel.MEMORY_AND_DISK()));
  }

  private static SchemaStage.Inferred inferred(
      RunContext context, TableSource parents, ParentTable wish) {
    List<String> names = List.of(parents.rows().columns());
    if (!names.contains(wish.key())) {
      throw new BadInputException(
          "data.parent.key is '%s', but %s has no such column (it has %s)"
              .formatted(wish.key(), parents.name(), String.join(", ", names)));
    }
    Map<String, DeclaredColumn> declared =
        new HashMap<>(
            SchemaStage.declared(context, parents, "data.parent.schema_file", wish.schemaFile()));
    declared.putIfAbsent(wish.key(), SchemaStage.identifier(wish.key()));
    InferredTable inferred = SchemaStage.infer(context, parents, declared);
    int key = names.indexOf(wish.key());
    if (inferred.schema().columns().get(key).kind() != ColumnKind.IDENTIFIER) {
      throw new BadInputException(
          "data.parent.schema_file declares '%s' as %s, but a key is an identifier; remove the column from it, or declare it so"
              .formatted(
                  wish.key(), SchemaStage.word(inferred.schema().columns().get(key).kind())));
    }
    ColumnProfile counts = inferred.profile().columns().get(key);
    if (counts.missing() > 0) {
      throw new BadInputException(
          "%s: %,d of %,d rows have no value in the key '%s'; drop them or give them one"
              .formatted(parents.name(), counts.missing(), counts.rows(), wish.key()));
    }
    context.folder().write(RunFolder.PARENT_SCHEMA, SchemaFile.write(inferred.schema()));
    context.console().info("parent columns: " + SchemaStage.kinds(inferred.schema()));
    return new SchemaStage.Inferred(
        inferred.schema(),
        inferred.profile(),
        SchemaStage.cells(context.config().data(), parents, inferred.schema()));
  }

  private static void check(
      RelatedTables.KeyFacts keys,
      ParentTable wish,
      TableSource parents,
      TableSource children,
      long rows) {
    if (keys.repeated() > 0) {
      throw new BadInputException(
          "%s: %,d of %,d rows have a value of '%s' that another row has, so that it is no key; drop them, or name the column that tells the rows apart as data.parent.key"
              .formatted(parents.name(), keys.repeated(), keys.parents(), wish.key()));
    }
    if (keys.orphans() > 0) {
      throw new BadInputException(
          "%s: %,d of %,d rows have a value of '%s' that is no '%s' of %s, so that they have no parent; drop them, or add their parents"
              .formatted(
                  children.name(),
                  keys.orphans(),
                  rows,
                  wish.foreignKey(),
                  wish.key(),
                  parents.name()));
    }
  }

  /** Each column as its own table counts it: a parent counts once, however many children it has. */
  private static TableProfile profile(
      TableProfile ofParent,
      TableProfile ofChild,
      RelatedTables tables,
      RelatedTables.KeyFacts keys) {
    List<ColumnProfile> columns = new ArrayList<>(ofParent.columns());
    String[] marks = {ParentColumns.NONE, ParentColumns.SOME};
    long[] counts = {keys.childless(), keys.parents() - keys.childless()};
    long[] none = {};
    columns.add(
        new ColumnProfile(
            keys.parents(), 0, 2, true, none, marks, counts, none, none, none, none, none, none));
    for (int c = 0; c < ofChild.columns().size(); c++) {
      if (tables.ofChild(c) != tables.groupColumn()) {
        columns.add(ofChild.columns().get(c));
      }
    }
    return new TableProfile(ofChild.rows() + keys.childless(), columns);
  }
}
