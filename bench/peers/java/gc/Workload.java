package gc;

import harness.Params;
import harness.Run;

/** One row of the table in Main: a workload, its own parameters, and how much of what it makes lives at once. */
record Workload(String name, String description, Body body, Live live, Params own) {
  interface Body {
    void run(Run run, Params params);
  }

  interface Live {
    long bytes(Params params, Sizes sizes);
  }
}
