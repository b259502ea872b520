/** Tests of what is around the code: the jar, the scripts, the documents. */
package org.safesynth.build;
