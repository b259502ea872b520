package org.safesynth.model;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Shape of the embedded decoder: a record is a fixed row of positions, each with a vocabulary of
 * its own.
 *
 * @param hiddenSize width of the residual stream, a multiple of {@code numHeads}
 * @param numLayers transformer blocks
 * @param numHeads attention heads
 * @param vocabularySizes tokens that may stand at each position, at least one each
 * @param columns positions of each column, where columns may be written in any order; empty where
 *     only the order of the positions is known
 */
public record FieldDecoderConfig(
    int hiddenSize,
    int numLayers,
    int numHeads,
    List<Integer> vocabularySizes,
    List<Integer> columns) {
  public FieldDecoderConfig {
    vocabularySizes = List.copyOf(vocabularySizes);
    columns = List.copyOf(columns);
    require(numLayers >= 1, "numLayers must be at least 1");
    require(numHeads >= 1 && hiddenSize % numHeads == 0, "hiddenSize must be a multiple of heads");
    require(!vocabularySizes.isEmpty(), "a record has at least one position");
    require(
        vocabularySizes.stream().allMatch(size -> size >= 1), "a vocabulary has at least a token");
    require(
        columns.isEmpty()
            || columns.stream().mapToInt(Integer::intValue).sum() == vocabularySizes.size(),
        "every position is of a column");
  }

  /** A decoder that writes positions in their order only. */
  public FieldDecoderConfig(
      int hiddenSize, int numLayers, int numHeads, List<Integer> vocabularySizes) {
    this(hiddenSize, numLayers, numHeads, vocabularySizes, List.of());
  }

  /** The same decoder for columns in any order. */
  public FieldDecoderConfig inAnyOrder(List<Integer> positionsOfColumns) {
    return new FieldDecoderConfig(
        hiddenSize, numLayers, numHeads, vocabularySizes, positionsOfColumns);
  }

  /** Whether columns may be written in any order. */
  public boolean isAnyOrder() {
    return !columns.isEmpty();
  }

  /**
   * The positions in the order of their columns.
   *
   * @param columnOrder (columns) numbers of the columns, in the order in which they are written
   * @return (positions)
   */
  public int[] order(int[] columnOrder) {
    int[] first = new int[columns.size()];
    for (int c = 1; c < first.length; c++) {
      first[c] = first[c - 1] + columns.get(c - 1);
    }
    return Arrays.stream(columnOrder)
        .flatMap(c -> IntStream.range(first[c], first[c] + columns.get(c)))
        .toArray();
  }

  /** Number of tokens of a record. */
  public int positions() {
    return vocabularySizes.size();
  }

  /** Width of one attention head. */
  public int headDim() {
    return hiddenSize / numHeads;
  }

  /** Sum of all vocabularies: rows of the head matrix. */
  public int totalVocabulary() {
    return vocabularySizes.stream().mapToInt(Integer::intValue).sum();
  }

  /** Parameters of the blocks, without embeddings and head: 12·d²·L. */
  public long trunkParameters() {
    return 12L * hiddenSize * hiddenSize * numLayers;
  }

  /** Floating point operations of training on one record: 6·(trunk·positions + head·d). */
  public double trainingFlopsPerRecord() {
    return 6.0
        * ((double) trunkParameters() * positions() + (double) totalVocabulary() * hiddenSize);
  }

  /** Row of the head matrix where each position's tokens start. */
  public int[] headOffsets() {
    int[] offsets = new int[positions()];
    for (int t = 1; t < offsets.length; t++) {
      offsets[t] = offsets[t - 1] + vocabularySizes.get(t - 1);
    }
    return offsets;
  }

  /**
   * Row of the embedding matrix where the tokens of each input position start; the row after a
   * position's last token is its mask. In its place the last position is never an input.
   */
  public int[] embeddingOffsets() {
    int[] offsets = new int[inputs()];
    for (int t = 1; t < offsets.length; t++) {
      offsets[t] = offsets[t - 1] + vocabularySizes.get(t - 1) + 1;
    }
    return offsets;
  }

  /** Rows of the embedding matrix: tokens and one mask for each input position, at least one. */
  public int embeddingRows() {
    int inputs = inputs();
    return inputs == 0 ? 1 : embeddingOffsets()[inputs - 1] + vocabularySizes.get(inputs - 1) + 1;
  }

  /** Positions that something is written after. */
  private int inputs() {
    return isAnyOrder() ? positions() : positions() - 1;
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
