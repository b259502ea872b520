/**
 * The faults that a caller tells apart: bad input (exit code 2) and a run that failed (1). Knows
 * nothing else.
 */
package org.safesynth.fault;
