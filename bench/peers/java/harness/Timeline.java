package harness;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.lang.management.MemoryUsage;
import java.util.List;

/** Looks at the heap every 10 ms; with a thousand moments it drops every other and looks half as often. */
final class Timeline {
  private static final int MOST = 1000;

  private final long[] at = new long[MOST];
  private final long[] rss = new long[MOST];
  private final long[] live = new long[MOST];
  private final long[] heap = new long[MOST];
  private int count = 0;
  private int interval = 10;
  private long peak = 0;
  private volatile boolean ending = false;
  private Thread thread;
  private final List<MemoryPoolMXBean> pools =
      ManagementFactory.getMemoryPoolMXBeans().stream().filter(each -> each.getType() == MemoryType.HEAP).toList();

  void start(long began) {
    thread = new Thread(() -> watch(began), "timeline");
    thread.setDaemon(true);
    thread.start();
  }

  void stop() {
    ending = true;
    thread.interrupt();
    Run.join(thread);
  }

  private void watch(long began) {
    while (!ending) {
      try {
        Thread.sleep(interval);
      } catch (InterruptedException e) {
        return;
      }
      at[count] = System.nanoTime() - began;
      rss[count] = Kernel.residentBytes();
      peak = Math.max(peak, rss[count]);
      live[count] = liveBytes();
      heap[count] = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
      if (++count == MOST) thin();
    }
  }

  private void thin() {
    count = MOST / 2;
    interval *= 2;
    for (long[] each : List.of(at, rss, live, heap)) {
      for (int i = 0; i < count; ++i) each[i] = each[2 * i + 1];
    }
  }

  /** Returns what the last collection left, as far as the pools know; zero where none has been. */
  long liveBytes() {
    long sum = 0;
    for (MemoryPoolMXBean each : pools) {
      MemoryUsage usage = each.getCollectionUsage();
      if (usage != null) sum += usage.getUsed();
    }
    return sum;
  }

  /** Returns the most that was ever resident: what the kernel says, unless it counts shared memory more than once. */
  long peakBytes() {
    long now = Kernel.residentBytes();
    boolean countedOften = now < Kernel.statusBytes("VmRSS") / 4 * 3;
    return countedOften ? Math.max(peak, now) : Kernel.statusBytes("VmHWM");
  }

  void writeTo(Json json) {
    json.openArray("timeline");
    for (int i = 0; i < count; ++i) {
      json.open(null).field("at_ns", at[i]).field("rss", rss[i]);
      if (live[i] != 0) json.field("live", live[i]);
      json.field("heap", heap[i]).close();
    }
    json.closeArray();
  }
}
