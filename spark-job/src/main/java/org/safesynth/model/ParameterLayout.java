package org.safesynth.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/**
 * Where each named parameter lies in the one flat vector [P] that holds them all, so that
 * optimizer, norms, averages and checkpoints are a few operations on flat vectors.
 */
public final class ParameterLayout {
  /** One parameter: {@code matrix} ones decay. */
  public record Entry(String name, List<Long> shape, long offset) {
    /** Number of values. */
    public long size() {
      return shape.stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    }

    /** Whether weight decay applies: to matrices, not to biases. */
    public boolean isMatrix() {
      return shape.size() > 1;
    }
  }

  private final List<Entry> entries = new ArrayList<>();
  private long size;

  void add(String name, long... shape) {
    Entry entry = new Entry(name, Arrays.stream(shape).boxed().toList(), size);
    entries.add(entry);
    size += entry.size();
  }

  /** The parameters in the vector's order. */
  public List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** P, the length of the flat vector. */
  public long size() {
    return size;
  }

  /** Views of a flat vector, one a parameter, in order; they share its memory. */
  public List<Tensor> views(Tensor flat) {
    List<Tensor> views = new ArrayList<>(entries.size());
    for (Entry entry : entries) {
      long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
      views.add(flat.narrow(0, entry.offset(), entry.size()).view(shape));
    }
    return views;
  }

  /** Views of one flat vector an example (B, P): each (B, shape), in order. */
  public List<Tensor> viewsOfEach(Tensor flat) {
    List<Tensor> views = new ArrayList<>(entries.size());
    for (Entry entry : entries) {
      long[] shape = new long[entry.shape().size() + 1];
      shape[0] = flat.size(0);
      for (int i = 1; i < shape.length; i++) {
        shape[i] = entry.shape().get(i - 1);
      }
      views.add(flat.narrow(1, entry.offset(), entry.size()).view(shape));
    }
    return views;
  }

  /** Flat vector [P] with 1 where weight decay applies and 0 elsewhere. */
  public float[] decayMask() {
    float[] mask = new float[Math.toIntExact(size)];
    for (Entry entry : entries) {
      if (entry.isMatrix()) {
        Arrays.fill(mask, (int) entry.offset(), (int) (entry.offset() + entry.size()), 1f);
      }
    }
    return mask;
  }
}
