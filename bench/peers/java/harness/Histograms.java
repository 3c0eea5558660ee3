package harness;

import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/** HdrHistogram with the width of bucket and the rule of percentiles that bench/run.md asks for. */
final class Histograms {
  private static final double[] PERCENTS = {50, 90, 99, 99.9, 99.99, 99.999};
  private static final String[] NAMES = {"p50", "p90", "p99", "p99.9", "p99.99", "p99.999"};
  private static final long HIGHEST = 3_600_000_000_000L;

  private Histograms() {}

  /** Two digits are buckets of less than 1 %; up to an hour, so that it never has to grow. */
  static Histogram create() {
    return new Histogram(HIGHEST, 2);
  }

  static void record(Histogram histogram, long ns) {
    histogram.recordValue(Math.min(Math.max(ns, 0), HIGHEST));
  }

  static void write(Json json, String name, Histogram histogram) {
    if (histogram.getTotalCount() == 0) return;
    json.open(name).field("count", histogram.getTotalCount()).field("min", histogram.getMinValue());
    json.field("max", histogram.getMaxValue()).field("mean", (long) histogram.getMean());
    int next = 0;
    long seen = 0;
    json.openArray("buckets");
    for (HistogramIterationValue each : histogram.recordedValues()) {
      json.openArray(null).value(each.getValueIteratedTo()).value(each.getCountAtValueIteratedTo()).closeArray();
    }
    json.closeArray();
    for (HistogramIterationValue each : histogram.recordedValues()) {
      seen += each.getCountAtValueIteratedTo();
      while (next < PERCENTS.length && seen >= Math.ceil(PERCENTS[next] / 100 * histogram.getTotalCount())) {
        json.field(NAMES[next++], Math.min(each.getValueIteratedTo(), histogram.getMaxValue()));
      }
    }
    json.close();
  }
}
