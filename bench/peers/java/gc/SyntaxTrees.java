package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;

/** Syntax trees are built at random, evaluated, rewritten with their constants folded, and evaluated again. */
final class SyntaxTrees {
  private static final int DEPTH = 10;

  /** What the tree that an operation keeps comes to, by measurement, in words of a node. */
  private static final int NODES_KEPT = 120;

  private SyntaxTrees() {}

  private static long evaluate(Expression tree) {
    return tree.evaluate(new long[] {1, 2, 3, 4, 5, 6, 7, 8});
  }

  private static long rewriteOften(Run run, Params params, int thread) {
    Lane lane = run.lane(false);
    Expression[] slots = new Expression[1 << params.depth];
    RandomSource random = Run.seeded(13, thread);
    long h = 0;
    for (int i = params.operations(3000, thread); i > 0; --i) {
      lane.await();
      Expression built = Expression.build(random, DEPTH);
      long value = evaluate(built);
      Expression folded = built.rewrite();
      if (evaluate(folded) != value) throw new IllegalStateException("a tree that was rewritten has another value");
      h = Run.mix(Run.mix(h, value), folded.size());
      slots[random.below(slots.length)] = folded;
      lane.done();
    }
    lane.keep(slots);
    return h;
  }

  static void run(Run run, Params params) {
    run.begin();
    long sum = run.onThreads(thread -> rewriteOften(run, params, thread));
    run.end();
    run.check(sum);
  }

  static long live(Params params, Sizes sizes) {
    return params.threads * (1L << params.depth) * NODES_KEPT * sizes.object(2, 4);
  }
}
