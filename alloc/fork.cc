#include "fork.h"

#include "mcentral.h"
#include "metadata.h"
#include "mheap.h"
#include "planted.h"
#include "private_heap.h"
#include "processors.h"
#include "profile.h"
#include "profile_file.h"
#include "scavenger.h"

namespace umber::alloc {

namespace {

mcentral::lock_type& central_lock(std::size_t c) { return central({static_cast<std::uint8_t>(c)}).fork_lock(); }

}  // namespace

void fork_prepare() UMBER_UNCHECKED {
  scavenger::lock_for_fork();
  lock_private_heaps_for_fork();
  processors::lock_for_fork();
  for (std::size_t c = 0; c < span_class_count; ++c) central_lock(c).lock();
  heap.fork_lock().lock();
  profile::lock_file_for_fork();
  profile::lock_for_fork();
  metadata::lock_for_fork();
}

void fork_parent() UMBER_UNCHECKED {
  metadata::unlock_after_fork();
  profile::unlock_after_fork();
  profile::unlock_file_after_fork();
  heap.fork_lock().unlock();
  for (std::size_t c = 0; c < span_class_count; ++c) central_lock(c).unlock();
  processors::unlock_after_fork();
  unlock_private_heaps_after_fork();
  scavenger::unlock_after_fork();
}

void fork_child() {
  metadata::reset_in_child();
  profile::reset_in_child();
  profile::reset_file_in_child();
  profile::leave_file_to_parent();
  if (!is_planted(fault::fork_forgets_reset)) heap.fork_lock().reset_in_child();
  for (std::size_t c = 0; c < span_class_count; ++c) central_lock(c).reset_in_child();
  processors::reset_in_child();
  reset_private_heaps_in_child();
  scavenger::reset_in_child();
  ranks_forgotten();
}

}  // namespace umber::alloc
