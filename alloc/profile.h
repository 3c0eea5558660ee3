// What the samples of allocations were: how often each stack allocated objects of each size, and how many are gone.
//
//   note     an allocation is a sample: its stack is looked up, or kept, and counted there
//   forget   the object of that sample is gone: counted there, too
//
// A *site* is what samples have in common: the stack, the size of the object, the type if it is known, and how
// frequent samples were. So all samples of a site weigh the same, an object in use need only know its site, and what
// is written (profile_file.h) is exact arithmetic on two counts.
//
// Sites are never given back, for blocks in use refer to them, and neither is the memory that they are made of: both
// end at `most_bytes`, after which samples of new sites are lost, which is counted and told.
//
// To walk a stack may allocate: the first time, and when a program has registered code of its own. A thread that is
// here takes no samples.
//
// Invariants
//   [profile.1] `gone` is at most `taken`, and two sites differ in something.
//   [profile.2] every address in a stack of a site is in the list of places, once.
// Concurrency
//   Any thread; a lock of rank profile guards the tables. Sites and places are constant once they are listed, but for
//   the two counts.
// Uses / used by
//   Uses os_stacks, sampler, metadata, processors. Used by profile_file, watch, private_heap, fork, and gc/samples.
#pragma once

#include "base.h"

namespace umber::alloc::profile {

// What is known of a sample beside its stack.
struct description {
  std::size_t size = 0;  // bytes that the object takes
  bool is_managed = false;
  bool is_array = false;       // of the type
  const char* type = nullptr;  // lives as long as the process; null: unknown
  std::size_t type_length = 0;
};

struct site {
  site* next = nullptr;
  site* next_of_all = nullptr;
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> gone{0};
  description what;
  std::size_t every = 0;
  std::uint64_t hash = 0;
  std::size_t depth = 0;
  const std::uintptr_t* calls = nullptr;  // innermost first
};

// An address in a stack.
struct place {
  place* next = nullptr;
  place* next_of_all = nullptr;
  std::uintptr_t address = 0;
};

inline constexpr std::size_t most_depth = 64;
inline constexpr std::size_t most_bytes = 64 * mib;

// Has stacks walked from here on, if it can be done by now. Where it cannot, samples are none.
void prepare();
// Begins to sample; 0, or EBUSY if that is so already.
[[nodiscard]] int start(std::size_t every);
// Ends it. What is known stays, and frees are counted on.
void stop();

// Counts a sample of the calling thread. Null: there is no room, sampling has ended, or the thread is in here already.
[[nodiscard]] UMBER_WARM site* note(const description& what);
// Its object is gone.
void forget(site* of);

// The first of all, constant from there on.
const site* first_site();
const place* first_place();
// How many samples found no room.
std::uint64_t lost();
// Tests only: as if so many bytes were left.
void set_room(std::size_t bytes);

void lock_for_fork();
void unlock_after_fork();
void reset_in_child();

}  // namespace umber::alloc::profile
