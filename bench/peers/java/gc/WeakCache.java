package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Look-ups through weak references, of which a ring keeps the last thousand objects alive. */
final class WeakCache {
  private static final int RING = 1024;

  private WeakCache() {}

  private static long lookUpOften(Run run, Params params, int thread, AtomicLong hits) {
    List<WeakReference<WideNode>> weak = new ArrayList<>();
    for (int k = 0; k < 1 << params.depth; ++k) weak.add(new WeakReference<>(null));
    WideNode[] ring = new WideNode[RING];
    RandomSource random = Run.seeded(17, thread);
    Lane lane = run.lane(true);
    long h = 0;
    long found = 0;
    int operations = params.operations(2000000, thread);
    for (int i = 0; i < operations; ++i) {
      lane.await();
      int k = random.below(weak.size());
      WideNode node = weak.get(k).get();
      if (node != null) {
        ++found;
      } else {
        node = new WideNode((long) k * k + 1);
        weak.set(k, new WeakReference<>(node));
      }
      ring[i % RING] = node;
      h = Run.mix(h, node.first);
      lane.done();
    }
    lane.keep(ring);
    hits.addAndGet(found);
    return h;
  }

  static void run(Run run, Params params) {
    AtomicLong hits = new AtomicLong();
    run.begin();
    long sum = run.onThreads(thread -> lookUpOften(run, params, thread, hits));
    run.end();
    long made = 0;
    for (int thread = 0; thread < params.threads; ++thread) made += params.operations(2000000, thread);
    run.figure("hits", (double) hits.get() / Math.max(made, 1));
    run.check(sum);
  }

  static long live(Params params, Sizes sizes) {
    long slot = sizes.reference() + sizes.object(4, 0);
    return params.threads * ((1L << params.depth) * slot + RING * sizes.wideNode());
  }
}
