package harness;

/**
 * The sum of the times of a lane's operations so far, at even numbers of them: where there is no room for more marks,
 * every second goes.
 */
final class Progress {
  static final int PARTS = 10;
  private static final int MOST = 1000;

  private final long[] marks = new long[MOST];
  private int marked = 0;
  private long every = 1;
  private long count = 0;
  private long sum = 0;

  void add(long ns) {
    sum += ns;
    if (++count % every != 0) return;
    marks[marked++] = sum;
    if (marked == MOST) thin();
  }

  private void thin() {
    marked = MOST / 2;
    every *= 2;
    for (int i = 0; i < marked; ++i) marks[i] = marks[2 * i + 1];
  }

  /** Adds to `into` what each tenth of the operations took. */
  void addTenths(long[] into) {
    long before = 0;
    for (int i = 0; i < PARTS; ++i) {
      int mark = marked * (i + 1) / PARTS;
      long at = i + 1 < PARTS && mark > 0 ? marks[mark - 1] : sum;
      into[i] += at - before;
      before = at;
    }
  }
}
