package harness;

/** What the command line chose, as bench/run.md lists it. */
public final class Params {
  public int threads;
  public double scale = 1;
  public int depth; // sizes what lives
  public double rate; // operations a second; 0: as fast as it can
  public double seconds = 10;
  public boolean random = false;
  public double survival = 0.1;
  public int percent = 100;
  public long limit = 0; // bytes; 0: none
  public double jitter = 0.1; // seconds for which the machine's own is looked at

  /** A workload's own depth, threads and rate, until the command line chooses others. */
  public Params(int depth, int threads, double rate) {
    this.depth = depth;
    this.threads = threads;
    this.rate = rate;
  }

  /** Returns count times the scale, at least 1. */
  public int scaled(int count) {
    return Math.max((int) (count * scale), 1);
  }

  /** Says whether each operation is due at an instant of its own. */
  public boolean paced() {
    return rate > 0;
  }

  /**
   * Returns how many operations a thread does of a paced workload: of count, scaled, or of as many as are due in the
   * time, those whose number leaves `thread` when divided by the number of threads.
   */
  public int operations(int count, int thread) {
    long total = paced() ? (long) (rate * seconds) : scaled(count);
    return (int) ((total - thread + threads - 1) / threads);
  }

  /** Reads the options from an index on; throws IllegalArgumentException with a line that says what is wrong. */
  public Params parse(String[] arguments, int from) {
    for (int i = from; i < arguments.length; ++i) {
      String name = arguments[i];
      if (name.equals("--random")) {
        random = true;
        continue;
      }
      if (++i == arguments.length) throw new IllegalArgumentException(name + " needs a value");
      if (!set(name, number(name, arguments[i]))) {
        throw new IllegalArgumentException("no option is called " + name + ", or it cannot be " + arguments[i]);
      }
    }
    return this;
  }

  private static double number(String name, String text) {
    double value = -1;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      // The message below says it.
    }
    if (!(value >= 0 && value < 1e15)) {
      throw new IllegalArgumentException(name + " takes a number, not '" + text + "'");
    }
    return value;
  }

  private boolean set(String name, double value) {
    switch (name) {
      case "--threads" -> threads = (int) value;
      case "--scale" -> scale = value;
      case "--depth" -> depth = (int) value;
      case "--rate" -> rate = value;
      case "--seconds" -> seconds = value;
      case "--survival" -> survival = value;
      case "--percent" -> percent = (int) value;
      case "--limit" -> limit = (long) value;
      case "--jitter" -> jitter = value;
      default -> {
        return false;
      }
    }
    return threads > 0 && threads <= 10000 && depth < 30 && survival <= 1 && jitter <= 60;
  }

  void writeTo(Json json) {
    json.open("parameters").field("threads", threads).field("scale", scale).field("depth", depth);
    json.field("rate", rate).field("seconds", seconds).field("random", random).field("survival", survival);
    json.field("percent", percent);
    if (limit != 0) json.field("limit", limit);
    json.close();
  }
}
