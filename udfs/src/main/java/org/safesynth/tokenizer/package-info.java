/**
 * Text to the token ids of a pretrained language model and back: its {@code tokenizer.json}, its
 * special tokens, and what each token writes. Knows no tables, no Spark and no models.
 */
package org.safesynth.tokenizer;
