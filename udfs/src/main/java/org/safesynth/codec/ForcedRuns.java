package org.safesynth.codec;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.safesynth.tokenizer.TokenizerFolder;
import org.safesynth.tokenizer.Vocabulary;

/**
 * The tokens that must be written where only one text can follow, cut as the tokenizer cuts whole
 * records.
 */
final class ForcedRuns {
  private static final String ANCHOR = "\n"; // a text that no tokenizer joins to what follows it

  private final TokenizerFolder tokenizer;
  private final Vocabulary vocabulary;
  private final TokenTrie trie;
  private final byte[] before;

  /**
   * @param before what the tokenizer puts in front of a text
   */
  ForcedRuns(TokenizerFolder tokenizer, TokenTrie trie, byte[] before) {
    this.tokenizer = tokenizer;
    this.vocabulary = tokenizer.vocabulary();
    this.trie = trie;
    this.before = before.clone();
  }

  /** The tokens that must follow a state whatever the values are; none where a choice is near. */
  int[] of(ByteAutomaton dfa, int state) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    int at = state;
    for (int only = dfa.onlyByte(at); only >= 0; only = dfa.onlyByte(at)) {
      text.write(only);
      at = dfa.next(at, only);
    }
    int length = text.size();
    if (length == 0) {
      return new int[0];
    }
    byte[] run = text.toByteArray();
    if (dfa.isAccepting(at)) {
      return tokens(run, state, "", length);
    }
    int[] common = null;
    for (String behind : samples(dfa, at)) {
      int[] tokens = tokens(run, state, behind, length);
      common = common == null ? tokens : commonBeginning(common, tokens);
    }
    return before(reached(dfa, run, at), common);
  }

  /** Where the first token could begin that ends behind the run, in a value that may follow. */
  private int reached(ByteAutomaton dfa, byte[] run, int state) {
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
  private static List<String> samples(ByteAutomaton dfa, int state) {
    List<String> samples = new ArrayList<>();
    for (int read = ' '; read < 0x7f; read++) {
      if (dfa.next(state, read) != ByteAutomaton.NONE) {
        samples.add(String.valueOf((char) read));
      }
    }
    return samples.isEmpty() ? List.of("") : samples;
  }

  /** The tokenizer's own tokens of a run in front of more text, as far as they lie in the run. */
  private int[] tokens(byte[] run, int state, String behind, int length) {
    boolean isFirst = state == LineGrammar.START;
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
