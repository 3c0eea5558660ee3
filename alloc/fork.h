// The heap across a fork: the child gets a heap that works, whatever the parent's other threads were doing.
//
// Before the fork every lock is taken, in rank order, so no shared structure is half changed in the child. After it
// the parent unlocks; the child, alone, resets the locks, and takes over the processors of the threads that it did
// not inherit. One whose thread was inside a slow path at that moment is abandoned: its free slots are lost to the
// child, nothing else. The background thread is gone and starts again when it is needed.
//
// Invariants
//   [fork.1] in the child no lock is held and every processor is held by the one thread, idle, or abandoned.
// Concurrency
//   Called by pthread_atfork, in the forking thread.
// Uses / used by
//   Uses every owner of a lock. Used by startup.
#pragma once

namespace umber::alloc {

void fork_prepare();
void fork_parent();
void fork_child();

}  // namespace umber::alloc
