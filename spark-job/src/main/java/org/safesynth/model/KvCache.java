package org.safesynth.model;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Keys and values of rows that are sampled together: what all rows begin with, once, and of each
 * row the tokens that follow, however many the other rows have.
 *
 * <p>A step appends as many tokens to a row as the caller has for it. Projections run over the
 * tokens of all rows in one product, without padding; only where a row's tokens look at what the
 * row alone holds, they are padded to the row with the most.
 */
public final class KvCache implements AutoCloseable {
  private final CausalDecoder decoder;
  private final int rows;
  private final Tensor[] keys; // (rows, kv heads, capacity, head_dim) a layer
  private final Tensor[] values; // (rows, kv heads, capacity, head_dim) a layer
  private final Tensor[] beginningKeys; // (kv heads, beginning, head_dim) a layer, or null
  private final Tensor[] beginningValues; // (kv heads, beginning, head_dim) a layer, or null
  private final int[] lengths; // (rows) tokens held behind the beginning
  private int beginning; // tokens
  private int capacity;

  /**
   * @param rows rows sampled together
   * @param columns tokens of a row for which there is room at once, without the beginning
   */
  public KvCache(CausalDecoder decoder, int rows, int columns) {
    this.decoder = decoder;
    this.rows = rows;
    this.lengths = new int[rows];
    this.capacity = columns;
    int layers = decoder.config().numLayers();
    this.keys = new Tensor[layers];
    this.values = new Tensor[layers];
    this.beginningKeys = new Tensor[layers];
    this.beginningValues = new Tensor[layers];
    for (int i = 0; i < layers; i++) {
      keys[i] = empty(columns);
      values[i] = empty(columns);
    }
  }

  private Tensor empty(int columns) {
    HfConfig config = decoder.config();
    Tensor made = // (rows, kv heads, columns, head_dim)
        decoder.device().on(torch.zeros(rows, config.numKvHeads(), columns, config.headDim()));
    made.retainReference(); // outlives the caller's scope
    return made;
  }

  /**
   * Begins all rows with the same tokens, which are passed through the model and kept once and not
   * for each.
   *
   * @param prompt the first tokens of every row; the cache must be empty
   */
  public void begin(int[] prompt) {
    if (beginning > 0 || Arrays.stream(lengths).anyMatch(length -> length > 0)) {
      throw new IllegalStateException("rows that hold tokens cannot begin");
    }
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard();
        KvCache one = new KvCache(decoder, 1, prompt.length)) {
      one.append(new int[][] {prompt}, new int[0]);
      for (int i = 0; i < keys.length; i++) {
        beginningKeys[i] = one.keys[i].select(0, 0).clone();
        beginningKeys[i].retainReference();
        beginningValues[i] = one.values[i].select(0, 0).clone();
        beginningValues[i].retainReference();
      }
      beginning = prompt.length;
    }
  }

  /**
   * Appends tokens.
   *
   * @param tokens of each row those that follow; none for a row that waits
   * @param asked rows of which the logits are wanted, in order
   * @return (asked, vocabulary) logits behind the last token of each row that is asked for; null
   *     where none is
   */
  public Tensor append(int[][] tokens, int[] asked) {
    return append(tokens, asked, null).logits();
  }

  /**
   * What a step tells.
   *
   * @param logits (asked, vocabulary), or null where none is asked for
   * @param logLikelihoods (rows)(tokens) of the targets; 0 where there is none
   */
  public record Told(Tensor logits, float[][] logLikelihoods) {}

  /**
   * Appends tokens, and asks how likely the model finds what follows some of them.
   *
   * @param targets of each token the one that follows it, or -1 where nobody wants to know; null
   *     for none at all
   */
  public Told append(int[][] tokens, int[] asked, int[][] targets) {
    Step step = new Step(tokens, lengths, beginning, asked);
    makeRoom(step.longest);
    Told told = decoder.pass(step, this, targets == null ? null : flat(targets));
    for (int r = 0; r < rows; r++) {
      lengths[r] += tokens[r].length;
    }
    return told;
  }

  private static int[] flat(int[][] targets) {
    return Arrays.stream(targets).flatMapToInt(Arrays::stream).toArray();
  }

  /** Lets a row hold only what all rows begin with, and forgets the rest. */
  public void restart(int row) {
    lengths[row] = 0;
  }

  private void makeRoom(int columns) {
    if (columns <= capacity) {
      return;
    }
    int wanted = Math.max(columns, capacity + capacity / 2);
    try (NoGradGuard guard = new NoGradGuard();
        PointerScope scope = new PointerScope()) {
      for (int i = 0; i < keys.length; i++) {
        keys[i] = widened(keys[i], wanted);
        values[i] = widened(values[i], wanted);
      }
    }
    capacity = wanted;
  }

  private Tensor widened(Tensor from, int columns) {
    Tensor to = empty(columns);
    to.narrow(2, 0, capacity).copy_(from);
    from.releaseReference();
    return to;
  }

  /**
   * The tokens that a step appends, those of a row behind one another, and where they belong. Rows
   * without tokens take no part in it.
   */
  static final class Step {
    private final int beginning;
    private final int[] rows; // (active) those with tokens
    private final boolean hasAllRows;
    private final int allRows; // those without tokens too
    private final int time; // tokens of the row with the most
    private final int longest; // tokens that the longest row holds after the step
    private final int[] ids; // (tokens)
    private final int[] activeOf; // (tokens) index of the row among the active ones
    private final int[] indexInStep; // (tokens) from 0 in each row
    private final int[] place; // (tokens) in the row, behind the beginning
    private final int[] asked; // (asked) indexes of tokens

    Step(int[][] tokens, int[] lengths, int beginning, int[] asked) {
      this.beginning = beginning;
      this.rows = IntStream.range(0, tokens.length).filter(r -> tokens[r].length > 0).toArray();
      this.hasAllRows = rows.length == tokens.length;
      this.allRows = tokens.length;
      this.time = Arrays.stream(rows).map(r -> tokens[r].length).max().orElseThrow();
      this.longest =
          Arrays.stream(rows).map(r -> lengths[r] + tokens[r].length).max().orElseThrow();
      int count = Arrays.stream(rows).map(r -> tokens[r].length).sum();
      this.ids = new int[count];
      this.activeOf = new int[count];
      this.indexInStep = new int[count];
      this.place = new int[count];
      int[] last = new int[tokens.length];
      int n = 0;
      for (int a = 0; a < rows.length; a++) {
        int[] of = tokens[rows[a]];
        for (int i = 0; i < of.length; i++) {
          ids[n] = of[i];
          activeOf[n] = a;
          indexInStep[n] = i;
          place[n++] = lengths[rows[a]] + i;
        }
        last[rows[a]] = n - 1;
      }
      this.asked = Arrays.stream(asked).map(r -> last[r]).toArray();
    }

    /** Numbers of the step's tokens (tokens) as their rows have them. */
    float[][] byRow(float[] flat) {
      float[][] rowsOf = new float[allRows][0];
      for (int n = 0; n < ids.length; n++) {
        int row = rows[activeOf[n]];
        if (rowsOf[row].length <= indexInStep[n]) {
          rowsOf[row] = Arrays.copyOf(rowsOf[row], indexInStep[n] + 1);
        }
        rowsOf[row][indexInStep[n]] = flat[n];
      }
      return rowsOf;
    }

    /** Tokens appended. */
    int count() {
      return ids.length;
    }

    /** Rows with tokens. */
    int active() {
      return rows.length;
    }

    /** Tokens of the row with the most. */
    int time() {
      return time;
    }

    Tensor ids() {
      return torch.tensor(ids); // (tokens)
    }

    /** Places in the rows' texts (tokens). */
    Tensor positions() {
      return torch.tensor(Arrays.stream(place).map(p -> beginning + p).toArray());
    }

    /** Indexes of the tokens whose logits are wanted (asked), or null for none. */
    Tensor asked() {
      return asked.length == 0 ? null : torch.tensor(asked);
    }

    /** Where the tokens lie in a rectangle (active, time): (tokens), or null where they fill it. */
    Tensor inRectangle() {
      return ids.length == rows.length * time
          ? null
          : torch.tensor(
              IntStream.range(0, ids.length)
                  .mapToLong(n -> (long) activeOf[n] * time + indexInStep[n])
                  .toArray());
    }

    private Tensor inCache(int kvHeads, int capacity) {
      long[] at = new long[ids.length * kvHeads];
      for (int n = 0; n < ids.length; n++) {
        for (int h = 0; h < kvHeads; h++) {
          at[n * kvHeads + h] = ((long) rows[activeOf[n]] * kvHeads + h) * capacity + place[n];
        }
      }
      return torch.tensor(at);
    }

    /**
     * What the tokens see of what their row alone holds: up to themselves.
     *
     * @param window so many at most, where it is above 0
     * @return (active, 1, time, longest) 0 where a token is seen, minus infinity elsewhere; what
     *     pads a row sees the first
     */
    Tensor mask(int window) {
      int[] own = new int[rows.length * time];
      for (int n = 0; n < ids.length; n++) {
        own[activeOf[n] * time + indexInStep[n]] = place[n];
      }
      Tensor at = torch.tensor(own).view(rows.length, 1, time, 1); // (active, 1, time, 1)
      Tensor column = torch.arange(new Scalar(longest)).view(1, 1, 1, longest);
      Tensor hidden = column.gt(at); // (active, 1, time, longest)
      if (window > 0) {
        hidden = hidden.logical_or(at.sub(column).ge(new Scalar(window)));
      }
      return torch
          .zeros(rows.length, 1, time, longest)
          .masked_fill_(hidden, new Scalar(Float.NEGATIVE_INFINITY));
    }

    /**
     * What the tokens see of the beginning.
     *
     * @return (tokens, beginning) 0 or minus infinity; null where they see all of it
     */
    Tensor beginningMask(int window) {
      int last = Arrays.stream(place).max().orElseThrow();
      if (window == 0 || beginning + last < window) {
        return null;
      }
      Tensor at = positions().unsqueeze(1); // (tokens, 1)
      Tensor hidden = // (tokens, beginning)
          at.sub(torch.arange(new Scalar(beginning)).unsqueeze(0)).ge(new Scalar(window));
      return torch
          .zeros(ids.length, beginning)
          .masked_fill_(hidden, new Scalar(Float.NEGATIVE_INFINITY));
    }
  }

  /**
   * Where a step's tokens are kept, all heads of a token behind one another (tokens * kv heads).
   */
  Tensor places(Step step) {
    return step.inCache(decoder.config().numKvHeads(), capacity);
  }

  /**
   * Takes the keys and values of a step's tokens.
   *
   * @param at (tokens * kv heads) as {@link #places} gives them
   * @param k (tokens, kv heads, head_dim)
   * @param v (tokens, kv heads, head_dim)
   */
  void write(int layer, Tensor at, Tensor k, Tensor v) {
    long d = decoder.config().headDim();
    keys[layer].view(-1, d).index_copy_(0, at, k.reshape(-1, d));
    values[layer].view(-1, d).index_copy_(0, at, v.reshape(-1, d));
  }

  /** The keys that a step's rows alone hold (active * kv heads, longest, head_dim). */
  Tensor keys(int layer, Step step) {
    return held(keys[layer], step);
  }

  /** The values that a step's rows alone hold (active * kv heads, longest, head_dim). */
  Tensor values(int layer, Step step) {
    return held(values[layer], step);
  }

  private Tensor held(Tensor cache, Step step) {
    HfConfig config = decoder.config();
    Tensor used = cache.narrow(2, 0, step.longest); // (rows, kv heads, longest, head_dim)
    Tensor active = // (active, kv heads, longest, head_dim)
        step.hasAllRows ? used : used.index_select(0, decoder.device().on(torch.tensor(step.rows)));
    return active.view((long) step.active() * config.numKvHeads(), step.longest, config.headDim());
  }

  /** The keys of what all rows begin with (kv heads, beginning, head_dim), or null. */
  Tensor beginningKeys(int layer) {
    return beginningKeys[layer];
  }

  /** The values of what all rows begin with (kv heads, beginning, head_dim), or null. */
  Tensor beginningValues(int layer) {
    return beginningValues[layer];
  }

  boolean hasBeginning() {
    return beginning > 0;
  }

  @Override
  public void close() {
    for (int i = 0; i < keys.length; i++) {
      keys[i].releaseReference();
      values[i].releaseReference();
      if (beginning > 0) {
        beginningKeys[i].releaseReference();
        beginningValues[i].releaseReference();
      }
    }
  }
}
