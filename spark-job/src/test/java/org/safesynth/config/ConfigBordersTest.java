package org.safesynth.config;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Parameters can be read without a cluster. */
@Tag("unit")
final class ConfigBordersTest {
  @Test
  void knowsNoSparkNoHadoopAndNoTorch() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache..", "org.bytedeco..", "scala..")
        .check(new ClassFileImporter().importPackages("org.safesynth.config"));
  }
}
