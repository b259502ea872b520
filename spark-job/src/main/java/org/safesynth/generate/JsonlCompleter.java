package org.safesynth.generate;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.random.RandomGenerator;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.LineGrammar;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ExampleFormat;
import org.safesynth.fault.BadInputException;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.Natives;
import org.safesynth.random.SeededStreams;

/**
 * Completes records of which some cells are given, whichever they are, with a pretrained model that
 * writes columns in one order: the given cells are forced by the grammar, the others sampled.
 *
 * <p>Where everything given comes before everything open, that is the model's own distribution.
 * Elsewhere what is sampled does not know what is given behind it. So several drafts are sampled,
 * and one is drawn by the likelihood of its given cells: importance resampling (Rubin 1987), whose
 * error falls with the number of drafts.
 */
public final class JsonlCompleter implements AutoCloseable {
  /** Enough drafts for most records. */
  public static final int DRAFTS = 8;

  private static final int FIRST_COLUMNS = 256; // more are made as they are needed

  private final ComputeDevice device;
  private final ExampleFormat format;
  private final JsonlSampler.Options options;
  private final TokenGrammar grammar;
  private final TextSampler sampler;
  private final int promptTokens;
  private final int drafts;

  /**
   * Prepares a model for sampling on the calling thread, which must also use and close it.
   *
   * @param grammar what may be written where nothing is given
   * @param options of which rules of groups and of stopping do not count
   * @param drafts of a record where something is given behind something open
   */
  public JsonlCompleter(
      CausalDecoder model,
      ExampleFormat format,
      TokenGrammar grammar,
      JsonlSampler.Options options,
      int drafts) {
    this.drafts = drafts;
    Natives.load();
    Natives.useOneThread();
    this.device = model.device();
    this.format = format;
    this.options = options;
    this.grammar = grammar;
    int[] prompt = format.samplingPrompt();
    this.promptTokens = prompt.length;
    this.sampler =
        new TextSampler(model, options.distribution(), prompt, options.batch(), FIRST_COLUMNS);
  }

  /** Where the model is computed. */
  public ComputeDevice device() {
    return device;
  }

  /**
   * Completes records.
   *
   * @param given canonical cells (records)(columns), null where a cell is open
   * @param numbers (records) key the streams
   * @return canonical cells (records)(columns), the given ones as they were
   */
  public Object[][] complete(Object[][] given, long[] numbers, SeededStreams streams) {
    List<List<Draft>> byRecord = new ArrayList<>();
    List<Draft> all = new ArrayList<>();
    for (int i = 0; i < given.length; i++) {
      List<Draft> of = drafts(given[i], numbers[i], streams);
      byRecord.add(of);
      all.addAll(of);
    }
    Iterator<Draft> next = all.iterator();
    sampler.sample(() -> next.hasNext() ? next.next() : null);
    Object[][] completed = new Object[given.length][];
    for (int i = 0; i < given.length; i++) {
      List<Draft> of = byRecord.get(i);
      Draft drawn =
          of.size() == 1
              ? of.get(0)
              : drawn(of, streams.stream(SeededStreams.Purpose.COMPLETION, numbers[i], drafts));
      completed[i] = drawn.reading().units().get(0).get(0);
    }
    return completed;
  }

  private List<Draft> drafts(Object[] given, long number, SeededStreams streams) {
    boolean[] isGiven = new boolean[given.length];
    StringBuilder texts = new StringBuilder();
    for (int c = 0; c < given.length; c++) {
      isGiven[c] = given[c] != null;
      texts.append(isGiven[c] ? format.codec().encodeCell(c, given[c]) : "");
    }
    // A token has a byte at least, and what is given must leave room for the rest.
    int givenTokens =
        Math.min(
            texts.toString().getBytes(StandardCharsets.UTF_8).length,
            2 * format.tokenizer().tokenizer().encode(texts.toString()).length);
    int longest = options.longestRecord() == 0 ? 0 : options.longestRecord() + givenTokens;
    RecordSequence.Frame frame =
        new RecordSequence.Frame(
            format, grammar, options.contextTokens(), promptTokens, longest, 1);
    int needed = promptTokens + grammar.withGiven(given, isGiven).distance(LineGrammar.START);
    if (needed + RecordSequence.MARGIN > options.contextTokens()) {
      throw new BadInputException(
          "row %,d of the given rows takes %,d tokens and more with the prompt, which the model's context of %,d does not hold; shorten its texts"
              .formatted(number + 1, needed, options.contextTokens()));
    }
    int count = looksAhead(isGiven) ? drafts : 1;
    List<Draft> made = new ArrayList<>();
    for (int d = 0; d < count; d++) {
      RandomGenerator random = streams.stream(SeededStreams.Purpose.COMPLETION, number, d);
      RecordReader reader = new GivenReader(format.codec(), given, isGiven);
      made.add(new Draft(new RecordSequence(frame, reader, random), count > 1));
    }
    return made;
  }

  /** Whether something is given behind something open. */
  private static boolean looksAhead(boolean[] isGiven) {
    boolean open = false;
    for (boolean given : isGiven) {
      if (open && given) {
        return true;
      }
      open |= !given;
    }
    return false;
  }

  private static Draft drawn(List<Draft> drafts, RandomGenerator random) {
    double most = drafts.stream().mapToDouble(Draft::logWeight).max().orElseThrow();
    double sum = 0;
    for (Draft draft : drafts) {
      sum += Math.exp(draft.logWeight() - most);
    }
    double left = random.nextDouble() * sum;
    for (Draft draft : drafts) {
      left -= Math.exp(draft.logWeight() - most);
      if (left < 0) {
        return draft;
      }
    }
    return drafts.get(drafts.size() - 1);
  }

  /** Reads the record back; what is given is not read, since it may lie outside of the schema. */
  private record GivenReader(
      JsonlCodec codec, Object[] given, boolean[] isGiven, List<List<Object[]>> units)
      implements RecordReader {
    GivenReader(JsonlCodec codec, Object[] given, boolean[] isGiven) {
      this(codec, given, isGiven, new ArrayList<>());
    }

    @Override
    public void take(JsonlCodec.Found found) {
      JsonlCodec.Decoded decoded = codec.decode(found.text(), given, isGiven);
      if (!decoded.isValid()) {
        throw new IllegalStateException("the grammar let through: " + decoded.rejection());
      }
      units.add(List.<Object[]>of(decoded.cells()));
    }

    @Override
    public boolean isLost() {
      return false;
    }

    @Override
    public LineGrammar next(TokenGrammar grammar) {
      return grammar.withGiven(given, isGiven);
    }

    @Override
    public Reading close(boolean isEnded) {
      return new Reading(units, List.of(), 0);
    }
  }

  @Override
  public void close() {
    sampler.close();
  }
}
