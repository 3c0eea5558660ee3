package gc;

import harness.RandomSource;

/**
 * A node of two links and six words, as large as a cache line where a header costs nothing: of the trees that are only
 * there to be marked, and of what churns.
 */
final class WideNode {
  WideNode left;
  WideNode right;
  long first;
  long second;
  long third;
  long fourth;
  long fifth;
  long sixth;

  WideNode(long word) {
    first = word;
  }

  /** Returns a complete binary tree: depth first in the order of its allocation, or in random order. */
  static WideNode liveTree(int depth, boolean random) {
    if (!random) return treeInOrder(depth);
    WideNode[] all = shuffled((2 << depth) - 1);
    for (int i = 0; 2 * i + 2 < all.length; ++i) {
      all[i].left = all[2 * i + 1];
      all[i].right = all[2 * i + 2];
    }
    return all[0];
  }

  private static WideNode treeInOrder(int depth) {
    WideNode node = new WideNode(0);
    if (depth > 0) {
      node.left = treeInOrder(depth - 1);
      node.right = treeInOrder(depth - 1);
    }
    return node;
  }

  /** Returns a list whose nodes lie in random order. */
  static WideNode liveList(int count) {
    WideNode[] all = shuffled(count);
    for (int i = 0; i + 1 < count; ++i) all[i].left = all[i + 1];
    return all[0];
  }

  /** Allocates nodes in one order and returns them in another. */
  private static WideNode[] shuffled(int count) {
    WideNode[] nodes = new WideNode[count];
    for (int i = 0; i < count; ++i) nodes[i] = new WideNode(0);
    RandomSource random = new RandomSource(1);
    for (int i = count; i > 1; --i) {
      int j = random.below(i);
      WideNode swapped = nodes[i - 1];
      nodes[i - 1] = nodes[j];
      nodes[j] = swapped;
    }
    return nodes;
  }
}
