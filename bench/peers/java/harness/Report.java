package harness;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/** Writes a run as one line of JSON. */
public final class Report {
  private static final int MOST_PAUSES = 1000;

  private final Run run;
  private final VmLog vm;
  private final Json json = new Json();

  private Report(Run run) {
    this.run = run;
    vm = new VmLog(System.getProperty("umber.log"), run.began, run.wall);
  }

  public static String of(Run run) {
    return new Report(run).write();
  }

  private String write() {
    Histogram service = Histograms.create();
    Histogram response = Histograms.create();
    for (Lane each : run.lanes) {
      service.add(each.service);
      response.add(each.response);
    }
    json.open(null).field("workload", run.workload).field("system", System.getProperty("umber.system", "java"));
    json.field("version", System.getProperty("java.vm.version"));
    run.params.writeTo(json);
    json.field("checksum", String.format("%016x", run.checksum)).field("operations", service.getTotalCount());
    json.field("wall_ns", run.wall);
    writeCpu();
    json.field("allocated_bytes", run.allocatedBytes());
    json.field("freed_bytes", Math.max(run.allocatedBytes() + run.before.heap() - run.after.heap(), 0));
    json.field("cycles", run.after.cycles() - run.before.cycles());
    Histograms.write(json, "service_ns", service);
    Histograms.write(json, "response_ns", response);
    writeStalls();
    writePauses();
    run.timeline.writeTo(json);
    Histograms.write(json, "jitter_ns", run.jitter);
    writeMemory();
    writeRest();
    if (run.params.log != null) writeLog(service, response);
    return json.close().toString();
  }

  /** HdrHistogram's log; none is left that is not whole. */
  private void writeLog(Histogram service, Histogram response) {
    long began = System.currentTimeMillis() - (System.nanoTime() - run.began) / 1_000_000;
    try (PrintStream out = new PrintStream(run.params.log)) {
      HistogramLogWriter log = new HistogramLogWriter(out);
      log.outputLogFormatVersion();
      log.outputBaseTime(began);
      log.outputStartTime(began);
      log.setBaseTime(began);
      log.outputLegend();
      writeInterval(log, "service", began, service);
      writeInterval(log, "response", began, response);
      writeInterval(log, "stall-stop", began, histogramOf(vm.stops));
      writeInterval(log, "stall-wait", began, histogramOf(vm.waits));
      if (out.checkError()) throw new IOException("it cannot be written");
    } catch (IOException e) {
      new File(run.params.log).delete();
      throw new IllegalStateException("the log cannot be written: " + e.getMessage());
    }
  }

  private void writeInterval(HistogramLogWriter log, String tag, long began, Histogram histogram) {
    if (histogram.getTotalCount() == 0) return;
    histogram.setTag(tag);
    histogram.setStartTimeStamp(began);
    histogram.setEndTimeStamp(began + run.wall / 1_000_000);
    log.outputIntervalHistogram(histogram);
  }

  /** What the compilers used is in `process`, but neither the mutators' nor the collector's. */
  private void writeCpu() {
    long process = run.after.used().ns() - run.before.used().ns();
    long collector = run.after.collectorNs() - run.before.collectorNs();
    long compiler = run.after.compilerNs() - run.before.compilerNs();
    json.open("cpu_ns").field("process", process).field("mutator", Math.max(process - collector - compiler, 0));
    json.field("collector", collector).close();
  }

  private void writeStalls() {
    json.open("stalls");
    Histograms.write(json, "stop", histogramOf(vm.stops));
    Histograms.write(json, "wait", histogramOf(vm.waits));
    json.close();
  }

  private static Histogram histogramOf(List<Pause> pauses) {
    Histogram all = Histograms.create();
    for (Pause each : pauses) Histograms.record(all, each.ns());
    return all;
  }

  /**
   * Where no lane can tell a pause from its work, the utilisation is that of the machine's own stops, which hold up
   * every mutator.
   */
  private void writePauses() {
    List<List<Pause>> mutators = new ArrayList<>();
    List<Pause> all = new ArrayList<>(vm.stops);
    all.addAll(vm.waits);
    for (Lane each : run.lanes) {
      if (!each.knowsPauses()) continue;
      mutators.add(each.pauses());
      all.addAll(each.pauses());
    }
    if (mutators.isEmpty()) mutators.add(vm.stops);
    all.sort(Comparator.comparingLong(Pause::ns).reversed());
    List<Pause> longest = all.subList(0, Math.min(all.size(), MOST_PAUSES));
    longest.sort(Comparator.comparingLong(Pause::at));
    json.openArray("pauses");
    for (Pause each : longest) {
      json.open(null).field("at_ns", each.at()).field("ns", each.ns()).field("cause", each.cause()).close();
    }
    json.closeArray().openArray("mmu");
    List<Mmu> each = mutators.stream().map(Mmu::new).toList();
    for (long window : Mmu.windows()) {
      if (window > run.wall) break;
      double least = each.stream().mapToDouble(one -> one.least(run.wall, window)).min().orElse(1);
      json.openArray(null).value(window).value(Math.round(least * 1e6) / 1e6).closeArray();
    }
    json.closeArray();
  }

  private void writeMemory() {
    json.open("memory").field("baseline_rss", run.baseline).field("peak_rss", run.peakResident);
    json.field("end_rss", run.endResident).field("settled_rss", run.settledResident);
    json.field("minor_faults", run.after.used().minorFaults() - run.before.used().minorFaults());
    json.field("major_faults", run.after.used().majorFaults() - run.before.used().majorFaults());
    if (run.settledLive != 0) json.field("live_bytes", run.settledLive);
    json.field("heap_bytes", run.heapBytes).close();
  }

  private void writeRest() {
    List<Long> repetitions = run.repetitions();
    if (!repetitions.isEmpty()) {
      json.openArray("warm_up");
      for (long each : repetitions) json.value(each);
      json.closeArray();
    }
    json.open("figures");
    for (Map.Entry<String, Double> each : run.figures.entrySet()) json.field(each.getKey(), each.getValue());
    json.close();
  }
}
