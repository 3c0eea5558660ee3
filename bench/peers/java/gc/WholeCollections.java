package gc;

import harness.Lane;
import harness.Params;
import harness.Run;
import java.lang.ref.Reference;

/**
 * What a whole collection costs: of a tree, in the order of allocation or at random, and of a list, where each object
 * is found only when the one before has been read.
 */
final class WholeCollections {
  private static final int COLLECTIONS = 5;
  private static final int LIST = 4000000;

  private WholeCollections() {}

  private static void collectOften(Run run, long objects) {
    run.begin();
    Lane lane = run.lane(false);
    for (int i = 0; i < COLLECTIONS; ++i) {
      long began = System.nanoTime();
      System.gc();
      run.repeated(System.nanoTime() - began);
      lane.done();
    }
    run.end();
    run.figureOfRounds("collection", 1);
    run.check(Run.mix(0, objects));
  }

  static void tree(Run run, Params params) {
    WideNode tree = WideNode.liveTree(params.depth, params.random);
    collectOften(run, (2L << params.depth) - 1);
    Reference.reachabilityFence(tree);
  }

  static long treeLive(Params params, Sizes sizes) {
    return (2L << params.depth) * (sizes.wideNode() + sizes.reference());
  }

  private static long walk(WideNode list) {
    long sum = 0;
    for (WideNode n = list; n != null; n = n.left) sum += n.first + 1;
    return sum;
  }

  static void list(Run run, Params params) {
    int count = params.scaled(LIST);
    WideNode list = WideNode.liveList(count);
    long began = System.nanoTime();
    long sum = walk(list);
    run.figure("pointer_chase_ns", (double) (System.nanoTime() - began) / count);
    if (sum != count) throw new IllegalStateException("the list lost objects");
    collectOften(run, count);
    Reference.reachabilityFence(list);
  }

  static long listLive(Params params, Sizes sizes) {
    return params.scaled(LIST) * (sizes.wideNode() + sizes.reference());
  }
}
