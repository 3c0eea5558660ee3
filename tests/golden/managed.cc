// managed NAME N: performs operation NAME of the managed heap N times, so that a counter of instructions can take a
// difference. Nothing is collected meanwhile.
#include "gc/object.h"

#include <umber/umber.h>

#include "gc/mutator.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

struct pair {
  umber::field<pair> first, second;
};
static_assert(sizeof(pair) == 16);

template <class T>
void use(T* p) {
  asm volatile("" : : "r"(p) : "memory");
}

// With another local below, as nearly always.
void makes(std::size_t n) {
  const umber::local<pair> outer = umber::make<pair>();
  for (std::size_t i = 0; i < n; ++i) use(umber::make<pair>().get());
}

void stores(std::size_t n) {
  const umber::local<pair> holder = umber::make<pair>(), value = umber::make<pair>();
  for (std::size_t i = 0; i < n; ++i) {
    holder->first = value.get();
    use(holder.get());
  }
}

// As a thread does whose handles were scanned; what is overwritten has a mark, as most things have.
void stores_while_marking(std::size_t n) {
  umber::gc::mutator& m = umber::gc::this_mutator();
  umber::detail::barriers_on.fetch_add(1);
  m.set_colour(true, true);
  const umber::local<pair> value = umber::make<pair>();
  umber::gc::object_map::mark(reinterpret_cast<std::uintptr_t>(value.get()));
  const umber::local<pair> holder = umber::make<pair>();
  for (std::size_t i = 0; i < n; ++i) {
    holder->first = value.get();
    use(holder.get());
  }
  std::_Exit(0);  // the heap is not to be collected like this
}

void safepoints(std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) umber::safepoint();
}

void locals(std::size_t n) {
  const umber::local<pair> object = umber::make<pair>();
  for (std::size_t i = 0; i < n; ++i) {
    const umber::local<pair> copy = object;
    use(copy.get());
  }
}

constexpr struct {
  const char* name;
  void (*perform)(std::size_t n);
} operations[] = {{"makes", makes},
                  {"stores", stores},
                  {"stores_while_marking", stores_while_marking},
                  {"safepoints", safepoints},
                  {"locals", locals}};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  umber::heap heap({.percent = umber::heap_options::off});
  const umber::mutator attached(heap);
  for (const auto& operation : operations)
    if (std::strcmp(argv[1], operation.name) == 0) return operation.perform(std::strtoul(argv[2], nullptr, 10)), 0;
  return 1;
}
