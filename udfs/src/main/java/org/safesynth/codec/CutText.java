package org.safesynth.codec;

/**
 * A text column some of whose texts are longer than its positions and are learned without the rest.
 *
 * @param column its name
 * @param pieces positions: pieces that are learned at most
 * @param share of the texts that are cut, by the profile's sample; above 0
 */
public record CutText(String column, int pieces, double share) {}
