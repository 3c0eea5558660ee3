// A program whose heap is known: known_test.py holds what it should be told of it.
//
//   known FILE              the graph below
//   known FILE SEED         that, and 2000 nodes with random edges
//
//   registry --tree--> 1023 branches, each with a leaf of its own
//            --notes-> an array of 100 notes, which another holds, too, that a ledger has: they are retained by neither
//   chain --next--> ... 50 hops, the last of which has the treasure
#include <umber/umber.h>

#include <cstdio>
#include <cstdlib>

struct leaf {
  char bytes[48] = {};
};
struct branch {
  umber::field<branch> left, right;
  umber::field<leaf> own;
  long number = 0;
};
struct note {
  char bytes[64] = {};
};
using notes = umber::array<umber::field<note>>;
struct registry {
  umber::field<branch> tree;
  umber::field<notes> all;
};
struct ledger {
  umber::field<notes> same;
  long number = 0;
};
struct treasure {
  char bytes[1024] = {};
};
struct hop {
  umber::field<hop> next;
  umber::field<treasure> cargo;
};
struct vertex {
  umber::field<vertex> edges[3];
  umber::field<leaf> weight;
};

namespace {

umber::local<branch> make_tree(int depth) {
  const auto root = umber::make<branch>();
  root->own = umber::make<leaf>();
  if (depth > 0) {
    root->left = make_tree(depth - 1);
    root->right = make_tree(depth - 1);
  }
  return root;
}

umber::local<hop> make_chain(int length) {
  umber::local<hop> chain;
  for (int i = 0; i < length; ++i) {
    const auto first = umber::make<hop>();
    if (i == 0) first->cargo = umber::make<treasure>();
    first->next = chain;
    chain = first;
  }
  return chain;
}

umber::local<umber::array<umber::field<vertex>>> make_random(unsigned seed) {
  constexpr std::size_t count = 2000;
  std::srand(seed);
  const auto any = [] { return static_cast<std::size_t>(std::rand()); };
  const auto all = umber::make_array<umber::field<vertex>>(count);
  for (std::size_t i = 0; i < count; ++i) all->data()[i] = umber::make<vertex>();
  for (std::size_t i = 0; i < count; ++i) {
    vertex* const each = all->data()[i].get();
    // Rarely backwards, so that much is dominated by what stands before it.
    for (auto& edge : each->edges)
      if (any() % 3 != 0) edge = all->data()[any() % 10 == 0 ? any() % count : i + any() % (count - i)].get();
  }
  for (std::size_t i = 0; i < count; i += 7) all->data()[i]->weight = umber::make<leaf>();
  // A few stay held; what they do not lead to dies.
  const auto held = umber::make_array<umber::field<vertex>>(20);
  for (std::size_t i = 0; i < 20; ++i) held->data()[i] = all->data()[any() % count].get();
  return held;
}

// Handles of its own are gone when it returns.
void fill(const umber::persistent<registry>& first, const umber::persistent<ledger>& second) {
  first->tree = make_tree(9);
  first->all = umber::make_array<umber::field<note>>(100);
  second->same = umber::make_array<umber::field<note>>(100);
  for (std::size_t i = 0; i < 100; ++i) first->all->data()[i] = second->same->data()[i] = umber::make<note>();
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return 2;
  umber::heap heap;
  const umber::mutator attached(heap);
  const umber::persistent<registry> first(umber::make<registry>());
  const umber::persistent<ledger> second(umber::make<ledger>());
  fill(first, second);
  const umber::local<hop> chain = make_chain(50);
  umber::local<umber::array<umber::field<vertex>>> random;
  if (count > 2) random = make_random(static_cast<unsigned>(std::atol(arguments[2])));
  if (heap.write_snapshot(arguments[1])) return 0;
  std::perror("known");
  return 1;
}
