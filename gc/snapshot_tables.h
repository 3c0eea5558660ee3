// What a snapshot of the heap has seen, as tables: objects, what holds them, and where the program holds on.
//
//   locals     while the cycle asks `scan`: what each thread's handles hold, by who answers
//   objects    when marking has ended: a bit for each granule at which an object with a mark begins, and for each 64 of
//              these how many objects come before them. So the number of an object, in the order of addresses, is an
//              addition and a count of bits
//   nodes      in that order: type, size, and the first of its edges
//   edges      the number of the object, and the field
//
// Tables are scratch memory (scratch.h): about 16 bytes an object, 8 an edge, and a sixtieth of the heap.
//
// Invariants
//   [snapshot_tables.1] number_of gives each object of the snapshot a number of its own below `node_count`, ascending
//                       with addresses, and `none` to every other object.
// Concurrency
//   add_locals: any thread, with a lock of rank snapshot. The others: one thread at a time, which the cycle orders.
// Uses / used by
//   Uses object, mutator, scratch, sync. Used by handshake, snapshot, snapshot_file.
#pragma once

#include "mutator.h"
#include "scratch.h"

#include <bit>

namespace umber::gc {

// What an edge is called.
enum class edge_name : std::uint32_t { field, element, offset, weak_target, weak_key, weak_value };

struct snapshot_edge {
  std::uint32_t to;    // the number of an object
  std::uint32_t name;  // edge_name in the upper three bits, below it which pointer of the type, element, or word

  static constexpr std::uint32_t most = (std::uint32_t{1} << 29) - 1;
  static snapshot_edge make(std::uint32_t to, edge_name name, std::size_t which) {
    return {to, static_cast<std::uint32_t>(name) << 29 | static_cast<std::uint32_t>(which < most ? which : most)};
  }
  edge_name kind() const { return static_cast<edge_name>(name >> 29); }
  std::uint32_t which() const { return name & most; }
};

struct snapshot_node {
  std::uint64_t first_edge;
  std::uint32_t words;  // its size
  std::uint32_t type;   // id of the layout; with `is_array`, of its elements

  static constexpr std::uint32_t is_array = std::uint32_t{1} << 31;
};

struct snapshot_root {
  std::uintptr_t object;
  std::uint32_t holder;  // the thread of a local, or:

  static constexpr std::uint32_t persistent = 0, finalizer = UINT32_MAX;
};

struct snapshot_tables {
  static constexpr std::uint32_t none = UINT32_MAX;
  struct word {
    std::uint64_t objects;
    std::uint64_t before;
  };

  mutex<rank::snapshot> lock;
  scratch<snapshot_root> roots;  // guarded by lock while the cycle scans, as the next
  std::size_t root_count = 0;
  scratch<word> words;
  std::size_t word_count = 0;
  scratch<snapshot_node> nodes;  // and one more, for where the last one's edges end
  std::size_t node_count = 0;
  scratch<snapshot_edge> edges;
  std::size_t edge_count = 0;
  bool taken = false;    // a cycle has filled it
  bool complete = true;  // there was memory for all

  // Of a thread that is being scanned.
  void add_locals(const mutator& m) {
    const lock_guard guard(lock);
    m.locals.for_each([this, &m](void* const* slot) { add_root(address_of(*slot), m.thread_id); });
  }
  void add_root(std::uintptr_t object, std::uint32_t holder) {
    complete = complete && root_count < most_roots && (root_count != 0 || roots.reserve(most_roots)) &&
               roots.have(root_count + 1);
    if (complete) roots[root_count++] = {object, holder};
  }
  std::uint32_t number_of(std::uintptr_t address) const {
    if (!window.contains(address)) return none;
    const std::size_t granule = object_map::granule_of(address);
    if (granule / 64 >= word_count) return none;
    const word& w = words[granule / 64];
    const std::uint64_t bit = std::uint64_t{1} << granule % 64;
    if ((w.objects & bit) == 0) return none;
    return static_cast<std::uint32_t>(w.before) + static_cast<std::uint32_t>(std::popcount(w.objects & (bit - 1)));
  }

 private:
  static constexpr std::size_t most_roots = std::size_t{1} << 28;
};

}  // namespace umber::gc
