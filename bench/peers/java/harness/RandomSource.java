package harness;

/** Marsaglia's xorshift64*, seeded as bench/basics.h seeds it, so that every language draws the same numbers. */
public final class RandomSource {
  private long state;

  public RandomSource(long seed) {
    state = seed * 0x9E3779B97F4A7C15L + 0x1234567L;
  }

  public long next() {
    state ^= state >>> 12;
    state ^= state << 25;
    state ^= state >>> 27;
    return state * 0x2545F4914F6CDD1DL;
  }

  /** Returns a number in [0, bound). */
  public int below(int bound) {
    return (int) (((next() >>> 32) * bound) >>> 32);
  }

  /** Returns a number in [low, high]. */
  public int between(int low, int high) {
    return low + below(high - low + 1);
  }
}
