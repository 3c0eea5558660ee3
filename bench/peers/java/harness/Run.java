package harness;

import com.sun.management.ThreadMXBean;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntToLongFunction;
import org.HdrHistogram.Histogram;

/**
 * One workload's run, measured as bench/run.md describes it. A workload calls begin() when its set-up is done, and
 * end() when its work is.
 */
public final class Run {
  public final String workload;
  public final Params params;

  final long baseline = Kernel.residentBytes();
  final List<Lane> lanes = new ArrayList<>();
  final List<Long> warmUp = new ArrayList<>();
  final Map<String, Double> figures = new TreeMap<>();
  final Timeline timeline = new Timeline();
  private final AtomicLong allocated = new AtomicLong();
  private long mainAllocated;
  Histogram jitter;
  long began;
  long wall;
  long checksum;
  long endResident;
  long peakResident;
  long heapBytes;
  long settledResident;
  long settledLive;
  Counters before;
  Counters after;

  /** What has been counted of the process and of the collector so far. */
  record Counters(Kernel.Used used, long collectorNs, long compilerNs, long cycles, long heap) {
    static Counters read() {
      long compilerNs = Kernel.threadsNs("C1 ", "C2 ");
      long heap = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
      return new Counters(Kernel.Used.read(), Kernel.threadsNs(COLLECTOR), compilerNs, countCycles(), heap);
    }
  }

  /** How the threads of the four collectors are called; the VM thread does the work of their stops. */
  private static final String[] COLLECTOR = {
    "GC Thread", "G1 ", "ZDirector", "ZDriver", "ZStat", "ZUn", "ZWorker", "RuntimeWorker", "Shenandoah", "VM Thread"
  };

  public Run(String workload, Params params) {
    this.workload = workload;
    this.params = params;
  }

  /** Starts the measured part, after a whole collection of what was built for it. */
  public void begin() {
    System.gc();
    jitter = spinForJitter((long) (params.jitter * 1e9));
    mainAllocated = allocatedHere();
    before = Counters.read();
    began = System.nanoTime();
    timeline.start(began);
  }

  public void end() {
    wall = System.nanoTime() - began;
    after = Counters.read();
    timeline.stop();
    allocated.addAndGet(allocatedHere() - mainAllocated);
    endResident = Kernel.residentBytes();
    peakResident = timeline.peakBytes();
    heapBytes = Runtime.getRuntime().totalMemory();
    // The lanes have not let go of anything yet: what is held besides, nobody has a use for.
    System.gc();
    settledResident = Kernel.residentBytes();
    settledLive = timeline.liveBytes();
    for (Lane each : lanes) each.kept = null;
  }

  /** Returns what each tenth of the operations of all lanes took; nothing where they differ, or are few. */
  private List<Long> tenths() {
    if (!params.mayBePaced() || lanes.stream().mapToLong(each -> each.service.getTotalCount()).sum() < 100) {
      return List.of();
    }
    long[] sums = new long[Progress.PARTS];
    for (Lane each : lanes) each.progress.addTenths(sums);
    return Arrays.stream(sums).boxed().toList();
  }

  /** Returns the time of each repetition of the work, or of each tenth of it. */
  List<Long> repetitions() {
    return warmUp.isEmpty() ? tenths() : warmUp;
  }

  /** Returns the memory that the process has. */
  public static long resident() {
    return Kernel.residentBytes();
  }

  /** Gives the run the checksum of its work. */
  public void check(long sum) {
    checksum = sum;
  }

  /** Returns how long the measured part took, in nanoseconds. */
  public long wall() {
    return wall;
  }

  /** Adds what only this workload measures; its unit ends the name. */
  public synchronized void figure(String name, double value) {
    figures.put(name, value);
  }

  /** Notes how long one repetition of the work took. */
  public void repeated(long ns) {
    warmUp.add(ns);
  }

  /** Adds what the repetitions noted so far took, each divided by `by`: the median, and both extremes. */
  public void figureOfRounds(String what, double by) {
    List<Long> sorted = warmUp.stream().sorted().toList();
    int n = sorted.size();
    figure(what + "_ns", (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2.0 / by);
    figure(what + "_low_ns", sorted.get(0) / by);
    figure(what + "_high_ns", sorted.get(n - 1) / by);
  }

  /**
   * Returns a lane for one more mutator. Where all operations are alike, one that takes much longer than they do was
   * held up, and counts as a pause.
   */
  public synchronized Lane lane(boolean alike) {
    double step = params.paced() ? 1e9 * params.threads / params.rate : 0;
    Lane lane = new Lane(began, step, alike);
    lanes.add(lane);
    return lane;
  }

  /** Adds a number to a checksum. */
  public static long mix(long h, long x) {
    h = (h ^ x) * 0x9E3779B97F4A7C15L;
    return h ^ h >>> 32;
  }

  /** Returns the random numbers of one thread of a workload. */
  public static RandomSource seeded(int seed, int thread) {
    return new RandomSource(seed + 1000L * thread);
  }

  /** Runs body on as many threads as the parameters say, and returns the sum of what they return. */
  public long onThreads(IntToLongFunction body) {
    if (params.threads == 1) return body.applyAsLong(0);
    AtomicLong sum = new AtomicLong();
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < params.threads; ++i) {
      int thread = i;
      all.add(beside("mutator " + i, () -> sum.addAndGet(body.applyAsLong(thread))));
    }
    for (Thread each : all) join(each);
    return sum.get();
  }

  /** Starts a thread whose allocations count as the run's. */
  public Thread beside(String name, Runnable body) {
    Thread thread = new Thread(() -> {
      body.run();
      allocated.addAndGet(allocatedHere());
    }, name);
    thread.setDaemon(true);
    thread.setUncaughtExceptionHandler((failed, why) -> Fail.because(workload, why));
    thread.start();
    return thread;
  }

  public static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  long allocatedBytes() {
    return allocated.get();
  }

  private static long allocatedHere() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getThreadAllocatedBytes(Thread.currentThread().getId());
  }

  /** Where a collector has a bean for its cycles and one for its pauses, the cycles are what is counted. */
  private static long countCycles() {
    long count = 0;
    for (GarbageCollectorMXBean each : ManagementFactory.getGarbageCollectorMXBeans()) {
      if (!each.getName().endsWith(" Pauses")) count += each.getCollectionCount();
    }
    return count;
  }

  /** What counts as a gap, in ns, in all languages alike: below it a gap is the clock itself. */
  private static final long LEAST_GAP = 1000;

  /** It runs before the measured part, because collector and mutators together may use every core. */
  private static Histogram spinForJitter(long length) {
    Histogram gaps = Histograms.create();
    long last = System.nanoTime();
    for (long end = last + length; last < end; ) {
      long now = System.nanoTime();
      if (now - last >= LEAST_GAP) Histograms.record(gaps, now - last);
      last = now;
    }
    return gaps;
  }
}
