package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;

/** Objects of which a share survives. One operation is a hundred objects. */
final class ChurnSurvive {
  static final int AT_ONCE = 100;

  /** Makes an allocation that nobody reads escape to the heap. */
  static WideNode kept;

  private ChurnSurvive() {}

  private static WideNode[][] makeSlots(Params params) {
    WideNode[][] all = new WideNode[params.threads][Math.max((1 << params.depth) / params.threads, 1)];
    for (WideNode[] slots : all) {
      for (int j = 0; j < slots.length; ++j) slots[j] = new WideNode(j);
    }
    return all;
  }

  private static void makeHundred(WideNode[] slots, long first, RandomSource random, double survivors) {
    for (int i = 0; i < AT_ONCE; ++i) {
      WideNode fresh = new WideNode(first + i);
      if (random.below(1000000) < survivors) slots[random.below(slots.length)] = fresh;
      else kept = fresh;
    }
  }

  private static long churnOften(Run run, Params params, int thread, WideNode[] slots) {
    RandomSource random = Run.seeded(15, thread);
    double survivors = params.survival * 1000000;
    Lane lane = run.lane(true);
    int operations = params.operations(200000, thread);
    for (int i = 0; i < operations; ++i) {
      lane.await();
      makeHundred(slots, (long) i * AT_ONCE, random, survivors);
      lane.done();
    }
    lane.keep(slots);
    long h = 0;
    for (WideNode each : slots) h = Run.mix(h, each.first);
    return h;
  }

  static void run(Run run, Params params) {
    WideNode[][] slots = makeSlots(params);
    run.begin();
    long sum = run.onThreads(thread -> churnOften(run, params, thread, slots[thread]));
    run.end();
    run.check(sum);
  }

  static long live(Params params, Sizes sizes) {
    return (1L << params.depth) * (sizes.wideNode() + sizes.reference());
  }
}
