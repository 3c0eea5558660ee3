package gc;

import harness.Lane;
import harness.Params;
import harness.Run;

/**
 * Binary trees (Boehm; the Computer Language Benchmarks Game): trees of many depths are made, counted and dropped
 * beside one that lives.
 */
final class BinaryTrees {
  private static final int LEAST_DEPTH = 4;

  private BinaryTrees() {}

  private static final class Node {
    Node left;
    Node right;

    long count() {
      return left == null ? 1 : 1 + left.count() + right.count();
    }
  }

  private static Node make(int depth) {
    Node top = new Node();
    if (depth > 0) {
      top.left = make(depth - 1);
      top.right = make(depth - 1);
    }
    return top;
  }

  private static long growForests(Run run, Params params) {
    Lane lane = run.lane(false);
    long sum = make(params.depth + 1).count();
    lane.done();
    Node longLived = make(params.depth);
    lane.skip();
    for (int d = LEAST_DEPTH; d <= params.depth; d += 4) {
      for (int i = params.scaled(1 << (params.depth - d + LEAST_DEPTH)); i > 0; --i) {
        sum += make(d).count();
        lane.done();
      }
    }
    lane.keep(longLived);
    return sum + longLived.count();
  }

  static void run(Run run, Params params) {
    run.begin();
    long nodes = run.onThreads(thread -> growForests(run, params));
    run.end();
    run.check(nodes);
  }

  static long live(Params params, Sizes sizes) {
    return params.threads * (4L << params.depth) * sizes.object(2, 0);
  }
}
