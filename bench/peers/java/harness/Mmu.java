package harness;

import java.util.List;

/** Minimum mutator utilisation. */
final class Mmu {
  private final long[] at;
  private final long[] ns;
  private final long[] before;

  /** The pauses are one mutator's: sorted, without overlap. */
  Mmu(List<Pause> pauses) {
    at = pauses.stream().mapToLong(Pause::at).toArray();
    ns = pauses.stream().mapToLong(Pause::ns).toArray();
    before = new long[at.length + 1];
    for (int i = 0; i < at.length; ++i) before[i + 1] = before[i] + ns[i];
  }

  /** Returns 1 us to 1 s, four a decade. */
  static long[] windows() {
    long[] all = new long[25];
    for (int i = 0; i < all.length; ++i) all[i] = Math.round(Math.pow(10, (i + 12) / 4.0));
    return all;
  }

  /**
   * Returns the least share of any window of that length, within [0, wall), in which the mutator ran. The worst window
   * begins where a pause begins, or ends where one ends.
   */
  double least(long wall, long window) {
    long worst = 0;
    for (int i = 0; i < at.length; ++i) {
      worst = Math.max(worst, lostIn(at[i], wall, window));
      worst = Math.max(worst, lostIn(at[i] + ns[i] - window, wall, window));
    }
    return 1 - (double) worst / window;
  }

  private long lostIn(long from, long wall, long window) {
    long begin = Math.min(Math.max(from, 0), wall - window);
    return lostUntil(begin + window) - lostUntil(begin);
  }

  /** Returns how long the mutator had been held up by then. */
  private long lostUntil(long instant) {
    int i = java.util.Arrays.binarySearch(at, instant);
    if (i < 0) i = -i - 1;
    return i == 0 ? 0 : before[i - 1] + Math.min(ns[i - 1], instant - at[i - 1]);
  }
}
