package gc;

import harness.Lane;
import harness.Params;
import harness.Run;

/** A heap that grows: of a hundred objects ten stay. */
final class LeakSlow {
  private static final int STAYS = 10;

  private LeakSlow() {}

  private static WideNode makeHundred(WideNode head, long first) {
    for (int i = 0; i < ChurnSurvive.AT_ONCE; ++i) {
      WideNode fresh = new WideNode(first + i);
      if ((first + i) % STAYS == 0) {
        fresh.left = head;
        head = fresh;
      } else {
        ChurnSurvive.kept = fresh;
      }
    }
    return head;
  }

  private static long leakOften(Run run, Params params, int thread) {
    Lane lane = run.lane(true);
    WideNode head = null;
    int operations = params.operations(100000, thread);
    for (int i = 0; i < operations; ++i) {
      lane.await();
      head = makeHundred(head, (long) i * ChurnSurvive.AT_ONCE);
      lane.done();
    }
    lane.keep(head);
    long h = 0;
    for (; head != null; head = head.left) h = Run.mix(h, head.first);
    return h;
  }

  static void run(Run run, Params params) {
    run.begin();
    long sum = run.onThreads(thread -> leakOften(run, params, thread));
    run.end();
    run.check(sum);
  }

  static long live(Params params, Sizes sizes) {
    long operations = 0;
    for (int thread = 0; thread < params.threads; ++thread) operations += params.operations(100000, thread);
    return operations * ChurnSurvive.AT_ONCE / STAYS * sizes.wideNode();
  }
}
