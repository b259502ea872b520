package org.safesynth.example;

import java.util.ArrayList;
import java.util.List;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.fault.BadInputException;
import org.safesynth.tokenizer.TokenizerFolder;

/**
 * The token ids of an example: the prompt, then a sequence of records between the tokens that begin
 * and end a sequence. Training and sampling both take their prompt from here, so that the model is
 * asked with the very ids that it was taught with.
 */
public final class ExampleFormat {
  private final TokenizerFolder tokenizer;
  private final JsonlCodec codec;
  private final int[] prompt; // (prompt tokens)
  private final int[] begin; // (0 or 1)
  private final int eos;

  private ExampleFormat(
      TokenizerFolder tokenizer, JsonlCodec codec, int[] prompt, int[] begin, int eos) {
    this.tokenizer = tokenizer;
    this.codec = codec;
    this.prompt = prompt;
    this.begin = begin;
    this.eos = eos;
  }

  /**
   * A format.
   *
   * @param codec writes the records
   * @param endOfSequence id of {@code config.json} that ends a sequence, for tokenizers that do not
   *     name one; or null
   */
  public static ExampleFormat of(
      PromptTemplate template, TokenizerFolder tokenizer, JsonlCodec codec, Integer endOfSequence) {
    Integer bos = bos(template, tokenizer);
    Integer eos = tokenizer.eosId() == null ? endOfSequence : tokenizer.eosId();
    if (eos == null) {
      throw new BadInputException(
          "the model names no token that ends a sequence: set eos_token in its tokenizer_config.json");
    }
    int[] begin = bos == null ? new int[0] : new int[] {bos};
    int[] text = tokenizer.tokenizer().encode(template.of(codec.names().toArray(String[]::new)));
    int[] prompt =
        joined(
            template.beginsWithBos() ? begin : new int[0],
            text,
            template.endsWithEos() ? new int[] {eos} : new int[0]);
    return new ExampleFormat(tokenizer, codec, prompt, begin, eos);
  }

  private static Integer bos(PromptTemplate template, TokenizerFolder tokenizer) {
    Integer own =
        template.bosToken() == null ? null : tokenizer.vocabulary().idOf(template.bosToken());
    return own == null ? tokenizer.bosId() : own;
  }

  private static int[] joined(int[]... parts) {
    int length = 0;
    for (int[] part : parts) {
      length += part.length;
    }
    int[] all = new int[length];
    int at = 0;
    for (int[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  public JsonlCodec codec() {
    return codec;
  }

  public TokenizerFolder tokenizer() {
    return tokenizer;
  }

  /** The ids of the prompt alone: what is read in training without loss. */
  public int[] prompt() {
    return prompt.clone();
  }

  /** What sampling begins with: the prompt and the token that begins the sequence. */
  public int[] samplingPrompt() {
    return joined(prompt, begin);
  }

  /** The token that ends a sequence. */
  public int eos() {
    return eos;
  }

  /** The ids of a record and its line end, which stand on their own in a sequence. */
  public int[] record(Object[] cells) {
    return tokenizer.tokenizer().encode(codec.encode(cells) + "\n");
  }

  /**
   * Refuses a record that no example can hold, by the sizes of its columns and not by their values.
   *
   * @param record its ids, as {@link #record} makes them
   */
  public void requireFits(Object[] cells, int[] record, Packing packing) {
    if (record.length <= packing.room()) {
      return;
    }
    List<String> names = codec.names();
    List<Integer> columns = new ArrayList<>();
    int[] sizes = new int[cells.length];
    for (int c = 0; c < sizes.length; c++) {
      sizes[c] = tokenizer.tokenizer().encode(codec.encodeCell(c, cells[c])).length;
      columns.add(c);
    }
    columns.sort((a, b) -> sizes[b] - sizes[a]);
    StringBuilder largest = new StringBuilder();
    for (int c : columns.subList(0, Math.min(5, sizes.length))) {
      largest.append(", '%s' %,d".formatted(names.get(c), sizes[c]));
    }
    throw new BadInputException(
        "a record of %,d tokens does not fit the model's context of %,d, of which the prompt takes %,d (largest columns in tokens: %s); shorten or leave out such columns, or set training.rope_scaling_factor"
            .formatted(
                record.length,
                packing.contextTokens(),
                packing.promptTokens(),
                largest.substring(2)));
  }

  /**
   * What is learned at once.
   *
   * @param ids (tokens)
   * @param promptTokens how many of them are read without loss
   */
  public record Example(int[] ids, int promptTokens) {}

  /**
   * An example of one sequence.
   *
   * @param records ids of the records, as {@link #record} makes them
   */
  public Example example(List<int[]> records) {
    return examples(List.of(records));
  }

  /**
   * An example of several sequences, such as groups, each between its own marks.
   *
   * @param sequences of each the ids of its records
   */
  public Example examples(List<List<int[]>> sequences) {
    List<int[]> parts = new ArrayList<>();
    parts.add(prompt);
    for (List<int[]> records : sequences) {
      parts.add(begin);
      parts.addAll(records);
      parts.add(new int[] {eos});
    }
    return new Example(joined(parts.toArray(int[][]::new)), prompt.length);
  }

  /**
   * An example of a part of a sequence: what comes before it is read without loss, and the mark of
   * the end stands only where the sequence ends.
   *
   * @param tokens ids of records, from those that come before it on
   * @param primed tokens of those before it; 0 where the sequence begins
   */
  public Example window(int[] tokens, int primed, boolean isLast) {
    int[] end = isLast ? new int[] {eos} : new int[0];
    int read = primed == 0 ? prompt.length : prompt.length + begin.length + primed;
    return new Example(joined(prompt, begin, tokens, end), read);
  }

  /** Tokens of a sequence beside its records. */
  public int marks() {
    return begin.length + 1;
  }
}
