package org.safesynth;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasParameterTypes.Predicates.rawParameterTypes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.File;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Holds the packages of both modules to what they may know and do. */
@Tag("unit")
final class ArchitectureTest {
  private static final JavaClasses CODE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.safesynth");

  @Test
  void modelCodeKnowsNoSpark() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "org.safesynth.codec..",
            "org.safesynth.config..",
            "org.safesynth.model..",
            "org.safesynth.train..",
            "org.safesynth.privacy..",
            "org.safesynth.generate..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.spark..", "scala..")
        .because("it is tested, measured and reused without a cluster")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void evaluateKnowsNoModels() {
    noClasses()
        .that()
        .resideInAPackage("org.safesynth.evaluate..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "org.safesynth.model..",
            "org.safesynth.train..",
            "org.safesynth.privacy..",
            "org.safesynth.generate..",
            "org.safesynth.job..",
            "org.bytedeco..")
        .because("a judge that knows how the rows were made is no judge")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void modelKnowsNoData() {
    noClasses()
        .that()
        .resideInAPackage("org.safesynth.model..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.safesynth.schema..", "org.safesynth.codec..")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void jobKnowsNoTensors() {
    noClasses()
        .that()
        .resideInAPackage("org.safesynth.job..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.bytedeco..", "com.sun.jna..")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void packagesHaveNoCycles() {
    slices()
        .matching("org.safesynth.(*)..")
        .should()
        .beFreeOfCycles()
        .because("a table's way through the code goes forward only")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void randomnessIsKeyed() {
    noClasses()
        .that()
        .doNotHaveSimpleName("SeededStreams")
        .should()
        .callConstructor(Random.class)
        .orShould()
        .callConstructor(Random.class, long.class)
        .orShould()
        .callConstructor(SplittableRandom.class)
        .orShould()
        .callConstructor(SplittableRandom.class, long.class)
        .orShould()
        .callMethod(Math.class, "random")
        .orShould()
        .callMethod(RandomGenerator.class, "of", String.class)
        .orShould()
        .callMethod(RandomGenerator.class, "getDefault")
        .orShould()
        .dependOnClassesThat()
        .belongToAnyOf(ThreadLocalRandom.class, RandomGeneratorFactory.class)
        .because(
            "every draw is keyed by seed and record or step, or the result depends on how Spark cut it")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void filesMayBeRemote() {
    noClasses()
        .that()
        .resideOutsideOfPackages("org.safesynth.model..", "org.safesynth.train..")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(File.class)
        .because(
            "paths are Hadoop's, except for native libraries and the token store on a local disk")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void onlyMainEndsTheProcess() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("org.safesynth.job.Main")
        .should()
        .callMethod(System.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "exit", int.class)
        .orShould()
        .callMethod(Runtime.class, "halt", int.class)
        .because("the session, and on a shared cluster the process, belongs to others")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void noStaticState() {
    fields()
        .that()
        .areStatic()
        .and()
        .areNotDeclaredIn("org.safesynth.model.Natives")
        .should()
        .beFinal()
        .because("executors run several tasks, of several runs, in one JVM")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void stackTracesAreNotPrintedByTheWay() {
    noClasses()
        .should()
        .callMethodWhere(
            target(name("printStackTrace")).and(target(rawParameterTypes(new Class<?>[0]))))
        .because("a fault is one sentence; only --verbose prints its trace, on the job's console")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void namesSayWhatAClassIs() {
    classes()
        .should()
        .haveSimpleNameNotEndingWith("Util")
        .andShould()
        .haveSimpleNameNotEndingWith("Utils")
        .andShould()
        .haveSimpleNameNotEndingWith("Helper")
        .andShould()
        .haveSimpleNameNotEndingWith("Manager")
        .andShould()
        .haveSimpleNameNotEndingWith("Impl")
        .allowEmptyShould(true)
        .check(CODE);
  }
}
