package gc;

import harness.Lane;
import harness.Params;
import harness.Run;

/**
 * GCBench (Ellis, Kovac, Boehm): trees made from the top down and from the bottom up, beside a long-lived tree and a
 * long-lived array of numbers.
 */
final class GcBench {
  private static final int LEAST_DEPTH = 4;
  private static final int NUMBERS = 500000;

  private GcBench() {}

  private static final class Node {
    Node left;
    Node right;
    int i;
    int j;

    Node() {}

    Node(Node left, Node right) {
      this.left = left;
      this.right = right;
    }

    void populate(int depth) {
      if (depth == 0) return;
      left = new Node();
      right = new Node();
      left.populate(depth - 1);
      right.populate(depth - 1);
    }

    long count() {
      return left == null ? 1 : 1 + left.count() + right.count();
    }
  }

  private static Node topDown(int depth) {
    Node top = new Node();
    top.populate(depth);
    return top;
  }

  private static Node bottomUp(int depth) {
    return depth == 0 ? new Node() : new Node(bottomUp(depth - 1), bottomUp(depth - 1));
  }

  private static int size(int depth) {
    return (2 << depth) - 1;
  }

  private static long once(Params params, Lane lane, long h) {
    lane.skip();
    bottomUp(params.depth);
    lane.done();
    Node longLived = topDown(params.depth - 2);
    lane.done();
    double[] numbers = new double[NUMBERS];
    for (int i = 1; i < NUMBERS / 2; ++i) numbers[i] = 1.0 / i;
    lane.skip();
    for (int d = LEAST_DEPTH; d <= params.depth - 2; d += 2) {
      int trees = params.scaled(2 * size(params.depth) / size(d));
      for (int i = trees; i > 0; --i) {
        topDown(d);
        lane.done();
      }
      for (int i = trees; i > 0; --i) {
        bottomUp(d);
        lane.done();
      }
    }
    return Run.mix(Run.mix(h, longLived.count()), Double.doubleToRawLongBits(numbers[1000]));
  }

  static void run(Run run, Params params) {
    run.begin();
    Lane lane = run.lane(false);
    long h = 0;
    for (int i = 0; i < 3; ++i) {
      long began = System.nanoTime();
      h = once(params, lane, h);
      run.repeated(System.nanoTime() - began);
    }
    run.end();
    run.check(h);
  }

  static long live(Params params, Sizes sizes) {
    return (2L << params.depth) * sizes.object(2, 8) + sizes.array(NUMBERS, 8);
  }
}
