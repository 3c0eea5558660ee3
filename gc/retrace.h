// The heap walked once more by code that shares nothing with marking: for the checks.
//
// It begins at the handles of every mutator, at the persistent ones and at what finalizers keep, with the world
// stopped, takes the types of objects from their spans (marking takes them from the words of pages), and remembers
// where it was in a bitmap of its own (marking does in the marks). So what one of the two forgets the other finds.
//
//   stack    what was seen and not looked into yet, and, below it, what is being looked into: an object stays until all
//            that it led to is done. So at any moment the objects on the stack that were looked into are the path from
//            the root to here, and a check that fails says how the program gets there:
//
//              umber: check-mark: 0x7f20 is held, and is an object without a mark; the way to it:
//              umber:   a local of thread 77 holds a tree at 0x7f00
//              umber:   +8 holds an array of node at 0x7f10
//              umber:   [3] +0 holds a node at 0x7f20
//
// Whatever is held and is no allocated object of the heap ends the walk in the same way: an address that the heap does
// not know, the inside of an object, an object that was freed (a pointer that outlived a safepoint without a handle),
// or one of another heap.
//
// Invariants
//   [retrace.1] each object that can be reached is looked into exactly once.
// Concurrency
//   The collector's thread, with the world stopped.
// Uses / used by
//   Uses handshake, space, roots, finalizer, scratch. Used by verify, shadow.
#pragma once

#include "handshake.h"
#include "scratch.h"

namespace umber::gc {

// Calls visit(context, address of a slot) for each slot of an object, as its type says.
void for_each_slot(std::uintptr_t object, void (*visit)(void* context, std::uintptr_t slot), void* context);

// The type of an object, with its article: "a node", "an array of node".
struct type_name {
  char text[96];
  explicit type_name(std::uintptr_t object);
};
// A slot within its object: "+8", "[3] +0".
struct slot_name {
  char text[64];
  slot_name(std::uintptr_t object, std::uintptr_t slot);
};

class retrace {
 public:
  retrace(const stopped_world& world, const char* check) : heap_(world.heap), check_(check) {}

  // What a check does with each slot of a reachable object, and with what it holds (0: null). Roots have slot 0.
  using visitor = void (*)(void* context, retrace& walk, std::uintptr_t slot, std::uintptr_t value);

  // The object that the slot at hand lies in; 0: it is a root.
  std::uintptr_t holder() const { return current_slot_ == 0 ? 0 : holder_; }
  // Walks the heap. False: no memory, and not all was seen.
  [[nodiscard]] bool run(visitor visit, void* context);
  // Ends the process: `value`, just visited, is reachable and wrong.
  [[noreturn]] void die_at(std::uintptr_t value, const char* wrong);

 private:
  struct step {
    std::uintptr_t slot;    // that holds the object
    std::uintptr_t object;  // its lowest bit: looked into
  };
  static constexpr std::size_t shown_at_each_end = 12;

  void start_at(std::uintptr_t object, const char* root, std::size_t thread);
  void look_at(std::uintptr_t slot);
  void finish_stack();
  void push(std::uintptr_t slot, std::uintptr_t object);
  bool first_visit(std::uintptr_t object);
  const char* flaw_of(std::uintptr_t object) const;
  bool is_free(const mspan* s, slot_id slot) const;
  void print_root() const;

  managed_heap& heap_;
  const char* check_;
  visitor visit_ = nullptr;
  void* context_ = nullptr;
  scratch<std::uint64_t> seen_;
  scratch<step> stack_;
  std::size_t depth_ = 0;
  std::uintptr_t current_slot_ = 0;
  std::uintptr_t holder_ = 0;
  std::uintptr_t root_object_ = 0;
  const char* root_ = nullptr;
  std::size_t root_thread_ = 0;
  bool complete_ = true;
};

}  // namespace umber::gc
