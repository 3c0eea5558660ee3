// Faults that tests plant in the engine, to learn whether the tests see them. In every library each is off, and the
// question costs nothing: the answer is a constant.
//
// A verifier that nobody tests verifies what it happens to. So one program (tests/planted) is built from the engine's
// sources with `UMBER_PLANTED_FAULTS`; there the question reads a variable, and the program runs unit tests that must
// pass with every fault off and fail with the one that they are there to catch.
//
// Invariants
//   None.
// Concurrency
//   The variable is set before there is a second thread.
// Uses / used by
//   Uses base. Used at one line for each fault; set by tests/planted.
#pragma once

#include "base.h"

namespace umber::alloc {

enum class fault : std::uint8_t {
  none,
  skip_remote_flush,
  lose_span_at_hand_over,
  ignore_double_free,
  page_summary_off_by_one,
  adopt_without_collect,
  skip_countdown,
  trim_one_page_too_many,
  wrong_zeroed_bit,
  interior_check_off,
  leave_full_without_second_look,
  put_without_second_look,
  freed_span_stays_in_index,
  fork_forgets_reset,
  retained_miscount,
  sample_never_forgotten,
  sample_weight_unscaled,
  sample_cut_ignored,
  // The collector's.
  barrier_off,
  deletion_half_missing,
  insertion_half_missing,
  handle_missed,
  root_missed,
  root_drop_unrecorded,
  allocate_white,
  slots_at_hand_stay_white,
  attached_without_barrier,
  leave_forgets_buffer,
  full_buffer_dropped,
  one_flush_round,
  round_ignores_published,
  list_stays_open,
  settle_skipped,
  black_too_early,
  span_before_answer,
  weak_values_not_walked,
  block_unordered,
  leave_ignores_stop,
  kind_kept,
  ring_forgotten,
  piece_lost,
  noscan_touched,
  sweep_marked_slot,
  weak_cleared_never,
  weak_load_ignores_window,
  helpers_uncounted,
  idle_heap_forgotten,
  silent_heap_collected,
  turns_without_end,
  finalizer_runs_twice,
  finalizer_object_unmarked,
  cleanup_of_the_living,
  swept_across_epochs,
  ephemerons_walked_once,
  ephemerons_not_watched,
  ephemeron_without_key,
  ephemeron_value_missed,
  weak_cleared_late,
  // Of what the pause bench must see.
  slow_barrier,
};

#ifdef UMBER_PLANTED_FAULTS
inline constinit fault planted_fault = fault::none;
inline bool is_planted(fault f) { return planted_fault == f; }
#else
constexpr bool is_planted(fault) { return false; }
#endif

}  // namespace umber::alloc
