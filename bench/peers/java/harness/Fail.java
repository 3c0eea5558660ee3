package harness;

/** Ends the program with one line. */
public final class Fail {
  private Fail() {}

  /** A command line that cannot be followed. */
  public static void refuse(String why) {
    System.err.println("umber-peers-java: " + why);
    System.exit(2);
  }

  /** A workload that failed. */
  public static void because(String workload, Throwable why) {
    boolean full = why instanceof OutOfMemoryError;
    String text = full ? "the heap is too small (" + why.getMessage() + ")" : String.valueOf(why.getMessage());
    System.err.println("umber-peers-java: " + workload + ": " + text);
    Runtime.getRuntime().halt(1);
  }
}
