package org.safesynth.codec;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
public final class TokenGrammar {
  /** The state in front of a record. */
  public static final int START = 0;

  private static final String ANCHOR = "\n"; // a text that no tokenizer joins to what follows it

  private final TokenizerFolder tokenizer;
  private final Vocabulary vocabulary;
  private final ByteDfa dfa;
  private final TokenTrie trie;
  private final byte[] before;
  private final ConcurrentHashMap<Integer, int[]> allowed = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, int[]> runs = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Integer, int[]> ends = new ConcurrentHashMap<>();

  public TokenGrammar(JsonlCodec codec, TokenizerFolder tokenizer) {
    this.tokenizer = tokenizer;
    this.vocabulary = tokenizer.vocabulary();
    this.before = before(tokenizer);
    this.dfa = JsonlGrammar.of(codec, before);
    this.trie = new TokenTrie(vocabulary);
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

  /** Whether a record and its line end are complete. */
  public boolean isComplete(int state) {
    return dfa.isAccepting(state);
  }

  /** The tokens that may be written in a state, in order. */
  public int[] allowed(int state) {
    return allowed.computeIfAbsent(
        state,
        s -> {
          int[] tokens = trie.allowed(dfa, s);
          if (tokens.length == 0) {
            throw new RunFailedException(
                "the model's tokenizer has no tokens for the bytes that the schema needs: set generation.use_structured_generation to false");
          }
          return tokens;
        });
  }

  /** The tokens that may follow a complete record: another record's first, or the end. */
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

  /**
   * The state after a token.
   *
   * @throws IllegalArgumentException if it may not be written
   */
  public int next(int state, int token) {
    byte[] bytes = vocabulary.bytes(token);
    int next = bytes == null ? ByteDfa.NONE : dfa.next(state, bytes);
    if (next == ByteDfa.NONE) {
      throw new IllegalArgumentException("token " + token + " may not be written here");
    }
    return next;
  }

  /** Tokens that {@link #shortestEnd} takes from a state. */
  public int distance(int state) {
    return end(state).length;
  }

  /** The tokens of a shortest way to a complete record: what is written when room runs out. */
  public int[] shortestEnd(int state) {
    return end(state).clone();
  }

  private int[] end(int state) {
    return ends.computeIfAbsent(
        state,
        s -> {
          byte[] text = dfa.shortestEnd(s);
          int[] tokens = new int[text.length];
          int count = 0;
          for (int at = 0; at < text.length; ) {
            int token = trie.longest(text, at);
            tokens[count++] = token;
            at += vocabulary.bytes(token).length;
          }
          return Arrays.copyOf(tokens, count);
        });
  }

  /** The tokens that must follow a state whatever the values are; none where a choice is near. */
  public int[] run(int state) {
    return runs.computeIfAbsent(state, this::forced);
  }

  private int[] forced(int state) {
    byte[] text = new byte[dfa.size()];
    int length = 0;
    int at = state;
    for (int only = dfa.onlyByte(at); only >= 0; only = dfa.onlyByte(at)) {
      text[length++] = (byte) only;
      at = dfa.next(at, only);
    }
    if (length == 0) {
      return new int[0];
    }
    byte[] run = Arrays.copyOf(text, length);
    if (dfa.isAccepting(at)) {
      return tokens(run, state, "", length);
    }
    int[] common = null;
    for (String behind : samples(at)) {
      int[] tokens = tokens(run, state, behind, length);
      common = common == null ? tokens : commonBeginning(common, tokens);
    }
    return before(reached(run, at), common);
  }

  /** Where the first token could begin that ends behind the run, in a value that may follow. */
  private int reached(byte[] run, int state) {
    for (int from = 0; from < run.length; from++) {
      if (trie.reachesBeyond(run, from, dfa, state)) {
        return from;
      }
    }
    return run.length;
  }

  /** The tokens that lie before a byte. */
  private int[] before(int end, int[] tokens) {
    int count = 0;
    int bytes = 0;
    while (count < tokens.length && bytes + vocabulary.bytes(tokens[count]).length <= end) {
      bytes += vocabulary.bytes(tokens[count++]).length;
    }
    return Arrays.copyOf(tokens, count);
  }

  /** First characters of values that may follow. */
  private List<String> samples(int state) {
    List<String> samples = new ArrayList<>();
    for (int read = ' '; read < 0x7f; read++) {
      if (dfa.next(state, read) != ByteDfa.NONE) {
        samples.add(String.valueOf((char) read));
      }
    }
    return samples.isEmpty() ? List.of("") : samples;
  }

  /** The tokenizer's own tokens of a run in front of more text, as far as they lie in the run. */
  private int[] tokens(byte[] run, int state, String behind, int length) {
    boolean isFirst = state == START;
    int skipped = isFirst ? before.length : 0;
    String text = new String(run, skipped, length - skipped, StandardCharsets.UTF_8);
    int[] ids = tokenizer.tokenizer().encode((isFirst ? "" : ANCHOR) + text + behind);
    int from = 0;
    if (!isFirst) {
      int anchored = 0;
      while (from < ids.length && anchored < before.length + ANCHOR.length()) {
        anchored += vocabulary.bytes(ids[from++]).length;
      }
      if (anchored != before.length + ANCHOR.length()) {
        return new int[0];
      }
    }
    int to = from;
    int covered = 0;
    while (to < ids.length) {
      byte[] bytes = vocabulary.bytes(ids[to]);
      if (bytes == null
          || covered + bytes.length > length
          || !Arrays.equals(bytes, Arrays.copyOfRange(run, covered, covered + bytes.length))) {
        break;
      }
      covered += bytes.length;
      to++;
    }
    return Arrays.copyOfRange(ids, from, to);
  }

  private static int[] commonBeginning(int[] a, int[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a : Arrays.copyOf(a, mismatch);
  }
}
