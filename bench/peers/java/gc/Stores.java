package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;
import java.lang.ref.Reference;

/** What a program pays for being managed, an allocation and a store; and for being measured. */
final class Stores {
  private static final int CELLS = 4096;
  private static final int OBJECTS = 20000000;
  private static final int STORES = 50000000;
  private static final int LIST = 4000000;
  private static final int USUAL_RATE = 250000;

  /** Makes an allocation that nobody reads escape to the heap. */
  static Leaf kept;

  private static volatile boolean done = false;

  private Stores() {}

  static final class Leaf {
    long first;
    long second;
  }

  private static long allocateOften(int count) {
    long began = System.nanoTime();
    for (int i = 0; i < count; ++i) kept = new Leaf();
    return System.nanoTime() - began;
  }

  static void allocate(Run run, Params params) {
    int count = params.scaled(OBJECTS);
    run.begin();
    for (int i = 0; i < 5; ++i) {
      run.repeated(allocateOften(count));
      System.gc();
    }
    run.end();
    run.figureOfRounds("object", count);
    run.check(Run.mix(0, count));
  }

  /** Java cannot be told not to collect: the heap holds all that is made between two collections. */
  static long allocateLive(Params params, Sizes sizes) {
    return params.scaled(OBJECTS) * sizes.object(0, 16);
  }

  /** Makes a random cell's link a random cell, and returns what one store took. */
  private static double storeOften(Cell[] cells, int count) {
    RandomSource random = new RandomSource(7);
    long began = System.nanoTime();
    for (int i = 0; i < count; ++i) {
      long draw = random.next();
      cells[(int) (draw & (CELLS - 1))].next = cells[(int) (draw >>> 12 & (CELLS - 1))];
    }
    return (double) (System.nanoTime() - began) / count;
  }

  private static void collectUntilDone() {
    while (!done) System.gc();
  }

  static void barrier(Run run, Params params) {
    int count = params.scaled(STORES);
    Cell[] cells = new Cell[CELLS];
    for (int i = 0; i < CELLS; ++i) cells[i] = new Cell(null, i);
    // A list that takes long to mark keeps the barrier on.
    WideNode list = WideNode.liveList(params.scaled(LIST));
    storeOften(cells, count / 10);
    run.begin();
    run.figure("idle_ns", storeOften(cells, count));
    Thread collecting = run.beside("collecting", Stores::collectUntilDone);
    run.figure("marking_ns", storeOften(cells, count));
    done = true;
    Run.join(collecting);
    run.end();
    Reference.reachabilityFence(list);
    run.check(Run.mix(0, count));
  }

  static long barrierLive(Params params, Sizes sizes) {
    return params.scaled(LIST) * (sizes.wideNode() + sizes.reference());
  }

  private static void recordOften(Lane lane, int count) {
    for (int i = 0; i < count; ++i) {
      lane.await();
      lane.done();
    }
  }

  /** Does nothing as often as it can, and at a pace: what timing an operation costs. */
  static void recording(Run run, Params params) {
    int count = params.scaled(OBJECTS);
    recordOften(new Lane(0, 0, true), count / 10);
    run.begin();
    recordOften(run.lane(true), count);
    run.end();
    run.figure("operation_ns", (double) run.wall() / count);
    Lane late = new Lane(System.nanoTime(), 1, false);
    long began = System.nanoTime();
    recordOften(late, count);
    run.figure("paced_operation_ns", (double) (System.nanoTime() - began) / count);
    Lane punctual = new Lane(System.nanoTime(), 1e9 / USUAL_RATE, false);
    recordOften(punctual, params.scaled(100000));
    run.figure("paced_response_ns", punctual.medianResponse());
    run.check(Run.mix(0, count));
  }

  static long nothing(Params params, Sizes sizes) {
    return 0;
  }
}
