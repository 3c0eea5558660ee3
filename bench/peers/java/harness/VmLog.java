package harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the virtual machine itself says it held mutators up for, from its log of `safepoint` and `gc`. Its instants are
 * those of System.nanoTime(), and are those of the end.
 */
final class VmLog {
  private static final Pattern STOP = Pattern.compile("\\[(\\d+)ns\\] Safepoint .*Total: +(\\d+) ns");
  private static final Pattern STALL = Pattern.compile("\\[(\\d+)ns\\].* Allocation Stall .* ([0-9.]+)ms");

  final List<Pause> stops = new ArrayList<>();
  final List<Pause> waits = new ArrayList<>();

  VmLog(String path, long began, long wall) {
    if (path == null) return;
    try {
      for (String line : Files.readAllLines(Path.of(path))) {
        Matcher stop = STOP.matcher(line);
        if (stop.find()) add(stops, began, wall, stop.group(1), Long.parseLong(stop.group(2)), "stop");
        Matcher stall = STALL.matcher(line);
        if (stall.find()) {
          long ns = (long) (Double.parseDouble(stall.group(2)) * 1e6);
          add(waits, began, wall, stall.group(1), ns, "wait");
        }
      }
    } catch (IOException e) {
      throw new IllegalStateException("the log of the virtual machine cannot be read: " + path);
    }
  }

  private static void add(List<Pause> to, long began, long wall, String ended, long ns, String cause) {
    long at = Long.parseLong(ended) - ns - began;
    if (at >= 0 && at <= wall) to.add(new Pause(at, ns, cause));
  }
}
