package gc;

import harness.Params;
import harness.Run;

/** A program that had much to hold and holds nothing any more: how much of that the system gets back, and how soon. */
final class IdleReturn {
  private static final int BETWEEN_LOOKS_MS = 5;

  private IdleReturn() {}

  private static long count(WideNode n) {
    return n == null ? 0 : 1 + count(n.left) + count(n.right);
  }

  private static long above(long base) {
    return Math.max(Run.resident() - base, 0);
  }

  /** Returns how long it took since `dropped` until half of `full` was given back; zero where it was not. */
  private static long idle(double seconds, long base, long full, long dropped) {
    long halfBack = 0;
    for (long began = System.nanoTime(); System.nanoTime() - began < seconds * 1e9; ) {
      try {
        Thread.sleep(BETWEEN_LOOKS_MS);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      if (halfBack == 0 && above(base) <= full / 2) halfBack = System.nanoTime() - dropped;
    }
    return halfBack;
  }

  static void run(Run run, Params params) {
    run.begin();
    long base = Run.resident();
    WideNode tree = WideNode.liveTree(params.depth, false);
    long nodes = count(tree);
    long full = above(base);
    long dropped = System.nanoTime();
    tree = null;
    System.gc();
    long halfBack = idle(params.seconds, base, full, dropped);
    long left = above(base);
    run.end();
    run.figure("full_bytes", full);
    run.figure("idle_bytes", left);
    run.figure("given_back_bytes", Math.max(full - left, 0));
    if (halfBack != 0) run.figure("half_back_ns", halfBack);
    run.check(Run.mix(0, nodes));
  }

  static long live(Params params, Sizes sizes) {
    return (2L << params.depth) * sizes.wideNode();
  }
}
