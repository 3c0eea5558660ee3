package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;

/** Arrays of 64 KiB to 2 MiB, of numbers and of references, take each other's place. */
final class LargeArrays {
  private static final int STRIDE = 512;
  private static final int LEAST_LENGTH = 8192;

  private LargeArrays() {}

  private static long[] makeNumbers(int length, long operation) {
    long[] numbers = new long[length];
    for (int j = 0; j < length; j += STRIDE) numbers[j] = operation + j;
    return numbers;
  }

  private static Cell[] makeLinks(int length, long operation) {
    Cell[] links = new Cell[length];
    for (int j = 0; j < length; j += STRIDE) links[j] = new Cell(null, operation + j);
    return links;
  }

  private static long mixArray(long h, Object array) {
    if (array instanceof long[] numbers) {
      h = Run.mix(h, numbers.length);
      for (int j = 0; j < numbers.length; j += STRIDE) h = Run.mix(h, numbers[j]);
    } else if (array instanceof Cell[] links) {
      h = Run.mix(h, links.length);
      for (int j = 0; j < links.length; j += STRIDE) h = Run.mix(h, links[j].number);
    }
    return h;
  }

  private static long replaceOften(Run run, Params params, int thread) {
    Lane lane = run.lane(false);
    Object[] slots = new Object[1 << params.depth];
    RandomSource random = Run.seeded(12, thread);
    long h = 0;
    int operations = params.operations(4000, thread);
    for (int i = 0; i < operations; ++i) {
      lane.await();
      long operation = thread + (long) i * params.threads;
      int s = random.below(slots.length);
      int length = LEAST_LENGTH << random.below(6);
      h = mixArray(h, slots[s]);
      slots[s] = null;
      slots[s] = s % 2 == 0 ? makeNumbers(length, operation) : makeLinks(length, operation);
      lane.done();
    }
    lane.keep(slots);
    for (Object each : slots) h = mixArray(h, each);
    return h;
  }

  static void run(Run run, Params params) {
    run.begin();
    long sum = run.onThreads(thread -> replaceOften(run, params, thread));
    run.end();
    run.check(sum);
  }

  static long live(Params params, Sizes sizes) {
    long six = 0;
    for (int doubled = 0; doubled < 6; ++doubled)
      six += placed(sizes, LEAST_LENGTH << doubled, 8) + placed(sizes, LEAST_LENGTH << doubled, sizes.reference());
    long largest = placed(sizes, LEAST_LENGTH << 5, 8);
    return params.threads * ((1L << params.depth) * six / 12 + 2 * largest);
  }

  /** What is large gets whole regions for itself: of 2 MiB under ZGC, of 1 MiB elsewhere in heaps of this size. */
  private static long placed(Sizes sizes, long length, int elementBytes) {
    long region = sizes.reference() == 8 ? 2 << 20 : 1 << 20;
    long large = sizes.reference() == 8 ? region / 8 : region / 2;
    long bytes = sizes.array(length, elementBytes);
    return bytes <= large ? bytes : (bytes + region - 1) / region * region;
  }
}
