package org.safesynth.generate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
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
  private final Options options;
  private final TextSampler sampler;
  private final RecordSequence.Frame frame;

  /**
   * How records are sampled.
   *
   * @param contextTokens most tokens of a sequence, its prompt included
   * @param longestRecord tokens of the longest record that was learned: one twice as long has lost
   *     its way and is ended; 0 lets it run to the context's end
   * @param recordsPerSequence records after which a sequence ends
   * @param groups what makes a sequence a group; null for records that stand on their own
   * @param batch sequences sampled together
   * @param patience as {@link StopRule} has it
   * @param invalidFraction as {@link StopRule} has it
   */
  public record Options(
      TokenDistribution distribution,
      int contextTokens,
      int longestRecord,
      int recordsPerSequence,
      GroupRules groups,
      int batch,
      int patience,
      double invalidFraction) {}

  /**
   * What was sampled.
   *
   * @param units canonical cells of valid records, each on its own or those of a group together
   * @param rejectedGroups groups that were not taken
   * @param rejections how often each reason was met
   * @param examples a few texts of each reason
   * @param passes forward passes of the batch
   * @param tokens tokens written
   */
  public record Sampled(
      List<List<Object[]>> units,
      long rejectedGroups,
      Map<Rejection, Long> rejections,
      Map<Rejection, List<String>> examples,
      long passes,
      long tokens) {
    /** Number of rows. */
    public long rows() {
      return units.stream().mapToLong(List::size).sum();
    }
  }

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
    this.options = options;
    int[] prompt = format.samplingPrompt();
    this.frame =
        new RecordSequence.Frame(
            format,
            grammar,
            options.contextTokens(),
            prompt.length,
            options.longestRecord(),
            options.recordsPerSequence());
    int most = (int) Math.min(options.contextTokens(), options.recordsPerSequence() * 1024L);
    this.sampler =
        new TextSampler(model, options.distribution(), prompt, options.batch(), most / 4);
  }

  /**
   * Samples records, or groups, of a shard.
   *
   * @param count valid ones wanted: exactly so many come back
   * @param shard keys the streams, with the number of the sequence
   */
  public Sampled sample(int count, long shard, SeededStreams streams) {
    return sample(count, shard, streams, records -> {});
  }

  /**
   * The same, telling on the way.
   *
   * @param written hears the records of each window of a series that is gone on with
   */
  public Sampled sample(int count, long shard, SeededStreams streams, IntConsumer written) {
    Round round = new Round(count, shard, streams, written);
    long passes = sampler.passes();
    long tokens = sampler.tokensWritten();
    while (round.units.size() < count) {
      sampler.sample(round::next);
      round.read();
    }
    return new Sampled(
        new ArrayList<>(round.units.subList(0, count)),
        round.rejectedGroups,
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
    private final IntConsumer written;
    private final StopRule rule = new StopRule(options.patience(), options.invalidFraction());
    private final List<List<Object[]>> units = new ArrayList<>();
    private final Map<Rejection, Long> rejections = new HashMap<>();
    private final Map<Rejection, List<String>> examples = new LinkedHashMap<>();
    private final List<RecordSequence> open = new ArrayList<>();
    private long started;
    private final List<RecordSequence> running = new ArrayList<>(); // not yet known to have ended
    private long ended; // sequences
    private long valid; // units of those that have ended
    private long rejectedGroups;
    private long batchValid;
    private long batchInvalid;
    private int batchSequences;

    Round(int count, long shard, SeededStreams streams, IntConsumer written) {
      this.count = count;
      this.shard = shard;
      this.streams = streams;
      this.written = written;
    }

    /** Another sequence, unless those that have ended and those that run promise enough records. */
    TextSampler.Sequence next() {
      if (open.size() >= Math.max(2 * options.batch(), count - units.size())) {
        return null; // what came of them is looked at first: none may be valid
      }
      running.removeIf(this::hasEnded);
      double each = ended == 0 ? mostUnits() : Math.max(0.1, (double) valid / ended);
      if (valid + running.size() * each >= count) {
        return null;
      }
      RandomGenerator random = streams.stream(SeededStreams.Purpose.SAMPLING, shard, started++);
      RecordSequence sequence = new RecordSequence(frame, reader(), random, written);
      open.add(sequence);
      running.add(sequence);
      return sequence;
    }

    private int mostUnits() {
      return options.groups() == null ? options.recordsPerSequence() : 1;
    }

    private RecordReader reader() {
      GroupRules groups = options.groups();
      if (groups == null) {
        return RecordReader.ofRecords();
      }
      List<String> names = format.codec().names();
      return groups.series() == null
          ? new GroupReader(groups, names)
          : new SeriesReader(groups, groups.series(), names);
    }

    private boolean hasEnded(RecordSequence sequence) {
      if (sequence.isOver()) {
        ended++;
        valid += sequence.reading().units().size();
      }
      return sequence.isOver();
    }

    void read() {
      for (RecordSequence sequence : open) {
        RecordReader.Reading reading = sequence.reading();
        units.addAll(reading.units());
        batchValid += reading.units().stream().mapToInt(List::size).sum();
        reading.rejected().forEach(this::reject);
        rejectedGroups += reading.rejectedGroups();
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
}
