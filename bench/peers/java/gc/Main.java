package gc;

import harness.Fail;
import harness.Lane;
import harness.Params;
import harness.Report;
import harness.Run;
import java.util.List;

/**
 * The workloads of `umber bench gc` as a Java program: runs one and prints one line of JSON. What a run takes and
 * prints is in bench/run.md, what each workload does in bench/gc/README.md.
 */
public final class Main {
  private static final List<Workload> TABLE = List.of(
      new Workload("binary_trees", "trees of many depths, made, counted and dropped",
          BinaryTrees::run, BinaryTrees::live, new Params().depth(18).threaded(1)),
      new Workload("gcbench", "trees from the top down and from the bottom up, three times",
          GcBench::run, GcBench::live, new Params().depth(18)),
      new Workload("message_ring", "messages of 1 KiB into a ring, over a tree that lives",
          MessageRing::run, MessageRing::live, new Params().depth(23).linkedAtRandom().paced(250000)),
      new Workload("graph_mutate", "random swaps among many nodes, with a thread that allocates beside it",
          GraphMutate::run, GraphMutate::live, new Params().depth(20).beside().paced(0)),
      new Workload("lru_cache", "look-ups of strings in a map that forgets what was not used",
          LruCache::run, LruCache::live, new Params().depth(17).threaded(1).paced(0)),
      new Workload("large_arrays", "arrays of 64 KiB to 2 MiB take each other's place",
          LargeArrays::run, LargeArrays::live, new Params().depth(6).threaded(1).paced(0)),
      new Workload("ast", "syntax trees of many types: built, evaluated, rewritten",
          SyntaxTrees::run, SyntaxTrees::live, new Params().depth(8).threaded(1).paced(0)),
      new Workload("threads", "short lists, which threads hand to each other",
          HandedLists::run, HandedLists::live, new Params().depth(10).threaded(4).paced(0)),
      new Workload("churn_survive", "objects of which a share survives",
          ChurnSurvive::run, ChurnSurvive::live, new Params().depth(18).threaded(1).surviving().paced(0)),
      new Workload("leak_slow", "a heap that grows",
          LeakSlow::run, LeakSlow::live, new Params().threaded(1).paced(0)),
      new Workload("finalizer_storm", "every object has a finalizer",
          FinalizerStorm::run, FinalizerStorm::live, new Params().depth(12).threaded(1).paced(0)),
      new Workload("weak_cache", "look-ups through weak references",
          WeakCache::run, WeakCache::live, new Params().depth(16).threaded(1).paced(0)),
      new Workload("idle_return", "a large tree is dropped, and nothing done: what the system gets back, and when",
          IdleReturn::run, IdleReturn::live, new Params().depth(21).idling()),
      new Workload("recording", "operations that do nothing: what measuring them costs",
          Stores::recording, Stores::nothing, new Params()),
      new Workload("full_collection", "whole collections of a tree that lives",
          WholeCollections::tree, WholeCollections::treeLive, new Params().depth(23).linkedAtRandom()),
      new Workload("linked_list", "whole collections of a list in random order",
          WholeCollections::list, WholeCollections::listLive, new Params()),
      new Workload("allocate", "objects of 16 bytes",
          Stores::allocate, Stores::allocateLive, new Params()),
      new Workload("barrier", "stores, idle and while a collection runs",
          Stores::barrier, Stores::barrierLive, new Params()));

  private Main() {}

  /** With --live REFERENCE_BYTES before the workload's name, only prints how many bytes of it live at once. */
  public static void main(String[] arguments) {
    int first = 0;
    int reference = 0;
    if (arguments.length > 2 && arguments[0].equals("--live")) {
      reference = Integer.parseInt(arguments[1]);
      first = 2;
    }
    if (arguments.length == 1 && arguments[0].equals("--list")) {
      for (Workload each : TABLE) System.out.println(each.name() + "\t" + each.description());
      return;
    }
    if (arguments.length == first) Fail.refuse("which workload? --list names them");
    String name = arguments[first];
    Workload chosen = TABLE.stream().filter(each -> each.name().equals(name)).findFirst().orElse(null);
    if (chosen == null) {
      Fail.refuse("no workload is called '" + name + "'; --list names them");
      return;
    }
    Params params = chosen.own();
    try {
      params.parse(arguments, first + 1);
    } catch (IllegalArgumentException e) {
      Fail.refuse(e.getMessage());
    }
    if (reference != 0) {
      long live = chosen.live().bytes(params, new Sizes(reference)) + params.threads * Lane.BYTES;
      System.out.println(live + " " + params.percent + " " + params.limit);
      return;
    }
    Run run = new Run(name, params);
    try {
      chosen.body().run(run, params);
      String report = Report.of(run);
      System.out.println(report);
    } catch (RuntimeException | OutOfMemoryError e) {
      Fail.because(name, e);
    }
  }
}
