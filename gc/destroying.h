// Destructors of managed objects, and what they must not do.
//
// A destructor runs when its object is swept: on a thread of the collector, or on one that wants a slot. Whatever the
// object referred to may have been destroyed before, or be another object by now; a cycle may wait for the thread; and
// locks of the sweep may be held. So a destructor gives back what its object owns outside of the heap (memory, files,
// external bytes, persistent and weak handles that are its members), and touches no managed object.
//
// While one runs its thread is attached to nothing, whichever it is: no slot and no local is at hand, so everything
// that needs a mutator ends in a slow path, and that asks here. It is one line that names the type, in every build:
//
//   make, local, lock, a new persistent or weak handle, a finalizer, collect, attaching
//
// A store to a field costs no call while nothing marks, and is seen when a heap does, or keeps barriers on (options
// `check_barriers` and `torture`). A load never costs one: it is seen where the program is compiled with UMBER_DEBUG,
// and under torture the fields of what is destroyed hold an address that cannot be used.
//
// Invariants
//   None.
// Concurrency
//   The calling thread's.
// Uses / used by
//   Uses type. Used by space, attach, embed.
#pragma once

#include "type.h"

namespace umber::gc {

// What a thread has that is attached to nothing: no entries, and no room for locals.
extern detail::mutator_state unattached;

// Around the destructors of objects of a type: what the thread has meanwhile.
class destroying : detail::mutator_state {
 public:
  explicit destroying(const type_layout& type);
  ~destroying();
  destroying(const destroying&) = delete;
  destroying& operator=(const destroying&) = delete;

  // The type, if this thread runs a destructor; else null.
  static const type_layout* type_here();

 private:
  const type_layout& type_;
  detail::mutator_state* const before_;
};

// Ends the process if this thread runs a destructor.
void expect_no_destructor(const char* call);

}  // namespace umber::gc
