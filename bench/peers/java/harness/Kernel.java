package harness;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the kernel has counted of this process. */
final class Kernel {
  private static final long TICK = 10_000_000; // USER_HZ is 100 wherever Linux runs on x86-64

  private Kernel() {}

  /** Returns a field of /proc/self/status such as VmHWM in bytes, or zero. */
  static long statusBytes(String field) {
    return fieldOf(read("/proc/self/status"), field);
  }

  private static long fieldOf(String status, String field) {
    for (String line : status.split("\n")) {
      if (line.startsWith(field + ":")) return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
    }
    return 0;
  }

  /**
   * Returns the resident memory. ZGC maps its heap, which is shared memory, at three addresses, and the kernel counts
   * it at each of them: it cannot be more than what is committed.
   */
  static long residentBytes() {
    String status = read("/proc/self/status");
    long shared = Math.min(fieldOf(status, "RssShmem"), Runtime.getRuntime().totalMemory());
    return fieldOf(status, "RssAnon") + fieldOf(status, "RssFile") + shared;
  }

  /** Minor and major faults so far, and user and system time in ticks: fields 10, 12, 14 and 15 of stat. */
  record Used(long minorFaults, long majorFaults, long ns) {
    static Used read() {
      String text = Kernel.read("/proc/self/stat");
      String[] f = text.substring(text.lastIndexOf(')') + 2).split(" ");
      long ticks = Long.parseLong(f[11]) + Long.parseLong(f[12]);
      return new Used(Long.parseLong(f[7]), Long.parseLong(f[9]), ticks * TICK);
    }
  }

  /** CPU time so far of threads whose name begins with one of those given, to the nanosecond. */
  static long threadsNs(String... names) {
    long sum = 0;
    try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
      for (Path thread : threads) {
        String name = read(thread + "/comm");
        for (String each : names) {
          if (name.startsWith(each)) sum += Long.parseLong("0" + read(thread + "/schedstat").split(" ")[0]);
        }
      }
    } catch (IOException e) {
      return 0;
    }
    return sum;
  }

  private static String read(String path) {
    try {
      return Files.readString(Path.of(path));
    } catch (IOException e) {
      return "";
    }
  }
}
