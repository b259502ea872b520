package org.safesynth.generate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.safesynth.codec.GroupCodec;
import org.safesynth.codec.GroupLayout;
import org.safesynth.codec.Rhythm;
import org.safesynth.model.FieldDecoding;
import org.safesynth.model.GroupDecoder;
import org.safesynth.model.GroupDecoderConfig;
import org.safesynth.model.Natives;

/**
 * Samples groups, all groups of a batch row by row; those that have ended leave the batch. The
 * order column never falls and never passes its last value; what is constant in a group is drawn
 * with its first row.
 */
public final class GroupSampler implements AutoCloseable {
  private final GroupDecoder decoder;
  private final GroupCodec codec;
  private final PointerScope scope = new PointerScope();
  private final List<Tensor> parameters;
  private final PositionRules rules;
  private final TokenDistribution distribution;
  private final int mostRows;
  private final Endings endings;

  /**
   * Prepares a model on the calling thread, which must also use and close it.
   *
   * @param weights (P)
   * @param mostRows a group ends there at the latest
   * @param endings how many groups end at each row; null to leave it to the model
   */
  public GroupSampler(
      GroupDecoder decoder,
      float[] weights,
      GroupCodec codec,
      TokenDistribution distribution,
      int mostRows,
      Endings endings) {
    Natives.load();
    Natives.useOneThread();
    this.decoder = decoder;
    this.codec = codec;
    this.distribution = distribution;
    this.mostRows = mostRows;
    this.endings = endings;
    this.parameters = decoder.layout().views(torch.tensor(weights));
    this.rules = new PositionRules(decoder.config().row(), codec.fields().grammar());
  }

  /** A group that is being written. */
  private static final class Group {
    private final long number;
    private final RandomGenerator random;
    private final List<Object[]> rows = new ArrayList<>();
    private int[] firstTokens; // (positions)
    private int[] tokens; // (positions) of the newest row
    private Rhythm rhythm; // null before the first row and without an order column

    Group(long number, RandomGenerator random) {
      this.number = number;
      this.random = random;
    }

    private Long before() {
      return rhythm == null ? null : rhythm.last();
    }
  }

  /**
   * Samples groups.
   *
   * @param first number of the first group
   * @param random (groups) draws for each group
   * @return for each group its rows, canonical cells of the table
   */
  public List<List<Object[]>> sample(long first, RandomGenerator[] random) {
    List<Group> all = new ArrayList<>();
    for (int g = 0; g < random.length; g++) {
      all.add(new Group(first + g, random[g]));
    }
    try (NoGradGuard guard = new NoGradGuard();
        PointerScope batchScope = new PointerScope()) {
      List<Group> open = new ArrayList<>(all);
      Tensor memory = torch.zeros(open.size(), decoder.config().memorySize()); // (groups, m)
      for (int row = 0; !open.isEmpty(); row++) {
        try (PointerScope rowScope = new PointerScope()) {
          write(open, row, memory);
        }
      }
    }
    return all.stream().map(group -> group.rows).toList();
  }

  /** Writes a row of every open group, drops those that have ended, and remembers the others. */
  private void write(List<Group> open, int row, Tensor memory) {
    Tensor state = memory.narrow(0, 0, open.size()); // (groups, m)
    int size = open.size();
    int[] index = new int[size];
    int learned = Math.min(row, codec.layout().mostRows() - 1); // no row beyond was ever trained
    Arrays.fill(index, GroupDecoderConfig.indexBucket(learned));
    Tensor indexes = torch.tensor(index); // (groups)
    Tensor context = // (groups, d)
        decoder.context(parameters, state, indexes, features(open));
    draw(open, row, context);
    List<Integer> going = new ArrayList<>();
    List<Group> still = new ArrayList<>();
    for (int g = 0; g < size; g++) {
      Group group = open.get(g);
      Object[] firstRow = row == 0 ? null : group.rows.get(0);
      long rowNumber = Math.multiplyExact(group.number, (long) mostRows) + row;
      Object[] cells =
          codec.decode(
              group.tokens, firstRow, group.before(), group.number, rowNumber, group.random);
      boolean isBeyond = codec.isBeyond(cells);
      if (!isBeyond) {
        group.rows.add(cells);
      }
      if (codec.layout().isOrdered() && !codec.layout().isChildless(cells)) {
        long tick = (Long) cells[codec.layout().orderColumn()];
        group.rhythm = row == 0 ? Rhythm.of(tick) : group.rhythm.next(tick);
      }
      if (!isBeyond && !codec.isLast(group.tokens) && row + 1 < mostRows) {
        going.add(g);
        still.add(group);
      }
    }
    if (!still.isEmpty()) {
      Tensor remembered = // (groups, m)
          decoder.remember(parameters, state, inputs(open), indexes, features(open));
      int[] kept = going.stream().mapToInt(Integer::intValue).toArray();
      memory.narrow(0, 0, kept.length).copy_(remembered.index_select(0, torch.tensor(kept)));
    }
    open.clear();
    open.addAll(still);
  }

  /** What is known of the groups' times (features, groups). */
  private Tensor features(List<Group> open) {
    int[] features = new int[GroupLayout.FEATURES * open.size()];
    for (int g = 0; g < open.size(); g++) {
      int[] of = codec.layout().features(open.get(g).rhythm);
      for (int f = 0; f < of.length; f++) {
        features[f * open.size() + g] = of[f];
      }
    }
    return torch.tensor(features).view(GroupLayout.FEATURES, open.size());
  }

  private Tensor inputs(List<Group> open) {
    int[] offsets = decoder.config().row().embeddingOffsets();
    int[] inputs = new int[offsets.length * open.size()];
    for (int t = 0; t < offsets.length; t++) {
      for (int g = 0; g < open.size(); g++) {
        inputs[t * open.size() + g] = offsets[t] + open.get(g).tokens[t];
      }
    }
    return torch.tensor(inputs).view(offsets.length, open.size());
  }

  private void draw(List<Group> open, int row, Tensor context) {
    int size = open.size();
    int[] offsets = decoder.config().row().embeddingOffsets();
    for (Group group : open) {
      group.tokens = new int[codec.fields().positions()];
    }
    FieldDecoding decoding =
        decoder.row().startDecoding(decoder.ofRow(parameters, row == 0), context);
    int[] before = new int[size];
    for (int t = 0; t < codec.fields().positions(); t++) {
      try (PointerScope positionScope = new PointerScope()) {
        Tensor previous = torch.tensor(before); // (groups)
        Tensor rows = t == 0 ? previous : previous.add(new Scalar(offsets[t - 1]));
        Tensor logits = decoding.logits(t, rows); // (groups, V)
        boolean isDrawn =
            row == 0 ? !codec.isNeverFirst(t) && !codec.isOfKnownStart(t) : !codec.isOnlyFirst(t);
        before = isDrawn ? drawn(open, row, t, logits, previous) : known(open, row, t);
      }
      for (int g = 0; g < size; g++) {
        if (isChildless(open.get(g), t)) {
          before[g] = t == codec.fields().positions() - 1 ? codec.lastToken() : codec.restToken(t);
        }
        open.get(g).tokens[t] = before[g];
      }
    }
    if (row == 0) {
      for (Group group : open) {
        group.firstTokens = group.tokens;
      }
    }
  }

  /** Whether nothing is drawn at a position, since the parent has no children. */
  private boolean isChildless(Group group, int position) {
    int marker = codec.markerPosition();
    return marker >= 0 && position > marker && group.tokens[marker] == GroupCodec.noChildrenToken();
  }

  private int[] known(List<Group> open, int row, int position) {
    boolean isConstant = row > 0 && codec.isConstant(position);
    return open.stream()
        .mapToInt(
            g ->
                isConstant
                    ? g.firstTokens[position]
                    : row == 0 && codec.isOfKnownStart(position)
                        ? codec.startToken(position)
                        : codec.restToken(position))
        .toArray();
  }

  private int[] drawn(List<Group> open, int row, int position, Tensor logits, Tensor previous) {
    Tensor allowed = rules.allowed(position, logits, previous); // (groups, V)
    if (position == codec.stepPosition() || position == codec.firstTickPosition()) {
      allowed = allowed.add(times(open, position, (int) logits.size(1)));
    }
    boolean isEnding = position == codec.fields().positions() - 1;
    if (isEnding && row + 1 < codec.layout().leastRows()) {
      allowed = allowed.add(goingOn(open, (int) logits.size(1)));
    }
    if (endings != null && isEnding) {
      allowed = endings.applied(allowed, row, codec.lastToken());
    }
    return distribution.next(allowed, () -> uniform(open));
  }

  /** Minus infinity for the end of groups that have time left. */
  private Tensor goingOn(List<Group> open, int size) {
    float[] mask = new float[open.size() * size];
    for (int g = 0; g < open.size(); g++) {
      Long before = open.get(g).before();
      if (before == null || before < codec.layout().last()) {
        mask[g * size + codec.lastToken()] = Float.NEGATIVE_INFINITY;
      }
    }
    return torch.tensor(mask).view(open.size(), size);
  }

  private static float[] uniform(List<Group> open) {
    float[] uniform = new float[open.size()];
    for (int g = 0; g < uniform.length; g++) {
      uniform[g] = open.get(g).random.nextFloat();
    }
    return uniform;
  }

  /** Minus infinity for "missing" and for steps beyond the last tick. */
  private Tensor times(List<Group> open, int position, int size) {
    float[] mask = new float[open.size() * size];
    int rest = codec.restToken(position);
    for (int g = 0; g < open.size(); g++) {
      boolean any = false;
      for (int token = 0; token < size; token++) {
        boolean isStep = position == codec.stepPosition();
        boolean isWithin =
            isStep
                ? codec.isStepWithin(token, open.get(g).before())
                : codec.isFirstWithin(token, open.get(g).tokens);
        boolean fits = token != rest && isWithin;
        mask[g * size + token] = fits ? 0 : Float.NEGATIVE_INFINITY;
        any |= fits;
      }
      if (!any) { // no step is short enough: the row comes at the last tick
        Arrays.fill(mask, g * size, (g + 1) * size, 0);
      }
    }
    return torch.tensor(mask).view(open.size(), size);
  }

  @Override
  public void close() {
    scope.close();
  }
}
