package org.safesynth.generate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.Rejection;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ExampleFormat;
import org.safesynth.model.CausalDecoder;
import org.safesynth.model.ComputeDevice;
import org.safesynth.model.Natives;
import org.safesynth.random.SeededStreams;

/**
 * Samples records from a pretrained model: sequences of JSON lines behind the prompt that it was
 * trained with, freely or under the schema's grammar, read back as typed values.
 *
 * <p>Sequences are numbered, draw from streams of their own and are read in the order of their
 * numbers, so that records which take longer to write are not lost more often.
 */
public final class JsonlSampler implements AutoCloseable {
  private final ComputeDevice device;
  private final ExampleFormat format;
  private final TokenGrammar grammar; // null: free text
  private final Options options;
  private final TextSampler sampler;
  private final int promptTokens;

  /**
   * How records are sampled.
   *
   * @param contextTokens most tokens of a sequence, its prompt included
   * @param longestRecord tokens of the longest record that was learned: one twice as long has lost
   *     its way and is ended; 0 lets it run to the context's end
   * @param recordsPerSequence records after which a sequence ends
   * @param batch sequences sampled together
   * @param patience as {@link StopRule} has it
   * @param invalidFraction as {@link StopRule} has it
   */
  public record Options(
      TokenDistribution distribution,
      int contextTokens,
      int longestRecord,
      int recordsPerSequence,
      int batch,
      int patience,
      double invalidFraction) {}

  /**
   * What was sampled.
   *
   * @param records canonical cells of valid records
   * @param rejections how often each reason was met
   * @param examples a few texts of each reason
   * @param passes forward passes of the batch
   * @param tokens tokens written
   */
  public record Sampled(
      List<Object[]> records,
      Map<Rejection, Long> rejections,
      Map<Rejection, List<String>> examples,
      long passes,
      long tokens) {}

  /**
   * Prepares a model for sampling on the calling thread, which must also use and close it.
   *
   * @param grammar what may be written, or null for free text
   */
  public JsonlSampler(
      CausalDecoder model, ExampleFormat format, TokenGrammar grammar, Options options) {
    Natives.load();
    Natives.useOneThread();
    this.device = model.device();
    this.format = format;
    this.grammar = grammar;
    this.options = options;
    int[] prompt = format.samplingPrompt();
    this.promptTokens = prompt.length;
    int most = Math.min(options.contextTokens(), options.recordsPerSequence() * 1024);
    this.sampler =
        new TextSampler(model, options.distribution(), prompt, options.batch(), most / 4);
  }

  /**
   * Samples records of a shard.
   *
   * @param count valid records wanted: exactly so many come back
   * @param shard keys the streams, with the number of the sequence
   */
  public Sampled sample(int count, long shard, SeededStreams streams) {
    Round round = new Round(count, shard, streams);
    long passes = sampler.passes();
    long tokens = sampler.tokensWritten();
    while (round.records.size() < count) {
      sampler.sample(round::next);
      round.read();
    }
    return new Sampled(
        new ArrayList<>(round.records.subList(0, count)),
        round.rejections,
        round.examples,
        sampler.passes() - passes,
        sampler.tokensWritten() - tokens);
  }

  /** Where the model is computed. */
  public ComputeDevice device() {
    return device;
  }

  @Override
  public void close() {
    sampler.close();
  }

  /** The sequences of a shard. */
  private final class Round {
    private static final int EXAMPLES = 3;

    private final int count;
    private final long shard;
    private final SeededStreams streams;
    private final StopRule rule = new StopRule(options.patience(), options.invalidFraction());
    private final List<Object[]> records = new ArrayList<>();
    private final Map<Rejection, Long> rejections = new HashMap<>();
    private final Map<Rejection, List<String>> examples = new LinkedHashMap<>();
    private final List<RecordSequence> open = new ArrayList<>();
    private long started;
    private final List<RecordSequence> running = new ArrayList<>(); // not yet known to have ended
    private long ended; // sequences
    private long valid; // records of those that have ended
    private long batchValid;
    private long batchInvalid;
    private int batchSequences;

    Round(int count, long shard, SeededStreams streams) {
      this.count = count;
      this.shard = shard;
      this.streams = streams;
    }

    /** Another sequence, unless those that have ended and those that run promise enough records. */
    TextSampler.Sequence next() {
      if (open.size() >= Math.max(2 * options.batch(), count - records.size())) {
        return null; // what came of them is looked at first: none may be valid
      }
      running.removeIf(this::hasEnded);
      double each =
          ended == 0 ? options.recordsPerSequence() : Math.max(0.1, (double) valid / ended);
      if (valid + running.size() * each >= count) {
        return null;
      }
      RandomGenerator random = streams.stream(SeededStreams.Purpose.SAMPLING, shard, started++);
      RecordSequence sequence = new RecordSequence(random);
      open.add(sequence);
      running.add(sequence);
      return sequence;
    }

    private boolean hasEnded(RecordSequence sequence) {
      if (sequence.isFinished()) {
        ended++;
        valid += sequence.found().stream().filter(of -> of.decoded().isValid()).count();
      }
      return sequence.isFinished();
    }

    void read() {
      for (RecordSequence sequence : open) {
        for (JsonlCodec.Found found : sequence.found()) {
          if (found.decoded().isValid()) {
            records.add(found.decoded().cells());
            batchValid++;
          } else {
            reject(found);
          }
        }
        if (++batchSequences == options.batch()) {
          endBatch();
        }
      }
      running.removeIf(this::hasEnded);
      open.clear();
      if (batchSequences > 0) {
        endBatch();
      }
    }

    private void reject(JsonlCodec.Found found) {
      batchInvalid++;
      Rejection why = found.decoded().rejection();
      rejections.merge(why, 1L, Long::sum);
      List<String> texts = examples.computeIfAbsent(why, w -> new ArrayList<>());
      if (texts.size() < EXAMPLES) {
        texts.add(found.text());
      }
    }

    private void endBatch() {
      rule.batch(batchValid, batchInvalid, rejections);
      batchValid = 0;
      batchInvalid = 0;
      batchSequences = 0;
    }
  }

  /** One sequence of records. */
  private final class RecordSequence implements TextSampler.Sequence {
    /** A token may lead away from the end by a value's length at most; dates are the longest. */
    private static final int MARGIN = 64;

    private final RandomGenerator random;
    private int[] tokens = new int[256];
    private int length;
    private int lineStart;
    private int lines;
    private int state = TokenGrammar.START;
    private boolean isFinished;
    private boolean isInRecord; // of free text
    private List<JsonlCodec.Found> found;

    RecordSequence(RandomGenerator random) {
      this.random = random;
    }

    /** The records of a finished sequence. */
    List<JsonlCodec.Found> found() {
      if (found == null) {
        int[] written = Arrays.copyOf(tokens, length);
        found = format.codec().parse(format.tokenizer().tokenizer().decode(written, true));
      }
      return found;
    }

    /** Tokens that the sequence, and the record that is being written, may still have. */
    private int room() {
      int ofContext = options.contextTokens() - promptTokens - length;
      int ofRecord =
          options.longestRecord() == 0
              ? Integer.MAX_VALUE
              : lineStart + 2 * options.longestRecord() + MARGIN - length;
      return Math.min(ofContext, ofRecord);
    }

    @Override
    public int[] forced() {
      if (grammar == null || (state == TokenGrammar.START && lines > 0)) {
        return new int[0];
      }
      return room() < grammar.distance(state) + MARGIN
          ? grammar.shortestEnd(state)
          : grammar.run(state);
    }

    @Override
    public int[] allowed() {
      if (grammar == null) {
        return null;
      }
      return state == TokenGrammar.START && lines > 0
          ? grammar.allowedOrEnd(format.eos())
          : grammar.allowed(state);
    }

    @Override
    public void accept(int token) {
      if (token == format.eos()) {
        isFinished = true;
        return;
      }
      if (length == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * length);
      }
      tokens[length++] = token;
      int ends = ended(token);
      if (ends > 0) {
        lines += ends;
        lineStart = length;
      }
      isFinished = lines >= options.recordsPerSequence() || !hasRoom();
    }

    private boolean hasRoom() {
      if (grammar == null) {
        return room() > 0;
      }
      return state != TokenGrammar.START || room() >= grammar.distance(state) + MARGIN;
    }

    /** Records that a token ends. */
    private int ended(int token) {
      if (grammar == null) {
        return lineEnds(token);
      }
      state = grammar.next(state, token);
      if (!grammar.isComplete(state)) {
        return 0;
      }
      state = TokenGrammar.START;
      return 1;
    }

    /** Lines that hold no record, such as a word of the prompt's kind, do not count. */
    private int lineEnds(int token) {
      byte[] bytes = format.tokenizer().vocabulary().bytes(token);
      int ends = 0;
      for (int i = 0; bytes != null && i < bytes.length; i++) {
        isInRecord |= bytes[i] == '{';
        if (bytes[i] == '\n' && isInRecord) {
          ends++;
          isInRecord = false;
        }
      }
      return ends;
    }

    @Override
    public boolean isFinished() {
      return isFinished;
    }

    @Override
    public float uniform() {
      return random.nextFloat();
    }
  }
}
