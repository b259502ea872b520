/**
 * What a pretrained model reads in training and sampling: prompts, examples and how records are
 * packed into them. Knows records and tokenizers; knows no training and no models.
 */
package org.safesynth.example;
