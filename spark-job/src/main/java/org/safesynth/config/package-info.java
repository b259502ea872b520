/**
 * The parameters of a run: each is declared once, as a record component with its default, bounds
 * and meaning. YAML, command line options, the builder, the saved configuration and the reference
 * page all come from that declaration.
 *
 * <p>The way of a parameter: {@code YamlSource} reads text into nodes that know their line, {@code
 * ConfigReader} lays the command line over them, {@code RecordBinder} turns them into records and
 * {@code CrossRules} checks what concerns several parameters. Every mistake is a {@link
 * org.safesynth.fault.BadInputException} that names the parameter by its YAML path.
 *
 * <p>Knows YAML and the command line; knows no Spark, no tensors and no files.
 */
package org.safesynth.config;
