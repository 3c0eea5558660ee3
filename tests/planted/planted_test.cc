// Plants each fault of alloc/planted.h in turn and runs the unit test that is there to catch it: the test must pass
// without the fault and fail, die or hang with it. Each run is a process of its own.
//
//   planted_test            all of them; status 1 if a fault went unseen or a test fails without one
//   planted_test NAME       the fault of that name, the test's own output shown
//   planted_test --rate N [NAME]    how many of N runs of its test see each fault; status 1 if one does not
#include "alloc/planted.h"

#include <catch2/catch_session.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace umber::alloc {
namespace {

struct planting {
  fault what;
  const char* name;
  const char* caught_by;  // the beginning of a test's name
};

constexpr planting plantings[] = {
    {fault::skip_remote_flush, "skip_remote_flush", "remote: frees of others' slots are gathered"},
    {fault::lose_span_at_hand_over, "lose_span_at_hand_over", "processor: a flush hands over half-used spans"},
    {fault::ignore_double_free, "ignore_double_free", "fast_path: a double free by the owner is seen at once"},
    {fault::page_summary_off_by_one, "page_summary_off_by_one", "page_alloc: a heap that grows far away"},
    {fault::adopt_without_collect, "adopt_without_collect", "processor: a span is adopted once"},
    {fault::skip_countdown, "skip_countdown", "fast_path: the last object of a span that waits is noticed"},
    {fault::trim_one_page_too_many, "trim_one_page_too_many", "trim: exactly the pages without a live slot go back"},
    {fault::wrong_zeroed_bit, "wrong_zeroed_bit", "mheap: what is said to read as zero does"},
    {fault::interior_check_off, "interior_check_off", "mspan: an address finds its slot exactly"},
    {fault::leave_full_without_second_look, "leave_full_without_second_look",
     "remote: a span that is freed into just before it is left"},
    {fault::put_without_second_look, "put_without_second_look", "mcentral: a span whose last object was freed"},
    {fault::freed_span_stays_in_index, "freed_span_stays_in_index", "mheap: a span of every class is formatted"},
    {fault::fork_forgets_reset, "fork_forgets_reset", "fork: blocks of the parent are the child's"},
    {fault::retained_miscount, "retained_miscount", "processor: what is retained for the next phase is bounded"},
    {fault::sample_never_forgotten, "sample_never_forgotten", "watch: what is freed is no longer in use"},
    {fault::sample_weight_unscaled, "sample_weight_unscaled", "profile_file: what two sites allocate in strict turn"},
    {fault::sample_cut_ignored, "sample_cut_ignored", "profile_file: what two sites allocate in strict turn"},
    {fault::barrier_off, "barrier_off", "verify: what an overwritten field held is found"},
    {fault::deletion_half_missing, "deletion_half_missing", "verify: what an overwritten field held is found"},
    {fault::insertion_half_missing, "insertion_half_missing", "verify: what a thread not yet scanned stores"},
    {fault::handle_missed, "handle_missed", "verify: every handle is a root"},
    {fault::root_missed, "root_missed", "verify: every handle is a root"},
    {fault::root_drop_unrecorded, "root_drop_unrecorded", "verify: what a persistent handle held when it was dropped"},
    {fault::allocate_white, "allocate_white", "verify: what is made while the heap marks has a mark"},
    {fault::slots_at_hand_stay_white, "slots_at_hand_stay_white", "verify: what was at hand when its thread became"},
    {fault::attached_without_barrier, "attached_without_barrier",
     "verify: a thread that attaches while the heap marks"},
    {fault::leave_forgets_buffer, "leave_forgets_buffer", "verify: what a thread has recorded stays"},
    {fault::full_buffer_dropped, "full_buffer_dropped", "verify: under torture every second object"},
    {fault::one_flush_round, "one_flush_round", "verify: what an overwritten field held is found"},
    {fault::ring_forgotten, "ring_forgotten", "verify: what a marker has not looked at"},
    {fault::piece_lost, "piece_lost", "verify: a long array and far objects"},
    {fault::piece_lost, "piece_lost", "verify: all fields of a large object"},
    {fault::piece_lost, "piece_lost", "verify: all that a large object shows"},
    {fault::noscan_touched, "noscan_touched", "mark: objects without pointers are not touched"},
    {fault::sweep_marked_slot, "sweep_marked_slot", "verify: what has a mark survives the sweep"},
    {fault::sweep_marked_slot, "sweep_marked_slot", "cycle: what has a mark outlives each step of the sweep"},
    {fault::deletion_half_missing, "deletion_half_missing", "cycle: a store between any two steps of marking"},
    {fault::allocate_white, "allocate_white", "cycle: objects that are made between any two steps"},
    {fault::leave_forgets_buffer, "leave_forgets_buffer", "cycle: an edge that only a thread without handles"},
    {fault::weak_cleared_never, "weak_cleared_never", "weak: between any two steps of a cycle"},
    {fault::weak_cleared_never, "weak_cleared_never", "verify: weak references to the dead are cleared"},
    {fault::weak_load_ignores_window, "weak_load_ignores_window", "verify: a weak load waits for the verdict"},
    {fault::weak_cleared_late, "weak_cleared_late", "finalizer: weak references are gone before it runs"},
    {fault::finalizer_runs_twice, "finalizer_runs_twice", "finalizer: it runs once"},
    {fault::finalizer_object_unmarked, "finalizer_object_unmarked", "finalizer: its object"},
    {fault::cleanup_of_the_living, "cleanup_of_the_living", "cleanup: cleanups wait until the finalizer has let"},
    {fault::swept_across_epochs, "swept_across_epochs", "space: who has not answered for a sweep is given nothing"},
    {fault::ephemerons_walked_once, "ephemerons_walked_once", "weak_map: a chain of keys and values lives"},
    {fault::ephemerons_not_watched, "ephemerons_not_watched", "weak_map: a chain of maps"},
    {fault::ephemeron_without_key, "ephemeron_without_key", "weak_map: a value lives as long as its key"},
    {fault::ephemeron_value_missed, "ephemeron_value_missed", "weak_map: a value lives as long as its key"},
    {fault::helpers_uncounted, "helpers_uncounted", "accounts: the turns of a helper are counted"},
    {fault::idle_heap_forgotten, "idle_heap_forgotten", "driver: a heap that idles is collected by itself"},
    {fault::silent_heap_collected, "silent_heap_collected", "driver: a heap in which nothing is made rests"},
    {fault::turns_without_end, "turns_without_end", "turns: who wants the processor gets it"},
    {fault::settle_skipped, "settle_skipped", "verify: a store under way when barriers go on"},
    {fault::deletion_half_missing, "deletion_half_missing", "litmus: deletion"},
    {fault::insertion_half_missing, "insertion_half_missing", "litmus: insertion"},
    {fault::settle_skipped, "settle_skipped", "litmus: settle"},
    {fault::black_too_early, "black_too_early", "litmus: black_too_early"},
    {fault::one_flush_round, "one_flush_round", "litmus: one_round"},
    {fault::round_ignores_published, "round_ignores_published", "litmus: published"},
    {fault::list_stays_open, "list_stays_open", "litmus: late_helper"},
    {fault::span_before_answer, "span_before_answer", "litmus: late_answer"},
    {fault::weak_load_ignores_window, "weak_load_ignores_window", "litmus: window"},
    {fault::weak_values_not_walked, "weak_values_not_walked", "litmus: weak_value"},
    {fault::block_unordered, "block_unordered", "litmus: block"},
    {fault::leave_ignores_stop, "leave_ignores_stop", "litmus: stop"},
    {fault::kind_kept, "kind_kept", "tuning: the next cycle is of the kind that was set"},
};

constexpr int patience_ms = 15'000;

void be_quiet() {
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
}

[[noreturn]] void run_test(fault what, const char* test, bool quiet) {
  setpgid(0, 0);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (quiet) be_quiet();
  planted_fault = what;
  char program[] = "planted_test", stop[] = "--abort", name[200];
  std::snprintf(name, sizeof name, "%s*", test);
  char* arguments[] = {program, name, stop, nullptr};
  const int status = Catch::Session().run(3, arguments);
  std::fflush(stdout);
  _exit(status == 0 ? 0 : 1);
}

// Whether the test passed; what takes too long has failed.
bool passes(fault what, const char* test, bool quiet) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  const pid_t child = fork();
  if (child == 0) run_test(what, test, quiet);
  close(ends[1]);
  pollfd end_of_child{ends[0], POLLIN, 0};
  // The child, and whatever it leaves behind, holds the other end open.
  const bool ended = poll(&end_of_child, 1, patience_ms) == 1;
  if (!ended) kill(-child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  kill(-child, SIGKILL);
  close(ends[0]);
  return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// One run without the fault, and as many with it as are wanted: each must end as it should.
bool try_planting(const planting& p, int runs, bool quiet) {
  timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  const bool good_without = passes(fault::none, p.caught_by, quiet);
  int seen = 0;
  for (int i = 0; i < runs; ++i) seen += !passes(p.what, p.caught_by, quiet);
  clock_gettime(CLOCK_MONOTONIC, &end);
  std::printf("%-7s %-32s %3d of %d %4ld s  %s\n",
              !good_without  ? "BROKEN"
              : seen != runs ? "UNSEEN"
                             : "caught",
              p.name, seen, runs, end.tv_sec - start.tv_sec, p.caught_by);
  std::fflush(stdout);
  return good_without && seen == runs;
}

int plant(const char* only, int runs, bool quiet) {
  std::size_t tried = 0, caught = 0;
  for (const planting& p : plantings) {
    if (only != nullptr && std::strcmp(only, p.name) != 0) continue;
    ++tried;
    caught += try_planting(p, runs, quiet);
  }
  std::printf("%zu of %zu planted faults caught\n", caught, tried);
  return tried != 0 && caught == tried ? 0 : 1;
}

}  // namespace
}  // namespace umber::alloc

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--rate") == 0)
    return umber::alloc::plant(argc > 3 ? argv[3] : nullptr, std::atoi(argv[2]), true);
  return umber::alloc::plant(argc > 1 ? argv[1] : nullptr, 1, argc == 1);
}
