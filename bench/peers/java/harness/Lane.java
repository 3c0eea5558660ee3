package harness;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * Times the operations of one thread, one after the other: each from the end of the one before it, or from when it was
 * due if that is later. It belongs to one thread.
 */
public final class Lane {
  /** A pause that is shorter than this cannot be told from the machine's own. */
  private static final long LEAST_PAUSE = 10_000;

  private static final int MOST_PAUSES = 1 << 15;
  /** What a lane keeps for itself: pauses, two histograms, and a little that is its thread's. */
  public static final long BYTES = 16L * MOST_PAUSES + (128 << 10);

  final Histogram service = Histograms.create();
  final Histogram response = Histograms.create();
  final Progress progress = new Progress();
  Object kept;
  private final boolean alike;
  private final long origin;
  private final double step; // between two that are due; 0 where there is no pace
  private final long[] at;
  private final long[] ns;
  private int pauses = 0;
  private long pauseAbove;
  private long due;
  private long last = System.nanoTime();
  private long begun = 0;

  /** One that belongs to no run, unless by Run.lane(). */
  public Lane(long origin, double step, boolean alike) {
    this.origin = origin;
    this.step = step;
    this.alike = alike;
    pauseAbove = alike ? LEAST_PAUSE : Long.MAX_VALUE;
    at = new long[alike ? MOST_PAUSES : 0];
    ns = new long[alike ? MOST_PAUSES : 0];
  }

  /** Returns when the next operation is due. */
  public void await() {
    if (step == 0) return;
    due = origin + (long) (begun * step);
    while (System.nanoTime() - due < 0) Thread.onSpinWait();
  }

  /** Notes the end of an operation. */
  public void done() {
    long ended = System.nanoTime();
    long began = last;
    if (step != 0) {
      began = Math.max(began, due);
      Histograms.record(response, ended - due);
    }
    ++begun;
    last = ended;
    Histograms.record(service, ended - began);
    progress.add(ended - began);
    if (ended - began >= pauseAbove) pause(began, ended - began);
  }

  /** Holds what lives when the last operation is done, until the run has looked at its memory. */
  public void keep(Object data) {
    kept = data;
  }

  public long medianResponse() {
    return response.getValueAtPercentile(50);
  }

  /** Leaves the time since the last operation out of the next. */
  public void skip() {
    last = System.nanoTime();
  }

  private void pause(long began, long took) {
    if (pauses == MOST_PAUSES) keepLongest();
    at[pauses] = began - origin;
    ns[pauses] = took;
    ++pauses;
  }

  private void keepLongest() {
    List<Pause> all = pauses();
    all.sort(Comparator.comparingLong(Pause::ns).reversed());
    pauses = MOST_PAUSES / 2;
    for (int i = 0; i < pauses; ++i) {
      at[i] = all.get(i).at();
      ns[i] = all.get(i).ns();
    }
    pauseAbove = ns[pauses - 1];
  }

  boolean knowsPauses() {
    return alike;
  }

  /** Returns the pauses so far, by when they were. */
  List<Pause> pauses() {
    List<Pause> all = new ArrayList<>();
    for (int i = 0; i < pauses; ++i) all.add(new Pause(at[i], ns[i], "operation"));
    all.sort(Comparator.comparingLong(Pause::at));
    return all;
  }
}
