package org.safesynth.generate;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.KvCache;

/**
 * Samples token sequences from a causal language model in one batch: a sequence that is finished
 * leaves it and a new one takes its row at once. Where a sequence's grammar leaves one way only,
 * its tokens are taken without a draw.
 *
 * <p>Each sequence draws from a stream of its own, so what it writes does not depend on which
 * others are in the batch but for the rounding of the logits.
 */
final class TextSampler implements AutoCloseable {
  private static final int MOST_MASKS = 512; // 100 MB at a vocabulary of 49,152

  private final CausalDecoder model;
  private final TokenDistribution distribution;
  private final KvCache cache;
  private final int[] prompt;
  private final Row[] rows;
  private final LinkedHashMap<Object, Tensor> masks = // (vocabulary) 0 or -inf, by the tokens
      new LinkedHashMap<>(16, 0.75f, true);
  private final Tensor seen; // (rows, vocabulary) or null
  private long passes;
  private long written;

  /** One row of the batch. */
  private static final class Row {
    private Sequence sequence;
    private int[] pending; // tokens that the cache lacks
    private final BitSet counted = new BitSet(); // pending ones whose likelihood counts
    private boolean hasChosen;
  }

  /** A sequence in the making: says what may follow and hears what does. */
  interface Sequence {
    /** The tokens that must follow now, none for a choice. */
    int[] forced();

    /** The tokens that may follow, in order; null for all. */
    int[] allowed();

    /** The tokens behind the prompt that it begins with. */
    default int[] prefix() {
      return new int[0];
    }

    /** Whether a finished sequence begins again, with another prefix. */
    default boolean goesOn() {
      return false;
    }

    /** Whether the likelihood of some of what must follow a choice counts. */
    default boolean isWeighed() {
      return false;
    }

    /** Whether that of the token that was taken last does. */
    default boolean counts() {
      return false;
    }

    /** Hears how likely the model found what counts since the last choice. */
    default void weigh(double logLikelihood) {}

    /** Whether nothing is left to choose; it may still wait for a likelihood. */
    default boolean isComplete() {
      return isFinished();
    }

    /** Takes what was written; called after each token, forced ones included. */
    void accept(int token);

    /** Whether the sequence is complete. */
    boolean isFinished();

    /** A number below 1 from the sequence's own stream. */
    float uniform();
  }

  /**
   * @param prompt what every sequence begins with
   * @param rows sequences sampled together
   * @param columns most tokens of a sequence, with its prompt
   */
  TextSampler(
      CausalDecoder model, TokenDistribution distribution, int[] prompt, int rows, int columns) {
    this.model = model;
    this.distribution = distribution;
    this.prompt = prompt.clone();
    this.cache = new KvCache(model, rows, columns);
    if (prompt.length > 1) {
      cache.begin(Arrays.copyOf(prompt, prompt.length - 1));
    }
    this.rows = new Row[rows];
    Arrays.setAll(this.rows, r -> new Row());
    this.seen =
        distribution.penalizes()
            ? model
                .device()
                .on(
                    torch.zeros(
                        new long[] {rows, model.config().vocabularySize()},
                        new org.bytedeco.pytorch.TensorOptions(torch.ScalarType.Bool)))
            : null;
    if (seen != null) {
      seen.retainReference();
    }
  }

  /** Forward passes so far. */
  long passes() {
    return passes;
  }

  /** Tokens written so far. */
  long tokensWritten() {
    return written;
  }

  /**
   * Samples sequences until there are no more.
   *
   * @param next gives the next sequence, or null when no more is to begin
   */
  void sample(Supplier<Sequence> next) {
    try (NoGradGuard guard = new NoGradGuard()) {
      while (true) {
        boolean isActive = false;
        for (int r = 0; r < rows.length; r++) {
          while (rows[r].sequence == null || rows[r].sequence.isFinished()) {
            if (rows[r].sequence == null || !rows[r].sequence.goesOn()) {
              rows[r].sequence = next.get();
            }
            if (rows[r].sequence == null) {
              break;
            }
            begin(r);
          }
          isActive |= rows[r].sequence != null;
        }
        if (!isActive) {
          return;
        }
        try (PointerScope step = new PointerScope()) {
          step();
        }
      }
    }
  }

  /** Every row holds the prompt but for its last token, whose logits are wanted. */
  private void begin(int r) {
    Row row = rows[r];
    int kept = prompt.length - 1;
    cache.restart(r);
    row.hasChosen = false;
    row.counted.clear();
    int[] prefix = row.sequence.prefix();
    row.pending = new int[1 + prefix.length];
    row.pending[0] = prompt[kept];
    System.arraycopy(prefix, 0, row.pending, 1, prefix.length);
    if (seen != null) {
      seen.narrow(0, r, 1).fill_(new Scalar(0));
      mark(r, prompt);
      mark(r, prefix);
    }
    extend(row, r);
  }

  private void mark(int row, int[] tokens) {
    for (int token : tokens) {
      seen.narrow(0, row, 1).narrow(1, token, 1).fill_(new Scalar(1));
    }
  }

  /** Appends what must follow anyway. */
  private void extend(Row row, int r) {
    while (!row.sequence.isComplete()) {
      int[] forced = row.sequence.forced();
      if (forced.length == 0) {
        return;
      }
      int before = row.pending.length;
      row.pending = Arrays.copyOf(row.pending, before + forced.length);
      System.arraycopy(forced, 0, row.pending, before, forced.length);
      for (int i = 0; i < forced.length; i++) {
        row.sequence.accept(forced[i]);
        // Before its first choice a sequence is what all others of its kind are.
        if (row.hasChosen && row.sequence.isWeighed() && row.sequence.counts()) {
          row.counted.set(before + i);
        }
      }
      written += forced.length;
      if (seen != null) {
        mark(r, forced);
      }
    }
  }

  /** One pass, which takes all tokens that the rows have pending, and a draw for each row. */
  private void step() {
    int[] active =
        IntStream.range(0, rows.length)
            .filter(r -> rows[r].sequence != null && !rows[r].sequence.isFinished())
            .toArray();
    if (active.length == 0) {
      return;
    }
    int[][] tokens = new int[rows.length][0];
    for (int r : active) {
      tokens[r] = rows[r].pending;
    }
    int[] asked = Arrays.stream(active).filter(r -> !rows[r].sequence.isComplete()).toArray();
    int[][] targets = targets(active, tokens);
    KvCache.Told told = cache.append(tokens, asked, targets);
    passes++;
    weigh(active, told.logLikelihoods());
    if (asked.length > 0) {
      take(asked, choose(told.logits(), asked));
    }
  }

  /** What follows each token, where its likelihood counts; null where none does. */
  private int[][] targets(int[] active, int[][] tokens) {
    if (Arrays.stream(active).allMatch(r -> rows[r].counted.isEmpty())) {
      return null;
    }
    int[][] targets = new int[rows.length][0];
    for (int r : active) {
      targets[r] = new int[tokens[r].length];
      for (int i = 0; i < targets[r].length; i++) {
        targets[r][i] = rows[r].counted.get(i + 1) ? tokens[r][i + 1] : -1;
      }
    }
    return targets;
  }

  private void weigh(int[] active, float[][] logLikelihoods) {
    for (int r : active) {
      if (rows[r].sequence.isWeighed()) {
        double sum = 0;
        for (float logLikelihood : logLikelihoods == null ? new float[0] : logLikelihoods[r]) {
          sum += logLikelihood;
        }
        rows[r].sequence.weigh(sum);
        rows[r].counted.clear();
      }
    }
  }

  private void take(int[] asked, int[] chosen) {
    for (int i = 0; i < chosen.length; i++) {
      Row row = rows[asked[i]];
      row.pending = new int[] {chosen[i]};
      row.hasChosen = true;
      row.sequence.accept(chosen[i]);
      written++;
      if (seen != null) {
        mark(asked[i], row.pending);
      }
      extend(row, asked[i]);
    }
  }

  /**
   * @param logits (active, vocabulary)
   */
  private int[] choose(Tensor logits, int[] active) {
    boolean isAll = active.length == rows.length;
    Tensor held = // (active, vocabulary) or null
        seen == null || isAll
            ? seen
            : seen.index_select(0, model.device().on(torch.tensor(active)));
    Tensor masked = distribution.masked(logits, held, forbidden(active));
    return distribution.next(masked, () -> uniform(active));
  }

  private float[] uniform(int[] active) {
    float[] uniform = new float[active.length];
    for (int i = 0; i < uniform.length; i++) {
      uniform[i] = rows[active[i]].sequence.uniform();
    }
    return uniform;
  }

  /** (active, vocabulary) 0 or minus infinity, or null where everything may follow. */
  private Tensor forbidden(int[] active) {
    org.bytedeco.pytorch.TensorVector parts = new org.bytedeco.pytorch.TensorVector();
    boolean isFree = true;
    for (int r : active) {
      int[] allowed = rows[r].sequence.allowed();
      isFree &= allowed == null;
      parts.push_back(mask(allowed));
    }
    return isFree ? null : torch.stack(parts);
  }

  /** Sequences of one grammar share their arrays of tokens, so a mask is made once a state. */
  private Tensor mask(int[] allowed) {
    Object key = allowed == null ? "all" : allowed;
    Tensor known = masks.get(key);
    if (known != null) {
      return known;
    }
    float[] mask = new float[model.config().vocabularySize()];
    if (allowed != null) {
      Arrays.fill(mask, Float.NEGATIVE_INFINITY);
      for (int token : allowed) {
        mask[token] = 0;
      }
    }
    Tensor made = model.device().on(torch.tensor(mask)); // (vocabulary)
    made.retainReference(); // outlives the step's scope
    masks.put(key, made);
    if (masks.size() > MOST_MASKS) {
      Iterator<Tensor> oldest = masks.values().iterator();
      oldest.next().releaseReference();
      oldest.remove();
    }
    return made;
  }

  @Override
  public void close() {
    cache.close();
    masks.values().forEach(Tensor::releaseReference);
    if (seen != null) {
      seen.releaseReference();
    }
  }
}
