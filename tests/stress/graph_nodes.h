// What the graph stress makes: managed nodes of many shapes that all begin with a `stamp`, and what the program expects
// of each, its `shadow`.
#pragma once

#include <umber/heap.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

namespace graph {

using umber::field;

inline std::uint64_t seed = std::random_device{}();

[[noreturn]] inline void fail(const char* what, std::uint64_t id, std::uint64_t detail = 0) {
  std::fprintf(stderr, "graph: %s: node %llu (%llx); seed %llu\n", what, static_cast<unsigned long long>(id),
               static_cast<unsigned long long>(detail), static_cast<unsigned long long>(seed));
  std::abort();
}

enum class kind : std::uint8_t {
  one,
  two,
  three,
  eight,
  wide,
  blob,
  owner,
  tail,
  huge,
  small_array,
  large_array,
  mixed_array,
  traced,
  weak_pair,
  last
};

constexpr std::uint64_t checksum(std::uint64_t id) { return (id + 1) * 0x9e3779b97f4a7c15; }

// The first 16 bytes of every node.
struct stamp {
  std::uint64_t id_and_kind = 0;
  std::uint64_t check = 0;

  std::uint64_t id() const { return id_and_kind >> 8; }
  kind what() const { return static_cast<kind>(id_and_kind & 0xff); }
  bool valid() const { return check == checksum(id_and_kind) && what() < kind::last; }
};
inline stamp make_stamp(std::uint64_t id, kind what) {
  const std::uint64_t both = id << 8 | static_cast<std::uint64_t>(what);
  return {both, checksum(both)};
}

// What became of a node that has a destructor. Two hold it: the node, and its shadow.
struct fate {
  std::atomic<int> holders{2};
  std::atomic<bool> destroyed{false};

  void release() {
    if (holders.fetch_sub(1) == 1) delete this;
  }
};
inline std::atomic<std::uint64_t> constructed{0};
inline std::atomic<std::uint64_t> destroyed{0};

// Tells when its node is destroyed.
struct witness {
  fate* what = nullptr;

  witness() = default;
  witness(const witness&) = delete;
  witness& operator=(const witness&) = delete;
  ~witness() {
    if (what == nullptr) return;
    if (what->destroyed.exchange(true)) fail("destroyed twice", 0);
    ++destroyed;
    what->release();
  }
};

template <std::size_t Fields>
struct plain {
  stamp s;
  field<stamp> fields[Fields];
};
struct blob {
  stamp s;
  char bytes[184] = {};
};
struct owner {
  stamp s;
  field<stamp> fields[2];
  witness end;
};
template <std::size_t Bytes>
struct padded {
  stamp s;
  field<stamp> fields[2];
  char bytes[Bytes];
  field<stamp> more[2];
  witness end;
};
using tail = padded<9000>;
using huge = padded<150000>;

struct holder {
  stamp s;
  field<umber::array<field<stamp>>> elements;
};
struct element {
  std::uint64_t number;
  field<stamp> first;
  std::uint64_t other;
  field<stamp> second;
};
struct mixed_holder {
  stamp s;
  field<umber::array<element>> elements;
};
// Its second field exists as long as a flag says so; it always does once the first was written.
struct traced {
  stamp s;
  std::atomic<bool> whole{false};
  field<stamp> fields[2];
  void trace(umber::visitor& visit) const {
    if (whole.load(std::memory_order_acquire)) visit(fields);
  }
};
struct weak_pair {
  stamp s;
  field<stamp> fields[1];
  umber::weak_field<stamp> weak[2];
};

inline constexpr std::size_t small_length = 40, large_length = 20'000, mixed_length = 3'000, most_fields = 60;

inline std::size_t fields_of(kind what) {
  constexpr std::size_t counts[] = {1, 2, 3, 8, 60, 0, 2, 4, 4, 16, 16, 16, 2, 1};
  return counts[static_cast<std::size_t>(what)];
}

// The places of an array that are used, first and last among them.
constexpr std::size_t place(std::size_t i, std::size_t length) { return i * (length - 1) / 15; }

template <class T>
T* as(stamp* s) {
  return reinterpret_cast<T*>(s);
}

inline field<stamp>& field_at(stamp* s, std::size_t i) {
  switch (s->what()) {
    case kind::one:
      return as<plain<1>>(s)->fields[i];
    case kind::two:
      return as<plain<2>>(s)->fields[i];
    case kind::three:
      return as<plain<3>>(s)->fields[i];
    case kind::eight:
      return as<plain<8>>(s)->fields[i];
    case kind::wide:
      return as<plain<60>>(s)->fields[i];
    case kind::owner:
      return as<owner>(s)->fields[i];
    case kind::tail:
      return i < 2 ? as<tail>(s)->fields[i] : as<tail>(s)->more[i - 2];
    case kind::huge:
      return i < 2 ? as<huge>(s)->fields[i] : as<huge>(s)->more[i - 2];
    case kind::small_array:
      return (*as<holder>(s)->elements)[place(i, small_length)];
    case kind::large_array:
      return (*as<holder>(s)->elements)[place(i, large_length)];
    case kind::mixed_array: {
      element& e = (*as<mixed_holder>(s)->elements)[place(i, mixed_length)];
      return i % 2 == 0 ? e.first : e.second;
    }
    case kind::traced:
      return as<traced>(s)->fields[i];
    case kind::weak_pair:
      return as<weak_pair>(s)->fields[i];
    case kind::blob:
    case kind::last:
      break;
  }
  fail("no such field", s->id(), i);
}

template <class T>
umber::local<stamp> make_as(std::uint64_t id, kind what) {
  umber::local<T> made = umber::make<T>();
  made->s = make_stamp(id, what);
  return as<stamp>(&made->s);
}
template <class T>
umber::local<stamp> make_witnessed(std::uint64_t id, kind what, fate*& end) {
  umber::local<stamp> made = make_as<T>(id, what);
  end = new fate;
  as<T>(made.get())->end.what = end;
  ++constructed;
  return made;
}
template <class Holder, class Element>
umber::local<stamp> make_holder(std::uint64_t id, kind what, std::size_t length) {
  umber::local<stamp> made = make_as<Holder>(id, what);
  as<Holder>(made.get())->elements = umber::make_array<Element>(length);
  if (as<Holder>(made.get())->elements->size() != length) fail("an array has another length", id, length);
  return made;
}

inline umber::local<stamp> make_node(std::uint64_t id, kind what, fate*& end) {
  switch (what) {
    case kind::one:
      return make_as<plain<1>>(id, what);
    case kind::two:
      return make_as<plain<2>>(id, what);
    case kind::three:
      return make_as<plain<3>>(id, what);
    case kind::eight:
      return make_as<plain<8>>(id, what);
    case kind::wide:
      return make_as<plain<60>>(id, what);
    case kind::blob:
      return make_as<blob>(id, what);
    case kind::owner:
      return make_witnessed<owner>(id, what, end);
    case kind::tail:
      return make_witnessed<tail>(id, what, end);
    case kind::huge:
      return make_witnessed<huge>(id, what, end);
    case kind::small_array:
      return make_holder<holder, field<stamp>>(id, what, small_length);
    case kind::large_array:
      return make_holder<holder, field<stamp>>(id, what, large_length);
    case kind::mixed_array:
      return make_holder<mixed_holder, element>(id, what, mixed_length);
    case kind::traced: {
      umber::local<stamp> made = make_as<traced>(id, what);
      as<traced>(made.get())->whole.store(true, std::memory_order_release);
      return made;
    }
    case kind::weak_pair:
      return make_as<weak_pair>(id, what);
    case kind::last:
      break;
  }
  fail("no such kind", id, static_cast<std::uint64_t>(what));
}

// What a node is expected to be. Held by its island, which forgets those that neither roots nor weak references reach.
struct shadow {
  std::uint64_t id = 0;
  kind what = kind::one;
  fate* end = nullptr;
  shadow* edges[most_fields] = {};
  shadow* weak_edges[2] = {};
  std::uint64_t visited = 0;

  shadow() = default;
  shadow(const shadow&) = delete;
  shadow& operator=(const shadow&) = delete;
  ~shadow() {
    if (end != nullptr) end->release();
  }
  std::size_t fields() const { return fields_of(what); }
};

// Compares one node with its shadow, which says that it is alive.
inline void compare(stamp* actual, const shadow& expected) {
  if (actual == nullptr) fail("a reference is null", expected.id);
  if (!actual->valid()) fail("a node was overwritten", expected.id, actual->id_and_kind);
  if (actual->id() != expected.id) fail("a reference leads to another node", expected.id, actual->id());
  if (expected.end != nullptr && expected.end->destroyed) fail("destroyed while it was reachable", expected.id);
  for (std::size_t i = 0; i < expected.fields(); ++i) {
    const bool is_null = field_at(actual, i).get() == nullptr;
    if (is_null != (expected.edges[i] == nullptr)) fail("a field has changed", expected.id, i);
  }
}

}  // namespace graph
