package org.safesynth.model;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Keys and values of rows that are sampled together.
 *
 * <p>A step appends the same number of columns to all rows; where a row has fewer tokens than the
 * step, the columns in front are padding. Which column holds which position of a row's text is
 * remembered, and attention goes by positions: so rows may stand at different places of their texts
 * and begin anew at any time. When the columns are used up, those still in use move to the front.
 */
public final class KvCache implements AutoCloseable {
  /** Position of a padding column. */
  public static final int PADDING = -1;

  private static final int SLACK = 64;

  private final CausalDecoder decoder;
  private final int rows;
  private final Tensor[] keys; // (rows, kv heads, capacity, head_dim) a layer
  private final Tensor[] values; // (rows, kv heads, capacity, head_dim) a layer
  private int[][] held; // (rows, capacity) position of each column, or PADDING
  private int capacity;
  private int used;
  private int time; // columns of the step in the making

  /**
   * @param rows rows sampled together
   * @param columns most tokens of a row, its prompt included
   */
  public KvCache(CausalDecoder decoder, int rows, int columns) {
    this.decoder = decoder;
    this.rows = rows;
    HfConfig config = decoder.config();
    keys = new Tensor[config.numLayers()];
    values = new Tensor[config.numLayers()];
    capacity = columns + columns / 4 + SLACK;
    held = new int[rows][capacity];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = empty(capacity);
      values[i] = empty(capacity);
    }
  }

  private Tensor empty(int columns) {
    HfConfig config = decoder.config();
    Tensor made = torch.zeros(rows, config.numKvHeads(), columns, config.headDim());
    made.retainReference(); // outlives the caller's scope
    return made;
  }

  /**
   * Begins all rows with the same tokens, which are passed through the model once and not for each.
   *
   * @param prompt the first tokens of every row; the cache must be empty
   */
  public void begin(int[] prompt) {
    if (used > 0) {
      throw new IllegalStateException("rows that hold tokens cannot begin");
    }
    int length = prompt.length;
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        KvCache one = new KvCache(decoder, 1, length)) {
      int[][] places = {IntStream.range(0, length).toArray()};
      one.append(new int[][] {prompt}, places);
      for (int i = 0; i < keys.length; i++) {
        keys[i].narrow(2, 0, length).copy_(one.keys[i].narrow(2, 0, length));
        values[i].narrow(2, 0, length).copy_(one.values[i].narrow(2, 0, length));
      }
      for (int[] row : held) {
        System.arraycopy(places[0], 0, row, 0, length);
      }
      used = length;
    }
  }

  /**
   * Appends tokens to all rows.
   *
   * @param ids (rows, time) any id in padding columns
   * @param positions (rows, time) places in the rows' texts from 0, or {@link #PADDING}
   * @return (rows, vocabulary) logits behind the last column
   */
  public Tensor append(int[][] ids, int[][] positions) {
    time = ids[0].length;
    if (used + time > capacity) {
      compact();
    }
    for (int r = 0; r < rows; r++) {
      System.arraycopy(positions[r], 0, held[r], used, time);
    }
    Tensor logits = decoder.logits(matrix(ids), matrix(positions), this); // (rows, vocabulary)
    used += time;
    return logits;
  }

  private Tensor matrix(int[][] numbers) {
    int columns = numbers[0].length;
    int[] flat = new int[rows * columns];
    for (int r = 0; r < rows; r++) {
      System.arraycopy(numbers[r], 0, flat, r * columns, columns);
    }
    return torch.tensor(flat).view(rows, columns); // (rows, columns)
  }

  /**
   * Lets a row hold only its first tokens, and forgets the others.
   *
   * @param length tokens that stay
   */
  public void truncate(int row, int length) {
    for (int c = 0; c < used; c++) {
      if (held[row][c] >= length) {
        held[row][c] = PADDING;
      }
    }
  }

  /**
   * What the columns of this step see.
   *
   * @return (rows, 1, time, columns) 0 where a column is seen, minus infinity elsewhere
   */
  Tensor mask(Tensor positions, int window) {
    int columns = used + time;
    int[] flat = new int[rows * columns];
    for (int r = 0; r < rows; r++) {
      System.arraycopy(held[r], 0, flat, r * columns, columns);
    }
    Tensor of = torch.tensor(flat).view(rows, 1, 1, columns); // (rows, 1, 1, columns)
    Tensor own = positions.view(rows, 1, time, 1); // (rows, 1, time, 1)
    Tensor seen = of.ge(new Scalar(0)).logical_and(of.le(own)); // (rows, 1, time, columns)
    if (window > 0) {
      seen = seen.logical_and(own.sub(of).lt(new Scalar(window)));
    }
    // A padding column sees everything: what it computes is not used, but must be a number.
    Tensor open = seen.logical_or(own.lt(new Scalar(0))); // (rows, 1, time, columns)
    return torch
        .zeros(rows, 1, time, columns)
        .masked_fill_(open.logical_not(), new Scalar(Float.NEGATIVE_INFINITY));
  }

  void write(int layer, Tensor k, Tensor v) {
    keys[layer].narrow(2, used, time).copy_(k);
    values[layer].narrow(2, used, time).copy_(v);
  }

  Tensor keys(int layer) {
    return keys[layer].narrow(2, 0, used + time);
  }

  Tensor values(int layer) {
    return values[layer].narrow(2, 0, used + time);
  }

  /** Moves the columns in use to the front, and takes more room where that is not enough. */
  private void compact() {
    int longest = 0;
    int[][] kept = new int[rows][];
    for (int r = 0; r < rows; r++) {
      int row = r;
      kept[r] = IntStream.range(0, used).filter(c -> held[row][c] >= 0).toArray();
      longest = Math.max(longest, kept[r].length);
    }
    int wanted = longest + time + SLACK > capacity ? 2 * (longest + time) + SLACK : capacity;
    long[] index = new long[rows * longest];
    int[][] moved = new int[rows][wanted];
    for (int r = 0; r < rows; r++) {
      Arrays.fill(moved[r], PADDING);
      for (int c = 0; c < kept[r].length; c++) {
        index[r * longest + c] = kept[r][c];
        moved[r][c] = held[r][kept[r][c]];
      }
    }
    HfConfig config = decoder.config();
    try (PointerScope moving = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Tensor columns = // (rows, kv heads, longest, head_dim)
          torch
              .tensor(index)
              .view(rows, 1, longest, 1)
              .expand(rows, config.numKvHeads(), longest, config.headDim());
      for (int i = 0; i < keys.length; i++) {
        keys[i] = moved(keys[i], columns, longest, wanted);
        values[i] = moved(values[i], columns, longest, wanted);
      }
    }
    held = moved;
    capacity = wanted;
    used = longest;
  }

  private Tensor moved(Tensor from, Tensor columns, int longest, int wanted) {
    Tensor gathered = from.gather(2, columns); // (rows, kv heads, longest, head_dim)
    Tensor to = from;
    if (wanted != capacity) {
      to = empty(wanted);
      from.releaseReference();
    }
    to.narrow(2, 0, longest).copy_(gathered);
    return to;
  }

  @Override
  public void close() {
    for (int i = 0; i < keys.length; i++) {
      keys[i].releaseReference();
      values[i].releaseReference();
    }
  }
}
