package harness;

/** What the command line chose, as bench/run.md lists it. */
public final class Params {
  public int threads = 1;
  public double scale = 1;
  public int depth = 0; // sizes what lives
  public double rate = 0; // operations a second; 0: as fast as it can
  public double seconds = 10;
  public boolean random = false;
  public double survival = 0.1;
  public double beside = 0; // objects a second that are made beside the operations; 0: as fast as it can
  public int percent = 100;
  public long limit = 0; // bytes; 0: none
  public double jitter = 0.1; // seconds for which the machine's own is looked at
  public String log = null; // the file for histograms in HdrHistogram's format

  private boolean isThreaded = false;
  private boolean isPaced = false;
  private boolean idles = false;
  private boolean mayBeRandom = false;
  private boolean hasSurvival = false;
  private boolean hasBeside = false;

  // What a workload has a use for; the rest of the command line it ignores.

  public Params depth(int own) {
    depth = own;
    return this;
  }

  public Params threaded(int own) {
    isThreaded = true;
    threads = own;
    return this;
  }

  public Params paced(double own) {
    isPaced = true;
    rate = own;
    return this;
  }

  public Params idling() {
    idles = true;
    return this;
  }

  public Params linkedAtRandom() {
    mayBeRandom = true;
    return this;
  }

  public Params surviving() {
    hasSurvival = true;
    return this;
  }

  public Params beside() {
    hasBeside = true;
    return this;
  }

  /** Returns count times the scale, at least 1. */
  public int scaled(int count) {
    return Math.max((int) (count * scale), 1);
  }

  /** Says whether each operation is due at an instant of its own. */
  public boolean paced() {
    return rate > 0;
  }

  /** Says whether all operations of the workload are alike, so that it could keep a pace. */
  boolean mayBePaced() {
    return isPaced;
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
    boolean hasDepth = depth != 0;
    for (int i = from; i < arguments.length; ++i) {
      String name = arguments[i];
      if (name.equals("--random")) {
        random = true;
        continue;
      }
      if (++i == arguments.length) throw new IllegalArgumentException(name + " needs a value");
      if (name.equals("--hlog") && !arguments[i].isEmpty()) {
        log = arguments[i];
        continue;
      }
      if (!set(name, number(name, arguments[i]))) {
        throw new IllegalArgumentException("no option is called " + name + ", or it cannot be " + arguments[i]);
      }
    }
    if (!isThreaded) threads = 1;
    if (!hasDepth) depth = 0;
    if (!isPaced) rate = 0;
    random &= mayBeRandom;
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
      case "--depth" -> {
        depth = (int) value;
        return depth >= 4 && depth < 30;
      }
      case "--rate" -> rate = value;
      case "--seconds" -> seconds = value;
      case "--survival" -> survival = value;
      case "--beside" -> beside = value;
      case "--percent" -> percent = (int) value;
      case "--limit" -> limit = (long) value;
      case "--jitter" -> jitter = value;
      default -> {
        return false;
      }
    }
    return threads > 0 && threads <= 10000 && survival <= 1 && jitter <= 60;
  }

  /** What the command line came to, as far as the workload has a use for it. */
  void writeTo(Json json) {
    json.open("parameters").field("scale", scale).field("percent", percent);
    if (isThreaded) json.field("threads", threads);
    if (depth != 0) json.field("depth", depth);
    if (mayBeRandom) json.field("random", random);
    if (hasSurvival) json.field("survival", survival);
    if (hasBeside) json.field("beside", beside);
    if (isPaced) json.field("rate", rate);
    if (paced() || idles) json.field("seconds", seconds);
    if (limit != 0) json.field("limit", limit);
    json.close();
  }
}
