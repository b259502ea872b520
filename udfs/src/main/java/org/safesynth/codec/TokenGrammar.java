package org.safesynth.codec;

import java.util.Arrays;
import java.util.BitSet;
import java.util.concurrent.ConcurrentHashMap;
import org.safesynth.fault.RunFailedException;
import org.safesynth.tokenizer.TokenizerFolder;
import org.safesynth.tokenizer.Vocabulary;

/**
 * What a pretrained model may write next so that its text is a record of the schema: the automaton
 * of {@link JsonlGrammar} lifted from bytes to the tokenizer's tokens. May be used by several
 * threads.
 *
 * <p>A state is a place within a record and its line end. Masks are made once a state and kept;
 * where only one text can follow, its tokens are given as a run, so that keys and punctuation cost
 * no forward pass each. A run is cut as the tokenizer cuts whole records, and ends before a token
 * that could reach into the value behind it: of {@code ":">50K"} the tokenizer makes {@code ":} and
 * {@code ">}, which a run up to the value's first character would rule out.
 */
public final class TokenGrammar implements LineGrammar {
  private final JsonlCodec codec;
  private final Vocabulary vocabulary;
  private final RecordDfa records;
  private final ByteDfa dfa;
  private final TokenTrie trie;
  private final ForcedRuns forcedRuns;
  private final ConcurrentHashMap<Integer, int[]> allowed = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, int[]> runs = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, int[]> ends = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, BitSet> crossed = new ConcurrentHashMap<>();

  public TokenGrammar(JsonlCodec codec, TokenizerFolder tokenizer) {
    byte[] before = before(tokenizer);
    this.codec = codec;
    this.vocabulary = tokenizer.vocabulary();
    this.dfa = JsonlGrammar.of(codec, before);
    this.records = RecordDfa.of(dfa, codec, before);
    this.trie = new TokenTrie(vocabulary);
    this.forcedRuns = new ForcedRuns(tokenizer, trie, before);
  }

  /** What the tokenizer writes in front of a text that it encodes: nothing, or a space. */
  private static byte[] before(TokenizerFolder tokenizer) {
    byte[] written = tokenizer.vocabulary().bytes(tokenizer.tokenizer().encode("{"));
    return Arrays.copyOf(written, written.length - 1);
  }

  /** Number of states. */
  public int states() {
    return dfa.size();
  }

  @Override
  public boolean isComplete(int state) {
    return dfa.isAccepting(state);
  }

  @Override
  public int[] allowed(int state) {
    return allowed.computeIfAbsent(state, s -> allowed(dfa, s));
  }

  @Override
  public int[] allowedOrEnd(int eos) {
    int[] first = allowed(START); // outside: the map must not be changed while it is changed
    return allowed.computeIfAbsent(
        -1 - eos,
        key -> {
          int[] all = Arrays.copyOf(first, first.length + 1);
          all[first.length] = eos;
          Arrays.sort(all);
          return all;
        });
  }

  @Override
  public int next(int state, int token) {
    byte[] bytes = vocabulary.bytes(token);
    int next = bytes == null ? ByteAutomaton.NONE : dfa.next(state, bytes);
    if (next == ByteAutomaton.NONE) {
      throw new IllegalArgumentException("token " + token + " may not be written here");
    }
    return next;
  }

  @Override
  public boolean isGiven(int state, int token) {
    return false;
  }

  @Override
  public int distance(int state) {
    return end(state).length;
  }

  @Override
  public int[] shortestEnd(int state) {
    return end(state).clone();
  }

  private int[] end(int state) {
    return ends.computeIfAbsent(state, s -> longest(dfa.shortestEnd(s)));
  }

  /** A text in the longest tokens from its beginning. */
  int[] longest(byte[] text) {
    int[] tokens = new int[text.length];
    int count = 0;
    for (int at = 0; at < text.length; ) {
      int token = trie.longest(text, at);
      tokens[count++] = token;
      at += vocabulary.bytes(token).length;
    }
    return Arrays.copyOf(tokens, count);
  }

  @Override
  public int[] run(int state) {
    return runs.computeIfAbsent(state, s -> forcedRuns.of(dfa, s));
  }

  /** The tokens that an automaton with this vocabulary allows. */
  int[] allowed(ByteAutomaton automaton, int state) {
    int[] tokens = trie.allowed(automaton, state);
    if (tokens.length == 0) {
      throw new RunFailedException(
          "the model's tokenizer has no tokens for the bytes that the schema needs: set generation.use_structured_generation to false");
    }
    return tokens;
  }

  /** The tokens that an automaton with this vocabulary forces. */
  int[] run(ByteAutomaton automaton, int state) {
    return forcedRuns.of(automaton, state);
  }

  /** Columns into whose values, from their first byte on, a token from a state may reach. */
  BitSet crossed(int state) {
    return crossed.computeIfAbsent(state, s -> trie.crossed(records, s));
  }

  RecordDfa records() {
    return records;
  }

  JsonlCodec codec() {
    return codec;
  }

  byte[] bytes(int token) {
    return vocabulary.bytes(token);
  }

  /**
   * The same records with some of their values given, or bounded below.
   *
   * @param given canonical values (columns), null where none is
   * @param isGiven (columns) whether a value is given: it may be null
   */
  public LineGrammar withGiven(Object[] given, boolean[] isGiven) {
    return GivenGrammar.of(this, given, isGiven, -1, 0, null);
  }

  /**
   * The same with a number or time that is not below a bound too.
   *
   * @param ordered column; -1 for none
   * @param least tick of its least value
   */
  public LineGrammar withGiven(Object[] given, boolean[] isGiven, int ordered, long least) {
    return GivenGrammar.of(this, given, isGiven, ordered, least, null);
  }

  /**
   * The same with a bound above too.
   *
   * @param most tick of its greatest value; of times of day, also of a time on the day after
   */
  public LineGrammar withGiven(
      Object[] given, boolean[] isGiven, int ordered, long least, long most) {
    return GivenGrammar.of(this, given, isGiven, ordered, least, most);
  }
}
