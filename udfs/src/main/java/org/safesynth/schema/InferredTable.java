package org.safesynth.schema;

/** A table's schema and what was counted of it. */
public record InferredTable(FrozenSchema schema, TableProfile profile) {}
