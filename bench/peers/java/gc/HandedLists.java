package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Short lists made by several threads, which hand one in 64 to the next thread. */
final class HandedLists {
  private static final int LENGTH = 8;
  private static final int HAND_EVERY = 64;

  private HandedLists() {}

  private static Cell make(long first) {
    Cell head = null;
    for (int i = LENGTH - 1; i >= 0; --i) head = new Cell(head, first + i);
    return head;
  }

  private static long sum(Cell list) {
    long sum = 0;
    for (; list != null; list = list.next) sum += list.number;
    return sum;
  }

  private static long handLists(Run run, Params params, int thread, AtomicReferenceArray<Cell> mailboxes) {
    Lane lane = run.lane(true);
    Cell[] slots = new Cell[1 << params.depth];
    RandomSource random = Run.seeded(14, thread);
    int next = (thread + 1) % params.threads;
    long sum = 0;
    int operations = params.operations(2000000, thread);
    for (int i = 0; i < operations; ++i) {
      lane.await();
      long operation = thread + (long) i * params.threads;
      Cell list = make(operation);
      sum += sum(list);
      if (operation % HAND_EVERY == 0) sum += sum(mailboxes.getAndSet(next, list));
      else slots[random.below(slots.length)] = list;
      lane.done();
    }
    lane.keep(slots);
    return sum;
  }

  static void run(Run run, Params params) {
    AtomicReferenceArray<Cell> mailboxes = new AtomicReferenceArray<>(params.threads);
    run.begin();
    long sum = run.onThreads(thread -> handLists(run, params, thread, mailboxes));
    run.end();
    for (int i = 0; i < params.threads; ++i) sum += sum(mailboxes.get(i));
    run.check(sum);
  }

  static long live(Params params, Sizes sizes) {
    return params.threads * (1L << params.depth) * LENGTH * sizes.object(1, 8);
  }
}
