package org.safesynth;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Holds this module's packages to what they may know. Rules for all code of the project are in the
 * spark-job module's test, which sees both.
 */
@Tag("unit")
final class UdfsArchitectureTest {
  private static final JavaClasses CODE =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.safesynth");

  @Test
  void codecKnowsNoSpark() {
    noClasses()
        .that()
        .resideInAPackage("org.safesynth.codec..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.spark..", "scala..")
        .because("codecs also run inside the training and generating tasks, without Spark")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void schemaKnowsNoTokens() {
    noClasses()
        .that()
        .resideInAPackage("org.safesynth.schema..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.safesynth.codec..", "org.safesynth.example..")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void moduleKnowsNoTensors() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.bytedeco..", "com.sun.jna..")
        .because("the module is rows and tokens; it works in a cluster that has no libtorch")
        .allowEmptyShould(true)
        .check(CODE);
  }

  @Test
  void faultKnowsNothing() {
    noClasses()
        .that()
        .resideInAPackage("org.safesynth.fault..")
        .should()
        .dependOnClassesThat()
        .resideOutsideOfPackages("org.safesynth.fault..", "java.lang..")
        .allowEmptyShould(true)
        .check(CODE);
  }
}
