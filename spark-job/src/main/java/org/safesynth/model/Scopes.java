package org.safesynth.model;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/** Frees what a piece of work allocates, but for its result. */
final class Scopes {
  private Scopes() {}

  /** Runs the work in a scope of its own and moves its result to the scope around it. */
  static Tensor keep(Supplier<Tensor> work) {
    PointerScope outer = PointerScope.getInnerScope();
    Tensor result;
    try (PointerScope inner = new PointerScope()) {
      result = work.get();
      result.retainReference();
      inner.detach(result);
    }
    if (outer != null) {
      outer.attach(result);
      result.releaseReference();
    }
    return result;
  }
}
