package org.safesynth.job;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.util.Progressable;

/**
 * A store that holds so many bytes, answers slowly, or refuses now and then, as {@code
 * unreliable:///tmp/x}: local files behind it. What it does is set for the whole process.
 */
public final class UnreliableStore extends RawLocalFileSystem {
  private static final AtomicReference<Nature> NATURE = new AtomicReference<>(Nature.sound());
  private static final AtomicLong WRITTEN = new AtomicLong();
  private static final AtomicInteger REFUSED = new AtomicInteger();

  /**
   * How the store behaves.
   *
   * @param capacity bytes that can be written before it is full
   * @param pauseMillis before each answer
   * @param refusals share of files whose opening or creation fails
   */
  record Nature(long capacity, int pauseMillis, double refusals, Random random) {
    static Nature sound() {
      return new Nature(Long.MAX_VALUE, 0, 0, new Random(0));
    }

    static Nature holding(long bytes) {
      return new Nature(bytes, 0, 0, new Random(0));
    }

    static Nature slow(int millis) {
      return new Nature(Long.MAX_VALUE, millis, 0, new Random(0));
    }

    static Nature refusing(double share, long seed) {
      return new Nature(Long.MAX_VALUE, 0, share, new Random(seed));
    }
  }

  static void register(Configuration hadoop) {
    hadoop.setClass("fs.unreliable.impl", UnreliableStore.class, FileSystem.class);
  }

  static void become(Nature nature) {
    NATURE.set(nature);
    WRITTEN.set(0);
    REFUSED.set(0);
  }

  static long written() {
    return WRITTEN.get();
  }

  static int refused() {
    return REFUSED.get();
  }

  @Override
  public URI getUri() {
    return URI.create("unreliable:///");
  }

  private static void answer(Path file, boolean mayRefuse) throws IOException {
    Nature nature = NATURE.get();
    if (nature.pauseMillis() > 0) {
      try {
        TimeUnit.MILLISECONDS.sleep(nature.pauseMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
    if (mayRefuse && nature.refusals() > 0) {
      synchronized (nature) {
        if (nature.random().nextDouble() < nature.refusals()) {
          REFUSED.incrementAndGet();
          throw new IOException("503 Slow Down: " + file.getName());
        }
      }
    }
  }

  private static FSDataOutputStream bounded(FSDataOutputStream out) {
    OutputStream counting =
        new FilterOutputStream(out) {
          @Override
          public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
          }

          @Override
          public void write(byte[] bytes, int from, int length) throws IOException {
            requireRoom(length);
            this.out.write(bytes, from, length);
          }
        };
    return new FSDataOutputStream(counting, null);
  }

  private static void requireRoom(int bytes) throws IOException {
    if (WRITTEN.addAndGet(bytes) > NATURE.get().capacity()) {
      throw new IOException("No space left on device");
    }
  }

  @Override
  public FSDataInputStream open(Path file, int bufferSize) throws IOException {
    answer(file, true);
    return super.open(file, bufferSize);
  }

  @Override
  public boolean rename(Path from, Path to) throws IOException {
    answer(from, false);
    return super.rename(from, to);
  }

  @Override
  public FSDataOutputStream create(
      Path file,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    answer(file, true);
    requireRoom(0);
    return bounded(super.create(file, overwrite, bufferSize, replication, blockSize, progress));
  }

  @Override
  public FSDataOutputStream create(
      Path file,
      FsPermission permission,
      boolean overwrite,
      int bufferSize,
      short replication,
      long blockSize,
      Progressable progress)
      throws IOException {
    return create(file, overwrite, bufferSize, replication, blockSize, progress);
  }
}
