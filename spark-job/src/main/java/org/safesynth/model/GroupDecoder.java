package org.safesynth.model;

import static org.bytedeco.pytorch.global.torch.cat;
import static org.bytedeco.pytorch.global.torch.embedding;
import static org.bytedeco.pytorch.global.torch.gelu;
import static org.bytedeco.pytorch.global.torch.layer_norm;
import static org.bytedeco.pytorch.global.torch.linear;

import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * The decoder of groups of rows: each row is written by a {@link FieldDecoder} in the context of
 * the rows before it. What is known of them is a gated recurrent memory (Cho et al. 2014), so that
 * a group may be of any length; beside it, the row's number and what is known of the group's times.
 */
public final class GroupDecoder {
  private static final double CONTEXT_GAIN = 0.5;
  private static final double EMBEDDING_STD = 0.1;

  private final GroupDecoderConfig config;
  private final FieldDecoder row;
  private final ParameterLayout layout = new ParameterLayout();
  private final int rowParameters;

  public GroupDecoder(GroupDecoderConfig config) {
    this.config = config;
    this.row = new FieldDecoder(config.row());
    for (ParameterLayout.Entry entry : row.layout().entries()) {
      layout.add(entry.name(), entry.shape().stream().mapToLong(Long::longValue).toArray());
    }
    this.rowParameters = row.layout().entries().size();
    long d = config.row().hiddenSize();
    long m = config.memorySize();
    layout.add("memory.embedding.weight", config.row().embeddingRows(), d);
    layout.add("memory.input.weight", m, d);
    layout.add("memory.gru.input.weight", 3 * m, m);
    layout.add("memory.gru.state.weight", 3 * m, m);
    layout.add("memory.gru.input.bias", 3 * m);
    layout.add("memory.gru.state.bias", 3 * m);
    layout.add("context.weight", d, m);
    layout.add("index.weight", GroupDecoderConfig.indexBuckets(), d);
    layout.add("feature.weight", config.features(), d);
    if (config.hasFirstBias()) {
      layout.add("first.bias", config.row().totalVocabulary());
    }
  }

  public GroupDecoderConfig config() {
    return config;
  }

  public ParameterLayout layout() {
    return layout;
  }

  /** The decoder of one row. */
  public FieldDecoder row() {
    return row;
  }

  /** The parameters of {@link #row} for a group's first row, or for the others. */
  public List<Tensor> ofRow(List<Tensor> parameters, boolean isFirst) {
    if (!isFirst || !config.hasFirstBias()) {
      return ofRow(parameters);
    }
    List<Tensor> ofFirst = new ArrayList<>(ofRow(parameters));
    ofFirst.set(rowParameters - 1, ofFirst.get(rowParameters - 1).add(firstBias(parameters)));
    return ofFirst;
  }

  private Tensor firstBias(List<Tensor> parameters) {
    return memory(parameters, 9); // (total vocabulary)
  }

  /** The parameters of {@link #row} among all. */
  List<Tensor> ofRow(List<Tensor> parameters) {
    return parameters.subList(0, rowParameters);
  }

  /** Index in the layout of the embedding rows that the memory takes of tokens. */
  public int memoryEmbedding() {
    return rowParameters;
  }

  /** Index in the layout of the matrix that brings the memory into a row's context. */
  public int contextWeight() {
    return rowParameters + 6;
  }

  /** Index in the layout of the embedding of row numbers, for the memory and for the context. */
  public int indexEmbedding() {
    return rowParameters + 7;
  }

  /** Index in the layout of the embedding of a group's times, for both likewise. */
  public int featureEmbedding() {
    return rowParameters + 8;
  }

  private Tensor memory(List<Tensor> parameters, int number) {
    return parameters.get(rowParameters + number);
  }

  /**
   * Parameters at the start.
   *
   * @param counts (total vocabulary) occurrences of each token at its position
   * @param records rows counted
   */
  public float[] initialParameters(long[] counts, long records, RandomGenerator random) {
    float[] flat = new float[Math.toIntExact(layout.size())];
    float[] first = row.initialParameters(counts, records, random);
    System.arraycopy(first, 0, flat, 0, first.length);
    List<ParameterLayout.Entry> entries = layout.entries();
    for (ParameterLayout.Entry entry : entries.subList(rowParameters, entries.size())) {
      if (!entry.isMatrix()) {
        continue;
      }
      double inputs = entry.shape().get(1);
      double std =
          entry.name().startsWith("memory.gru") || entry.name().equals("memory.input.weight")
              ? 1 / Math.sqrt(inputs)
              : entry.name().equals("context.weight")
                  ? CONTEXT_GAIN / Math.sqrt(inputs)
                  : EMBEDDING_STD;
      for (long i = entry.offset(); i < entry.offset() + entry.size(); i++) {
        flat[(int) i] = (float) (std * random.nextGaussian());
      }
    }
    return flat;
  }

  /**
   * The same where a group's first row begins at the frequencies of first rows, and the others at
   * theirs. Few groups have few first rows: what is theirs alone would be learned last.
   *
   * @param firstCounts (total vocabulary) occurrences in groups' first rows
   * @param groups counted
   */
  public float[] initialParameters(
      long[] counts, long records, long[] firstCounts, long groups, RandomGenerator random) {
    float[] flat = initialParameters(counts, records, random);
    List<ParameterLayout.Entry> entries = layout.entries();
    int head = (int) entries.get(rowParameters - 1).offset();
    int first = (int) entries.get(entries.size() - 1).offset();
    for (int i = 0; i < counts.length; i++) {
      // What one side never saw has as much as one row of both gives it.
      double ofAll = (counts[i] + 0.5) / records;
      double ofFirst = (firstCounts[i] + ofAll) / (groups + 1);
      double ofOthers = (counts[i] - firstCounts[i] + ofAll) / (records - groups + 1);
      flat[head + i] = (float) Math.log(ofOthers);
      flat[first + i] = (float) (Math.log(ofFirst) - Math.log(ofOthers));
    }
    return flat;
  }

  /**
   * The rows of some groups as tensors.
   *
   * @param inputs (positions - 1, rows) rows of the embedding matrix
   * @param targets (positions, rows) tokens; -100 where none is asked for
   * @param index (rows) bucket of the row's number
   * @param features (features, rows) what is known of the group's times after the row
   * @param featuresBefore (features, rows) likewise before it
   * @param fed (steps * groups) row that a group's memory takes at each step; the number of rows
   *     where there is none
   * @param before (rows) place in {@code fed} after which the row is written; its length for a
   *     group's first row
   * @param groups number of groups, the longest first
   */
  public record Rows(
      Tensor inputs,
      Tensor targets,
      Tensor index,
      Tensor features,
      Tensor featuresBefore,
      Tensor fed,
      Tensor before,
      long groups) {}

  /** Sum over rows and positions of the negative log-likelihood, in nats. */
  public Tensor loss(List<Tensor> parameters, Rows rows) {
    Tensor state = states(parameters, rows, null); // (rows, m)
    Tensor context = context(parameters, state, rows.index(), rows.featuresBefore()); // (rows, d)
    FieldDecoder.MarkedBias ofFirst =
        config.hasFirstBias()
            ? new FieldDecoder.MarkedBias(
                firstBias(parameters),
                rows.index().eq(new Scalar(0)).to(ScalarType.Float).unsqueeze(1))
            : null;
    return row.loss(ofRow(parameters), rows.inputs(), rows.targets(), context, ofFirst);
  }

  /**
   * The same loss with what per-group gradients need; the parameters need no gradient of their own.
   *
   * @throws IllegalStateException if first rows have a bias, whose gradients are not traced
   */
  public GroupTrace traced(List<Tensor> parameters, Rows rows) {
    if (config.hasFirstBias()) {
      throw new IllegalStateException("gradients of a bias of first rows are not traced");
    }
    GroupTrace trace = new GroupTrace(rowParameters);
    Tensor state = states(parameters, rows, trace); // (rows, m)
    Tensor context = context(parameters, state, rows.index(), rows.featuresBefore()); // (rows, d)
    return trace.with(state, row.traced(ofRow(parameters), rows.inputs(), rows.targets(), context));
  }

  /** What is remembered before each row (rows, m). */
  private Tensor states(List<Tensor> parameters, Rows rows, GroupTrace trace) {
    long m = config.memorySize();
    Tensor none = memory(parameters, 6).new_zeros(1, m); // (1, m)
    Tensor states = none; // (steps * groups + 1, m)
    if (rows.fed().numel() > 0) {
      Tensor taken = // (rows, m)
          taken(parameters, rows.inputs(), rows.index(), rows.features(), trace);
      long steps = rows.fed().numel() / rows.groups();
      Tensor fed = // (steps, groups, m)
          embedding(cat(new TensorVector(taken, none)), rows.fed()).view(steps, rows.groups(), m);
      Tensor out = // (steps, groups, m)
          trace == null
              ? torch
                  .gru(
                      fed,
                      fed.new_zeros(1, rows.groups(), m),
                      gru(parameters),
                      true,
                      1,
                      0.0,
                      false,
                      false,
                      false)
                  .get0()
              : stepwise(parameters, fed, trace);
      states = cat(new TensorVector(out.reshape(steps * rows.groups(), m), none));
    }
    return embedding(states, rows.before());
  }

  /** The recurrent layer, as {@code torch.gru} computes it: reset, update and new gate. */
  private Tensor stepwise(List<Tensor> parameters, Tensor fed, GroupTrace trace) {
    long m = config.memorySize();
    Tensor state = fed.new_zeros(fed.size(1), m); // (groups, m)
    state.requires_grad_(true); // so that the first step has gradients too
    TensorVector inputs = fed.unbind(0);
    TensorVector states = new TensorVector();
    for (int s = 0; s < fed.size(0); s++) {
      Tensor input = inputs.get(s); // (groups, m)
      Tensor ofInput = linear(input, memory(parameters, 2), bias(parameters, 4)); // (groups, 3 m)
      Tensor ofState = linear(state, memory(parameters, 3), bias(parameters, 5)); // (groups, 3 m)
      trace.steps(input, ofInput, state, ofState);
      Tensor reset = torch.sigmoid(ofInput.narrow(1, 0, m).add(ofState.narrow(1, 0, m)));
      Tensor update = torch.sigmoid(ofInput.narrow(1, m, m).add(ofState.narrow(1, m, m)));
      Tensor fresh =
          torch.tanh(ofInput.narrow(1, 2 * m, m).add(reset.mul(ofState.narrow(1, 2 * m, m))));
      state = fresh.add(update.mul(state.sub(fresh)));
      states.push_back(state);
    }
    return torch.stack(states);
  }

  private TensorOptional bias(List<Tensor> parameters, int number) {
    return new TensorOptional(memory(parameters, number));
  }

  private TensorVector gru(List<Tensor> parameters) {
    return new TensorVector(
        memory(parameters, 2), memory(parameters, 3), memory(parameters, 4), memory(parameters, 5));
  }

  /** What the memory takes of rows (rows, m). */
  private Tensor taken(
      List<Tensor> parameters, Tensor inputs, Tensor index, Tensor features, GroupTrace trace) {
    Tensor tokens = embedding(memory(parameters, 0), inputs).sum(0); // (rows, d)
    Tensor all =
        tokens
            .add(embedding(memory(parameters, 7), index))
            .add(embedding(memory(parameters, 8), features).sum(0)); // (rows, d)
    all = trace == null ? all : trace.remembers(all);
    Tensor normed = layer_norm(all, config.row().hiddenSize()); // (rows, d)
    Tensor made = linear(normed, memory(parameters, 1)); // (rows, m)
    if (trace != null) {
      trace.takes(new GroupTrace.OfRows(rowParameters + 1, normed, made));
    }
    return gelu(made);
  }

  /**
   * In what context rows are written.
   *
   * @param state (rows, m) what is remembered
   * @param index (rows) bucket of the row's number
   * @param featuresBefore (features, rows) what is known of the times of the rows before
   * @return (rows, d)
   */
  public Tensor context(
      List<Tensor> parameters, Tensor state, Tensor index, Tensor featuresBefore) {
    return linear(state, memory(parameters, 6))
        .add(embedding(memory(parameters, 7), index))
        .add(embedding(memory(parameters, 8), featuresBefore).sum(0));
  }

  /**
   * The memory after one more row of each group.
   *
   * @param state (groups, m)
   * @param inputs (positions - 1, groups)
   * @return (groups, m)
   */
  public Tensor remember(
      List<Tensor> parameters, Tensor state, Tensor inputs, Tensor index, Tensor features) {
    Tensor taken = taken(parameters, inputs, index, features, null); // (groups, m)
    return torch
        .gru(
            taken.unsqueeze(0),
            state.unsqueeze(0),
            gru(parameters),
            true,
            1,
            0.0,
            false,
            false,
            false)
        .get0()
        .squeeze(0);
  }
}
