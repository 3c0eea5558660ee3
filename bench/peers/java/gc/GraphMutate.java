package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;
import java.lang.ref.Reference;
import java.util.concurrent.locks.LockSupport;

/** Random swaps of the edges of a graph, while a thread beside it keeps the collector at work. */
final class GraphMutate {
  /** Makes an allocation that nobody reads escape to the heap. */
  static Cell kept;

  private static final int AT_ONCE = 16384;

  private static volatile boolean done = false;
  private static long allocated = 0;

  private GraphMutate() {}

  private static void swapOften(WideNode[] nodes, RandomSource random) {
    for (int i = 0; i < 1000; ++i) {
      WideNode a = nodes[random.below(nodes.length)];
      WideNode b = nodes[random.below(nodes.length)];
      WideNode left = a.left;
      a.left = b.right;
      b.right = left == null ? a : left;
    }
  }

  private static long numberOf(WideNode node) {
    return node == null ? 0 : node.first + 1;
  }

  /** Makes so many cells a second, or, at 0, as many as it can. */
  private static void allocateUntilDone(double rate) {
    long began = System.nanoTime();
    long n = 0;
    while (!done) {
      for (int i = 0; i < AT_ONCE; ++i, ++n) kept = new Cell(null, n);
      if (rate != 0) LockSupport.parkNanos(began + (long) (n / rate * 1e9) - System.nanoTime());
    }
    allocated = n;
  }

  static void run(Run run, Params params) {
    WideNode[] nodes = new WideNode[1 << params.depth];
    for (int i = 0; i < nodes.length; ++i) nodes[i] = new WideNode(i);
    run.begin();
    Thread beside = run.beside("beside", () -> allocateUntilDone(params.beside));
    RandomSource random = new RandomSource(3);
    Lane lane = run.lane(true);
    int operations = params.operations(20000, 0);
    for (int i = 0; i < operations; ++i) {
      lane.await();
      swapOften(nodes, random);
      lane.done();
    }
    done = true;
    Run.join(beside);
    run.end();
    run.figure("swap_ns", (double) run.wall() / operations / 1000);
    run.figure("beside_per_second", allocated * 1e9 / run.wall());
    Reference.reachabilityFence(nodes);
    long h = 0;
    for (WideNode each : nodes) h = Run.mix(Run.mix(h, numberOf(each.left)), numberOf(each.right));
    run.check(h);
  }

  static long live(Params params, Sizes sizes) {
    return (1L << params.depth) * (sizes.wideNode() + sizes.reference());
  }
}
