package org.safesynth.model;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.safesynth.fault.RunFailedException;

@Tag("unit")
class NativesTest {
  @Test
  void platformsWithNativesAreKnown() {
    assertEquals("linux-x86_64", Natives.checkPlatform("Linux", "amd64"));
    assertEquals("macosx-arm64", Natives.checkPlatform("Mac OS X", "aarch64"));
    assertEquals("windows-x86_64", Natives.checkPlatform("Windows 11", "amd64"));
  }

  @Test
  void anotherPlatformGetsASentence() {
    RunFailedException fault =
        assertThrows(RunFailedException.class, () -> Natives.checkPlatform("Linux", "aarch64"));
    assertEquals(
        "no libtorch for Linux on aarch64; use Linux or Windows on x86_64, or macOS on arm64",
        fault.getMessage());
  }

  @Test
  void anOldGlibcGetsASentence() {
    assertDoesNotThrow(() -> Natives.checkGlibc("2.34"));
    assertDoesNotThrow(() -> Natives.checkGlibc("3.0"));
    RunFailedException fault =
        assertThrows(RunFailedException.class, () -> Natives.checkGlibc("2.28"));
    assertEquals(
        "libtorch needs glibc 2.34 or later and this system has 2.28; use Debian 12, Ubuntu 22.04,"
            + " RHEL 9 or later",
        fault.getMessage());
  }

  @Test
  void aMissingLibraryOfCudaIsNamed() {
    Throwable fault =
        new UnsatisfiedLinkError("no jnitorch in java.library.path")
            .initCause(
                new UnsatisfiedLinkError(
                    "libjnitorch.so: libcupti.so.13: cannot open shared object file"));
    String said = Natives.sentence("linux-x86_64", fault);
    assertTrue(said.contains("CUDA 13") && said.contains("libcupti.so.13"), said);
    String other =
        Natives.sentence("linux-x86_64", new UnsatisfiedLinkError("libgomp.so.1: not found"));
    assertTrue(other.contains("libgomp.so.1: not found") && !other.contains("CUDA"), other);
  }
}
