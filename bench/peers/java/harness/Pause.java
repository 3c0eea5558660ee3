package harness;

/** A stretch in which a mutator could not get on. It counts from the start of the measured part. */
record Pause(long at, long ns, String cause) {}
