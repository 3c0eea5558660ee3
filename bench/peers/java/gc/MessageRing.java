package gc;

import harness.Lane;
import harness.Params;
import harness.Run;
import java.lang.ref.Reference;
import java.util.Arrays;

/** A message of 1 KiB into the next of 200,000 slots, at a fixed rate, over a large live set. */
final class MessageRing {
  private static final int SLOTS = 200000;
  private static final int SIZE = 1024;

  private MessageRing() {}

  private static void write(byte[][] ring, int i) {
    byte[] message = new byte[SIZE];
    Arrays.fill(message, (byte) i);
    ring[i % SLOTS] = message;
  }

  private static void writeOften(Lane lane, byte[][] ring, int messages) {
    for (int i = 0; i < messages; ++i) {
      lane.await();
      write(ring, i);
      lane.done();
    }
  }

  static void run(Run run, Params params) {
    WideNode live = WideNode.liveTree(params.depth, params.random);
    byte[][] ring = new byte[SLOTS][];
    run.begin();
    writeOften(run.lane(true), ring, params.operations(2000000, 0));
    run.end();
    Reference.reachabilityFence(live);
    long h = 0;
    for (byte[] each : ring) {
      h = Run.mix(h, each == null ? 0 : 1 + (each[0] & 0xff) + 256 * (each[SIZE - 1] & 0xff));
    }
    run.check(Run.mix(h, (2L << params.depth) - 1));
  }

  static long live(Params params, Sizes sizes) {
    long ring = sizes.references(SLOTS) + SLOTS * sizes.array(SIZE, 1);
    return (2L << params.depth) * sizes.wideNode() + ring;
  }
}
