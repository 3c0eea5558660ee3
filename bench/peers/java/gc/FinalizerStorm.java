package gc;

import harness.Lane;
import harness.Params;
import harness.Run;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;

/** Every object has a cleaner's action, which is what Java has had for finalizers since they were deprecated. */
final class FinalizerStorm {
  private static final long LONGEST_NS = 60_000_000_000L;

  private final Cleaner cleaner = Cleaner.create();
  private final AtomicLong count = new AtomicLong();
  private final AtomicLong sum = new AtomicLong();

  /** It may not refer to the object, or that would live for ever. */
  private record Finalizer(FinalizerStorm storm, long word) implements Runnable {
    @Override
    public void run() {
      storm.count.incrementAndGet();
      storm.sum.addAndGet(word + 1);
    }
  }

  private void makeOne(WideNode[] slots, long word) {
    WideNode fresh = new WideNode(word);
    cleaner.register(fresh, new Finalizer(this, word));
    slots[(int) (word % slots.length)] = fresh;
  }

  private long makeOften(Run run, Params params, int thread) {
    WideNode[] slots = new WideNode[1 << params.depth];
    Lane lane = run.lane(true);
    int operations = params.operations(200000, thread);
    for (int i = 0; i < operations; ++i) {
      lane.await();
      makeOne(slots, thread + (long) i * params.threads);
      lane.done();
    }
    lane.keep(slots);
    return operations;
  }

  private void drain(long made) {
    long began = System.nanoTime();
    while (count.get() < made && System.nanoTime() - began < LONGEST_NS) {
      System.gc();
      try {
        Thread.sleep(1);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  static void run(Run run, Params params) {
    FinalizerStorm storm = new FinalizerStorm();
    run.begin();
    long made = run.onThreads(thread -> storm.makeOften(run, params, thread));
    run.end();
    long began = System.nanoTime();
    storm.drain(made);
    run.figure("drain_ns", System.nanoTime() - began);
    long count = storm.count.get();
    run.figure("finalized", count);
    run.check(Run.mix(0, made));
    if (count > made || count < made * 99 / 100) {
      throw new IllegalStateException(count + " objects were finalized, of " + made);
    }
    if (count == made && storm.sum.get() != made * (made + 1) / 2) {
      throw new IllegalStateException("the finalizers saw other objects than were made");
    }
  }

  /** An object, its slot, the reference by which the cleaner knows it, and the action. */
  static long live(Params params, Sizes sizes) {
    long each = sizes.wideNode() + sizes.reference() + sizes.object(9, 0) + sizes.object(1, 8);
    return params.threads * (1L << params.depth) * each;
  }
}
