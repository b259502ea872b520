package org.safesynth.evaluate;

import java.io.Serializable;

/** A column of a {@link TypedTable}. */
public record TypedColumn(String name, Storage storage) implements Serializable {}
