package org.safesynth.generate;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;
import org.safesynth.codec.JsonlCodec;
import org.safesynth.codec.LineGrammar;
import org.safesynth.codec.TokenGrammar;
import org.safesynth.example.ExampleFormat;

/**
 * One sequence of records in the making: reads it line by line, under the grammar of each record or
 * freely, and ends it when its records, its room or its sense are used up.
 */
final class RecordSequence implements TextSampler.Sequence {
  /** A token may lead away from the end by a value's length at most; dates are the longest. */
  static final int MARGIN = 64;

  private final Frame frame;
  private final RecordReader reader;
  private final RandomGenerator random;
  private final IntConsumer written;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private LineGrammar grammar; // of the record that is being written; null for free text
  private int length; // tokens
  private int lineStart; // tokens
  private int lines;
  private int primed; // lines that it began with
  private int state = LineGrammar.START;
  private boolean isFinished;
  private boolean isEnded; // by itself
  private boolean isOver;
  private boolean isInRecord; // of free text
  private boolean isGiven; // what was written last
  private int[] prefix = {};
  private RecordReader.Reading reading;

  /**
   * What the sequences of a sampler share.
   *
   * @param grammar of all records, or null for free text
   * @param contextTokens most tokens of a sequence, its prompt included
   * @param promptTokens what it begins with
   * @param longestRecord tokens of the longest record that was learned; 0 for any
   * @param mostRecords records after which it ends
   */
  record Frame(
      ExampleFormat format,
      TokenGrammar grammar,
      int contextTokens,
      int promptTokens,
      int longestRecord,
      int mostRecords) {}

  RecordSequence(Frame frame, RecordReader reader, RandomGenerator random) {
    this(frame, reader, random, records -> {});
  }

  /**
   * @param written hears how many records were written each time it goes on
   */
  RecordSequence(Frame frame, RecordReader reader, RandomGenerator random, IntConsumer written) {
    this.frame = frame;
    this.reader = reader;
    this.random = random;
    this.written = written;
    this.grammar = frame.grammar() == null ? null : reader.next(frame.grammar());
  }

  /** What came of a finished sequence. */
  RecordReader.Reading reading() {
    if (reading == null) {
      readLine();
      reading = reader.close(isEnded || grammar != null);
    }
    return reading;
  }

  private void readLine() {
    String text = line.toString(StandardCharsets.UTF_8);
    line.reset();
    for (JsonlCodec.Found found : frame.format().codec().parse(text)) {
      reader.take(found);
    }
  }

  /** Tokens that the sequence, and the record that is being written, may still have. */
  private int room() {
    int ofContext = frame.contextTokens() - frame.promptTokens() - length;
    int ofRecord =
        frame.longestRecord() == 0
            ? Integer.MAX_VALUE
            : lineStart + 2 * frame.longestRecord() + MARGIN - length;
    return Math.min(ofContext, ofRecord);
  }

  private boolean isBetweenRecords() {
    return state == LineGrammar.START && lines > 0;
  }

  @Override
  public int[] forced() {
    if (grammar == null || (isBetweenRecords() && reader.mayEnd())) {
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
    return isBetweenRecords() ? grammar.allowedOrEnd(frame.format().eos()) : grammar.allowed(state);
  }

  @Override
  public void accept(int token) {
    if (token == frame.format().eos()) {
      isFinished = true;
      isEnded = true;
      return;
    }
    length++;
    byte[] bytes = frame.format().tokenizer().vocabulary().bytes(token);
    int before = lines;
    if (grammar != null) {
      isGiven = grammar.isGiven(state, token);
      state = grammar.next(state, token);
    }
    for (int i = 0; bytes != null && i < bytes.length; i++) {
      line.write(bytes[i]);
      isInRecord |= bytes[i] == '{';
      if (bytes[i] == '\n') {
        endLine();
      }
    }
    if (lines > before) {
      lineStart = length;
    }
    isFinished =
        lines >= frame.mostRecords() || reader.isLost() || reader.isComplete() || !hasRoom();
  }

  /** Lines that hold no record, such as a word of the prompt's kind, do not count. */
  private void endLine() {
    readLine();
    lines += isInRecord ? 1 : 0;
    isInRecord = false;
    if (grammar != null) {
      state = LineGrammar.START;
      grammar = reader.next(frame.grammar());
    }
  }

  private int longest() {
    return Math.max(frame.longestRecord(), MARGIN);
  }

  private boolean hasRoom() {
    if (grammar == null) {
      return room() > 0;
    }
    return state != LineGrammar.START || room() >= grammar.distance(state) + MARGIN;
  }

  @Override
  public int[] prefix() {
    return prefix;
  }

  /** Whether what was written last is of a given value. */
  boolean isGiven() {
    return isGiven;
  }

  /** Whether it is finished and does not go on. */
  boolean isOver() {
    return isOver;
  }

  /** Begins again behind its last records, where the reader wants more of them. */
  @Override
  public boolean goesOn() {
    readLine(); // a record that was not cut off may lack its line end
    List<Object[]> kept = reader.goOn(isEnded);
    if (kept == null) {
      isOver = true;
      return false;
    }
    written.accept(lines - primed);
    int room = frame.contextTokens() - frame.promptTokens() - 2 * longest() - MARGIN;
    ArrayDeque<int[]> records = new ArrayDeque<>();
    length = 0;
    for (int i = kept.size() - 1; i >= 0; i--) {
      int[] record = frame.format().record(kept.get(i));
      if (length + record.length > room) {
        break; // what is written next must find room too
      }
      records.addFirst(record);
      length += record.length;
    }
    prefix = records.stream().flatMapToInt(Arrays::stream).toArray();
    lineStart = length;
    primed = records.size();
    lines = primed;
    state = LineGrammar.START;
    isFinished = false;
    isEnded = false;
    isInRecord = false;
    grammar = frame.grammar() == null ? null : reader.next(frame.grammar());
    return true;
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
