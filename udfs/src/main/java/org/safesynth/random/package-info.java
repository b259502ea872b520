/** The one door for seeded randomness: streams and permutations by key. Knows nothing else. */
package org.safesynth.random;
