package gc;

import harness.Lane;
import harness.Params;
import harness.RandomSource;
import harness.Run;
import java.util.LinkedHashMap;
import java.util.Map;

/** Look-ups of strings in a map of limited size that forgets what was not used for longest. */
final class LruCache {
  private LruCache() {}

  private static final class Cache extends LinkedHashMap<String, String> {
    private static final long serialVersionUID = 1;
    private final int capacity;

    Cache(int capacity) {
      super(capacity * 4 / 3 + 1, 0.75f, true);
      this.capacity = capacity;
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
      return size() > capacity;
    }
  }

  private static String makeValue(int k, RandomSource random) {
    return String.valueOf((char) ('a' + k % 26)).repeat(16 + random.below(240));
  }

  private static long lookUp(Cache cache, RandomSource random, long h) {
    int k = random.below(1 + random.below(4 * cache.capacity));
    String key = "user:" + k;
    String value = cache.get(key);
    if (value == null) {
      value = makeValue(k, random);
      cache.put(key, value);
    }
    return Run.mix(h, value.length() * 256L + value.charAt(0));
  }

  private static long lookUpOften(Run run, Params params, int thread) {
    Lane lane = run.lane(true);
    Cache cache = new Cache(1 << params.depth);
    RandomSource random = Run.seeded(11, thread);
    long h = 0;
    for (int i = params.operations(2000000, thread); i > 0; --i) {
      lane.await();
      h = lookUp(cache, random, h);
      lane.done();
    }
    lane.keep(cache);
    return h;
  }

  static void run(Run run, Params params) {
    run.begin();
    long sum = run.onThreads(thread -> lookUpOften(run, params, thread));
    run.end();
    run.check(sum);
  }

  static long live(Params params, Sizes sizes) {
    long entry = sizes.object(5, 4) + sizes.string(10) + sizes.string(136) + 2L * sizes.reference();
    return params.threads * (1L << params.depth) * entry;
  }
}
