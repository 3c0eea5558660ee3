#include "handshake.h"

#include "alloc/os.h"
#include "alloc/os_threads.h"

#include <algorithm>

namespace umber::gc {

namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t look_every = 20 * ms;  // at most, between two looks of the watchdog

const volatile std::uint32_t* futex_word(const std::atomic<std::uint32_t>& word) {
  return reinterpret_cast<const volatile std::uint32_t*>(&word);
}

const char* asking(question q) {
  switch (q) {
    case question::none:
      return "ask";
    case question::barrier_on:
      return "ask barrier on";
    case question::settle:
      return "ask settle";
    case question::scan:
      return "ask scan";
    case question::flush:
      return "ask flush";
    case question::finish:
      return "ask finish";
    case question::park:
      return "ask park";
    case question::poll:
      return "poll";
  }
  return "ask";
}

void flush(mutator& m) {
  m.empty_buffer();
  m.publish_chunk();
  if (m.overflowed) m.heap->rescan.store(true, std::memory_order_relaxed);  // relaxed: read after the handshake
  if (m.contributed || m.overflowed) m.heap->found_grey.store(true, std::memory_order_relaxed);  // relaxed: as above
  m.contributed = m.overflowed = false;
}

void give_answer(mutator& m, question q) {
  switch (q) {
    case question::none:
    case question::settle:
    case question::park:
    case question::poll:
      return;
    case question::barrier_on:
      if (!is_planted(fault::kind_kept)) m.kind = m.heap->kind;  // was set before anybody was asked
      m.set_colour(true, false);
      m.tell_made();
      if (is_planted(fault::black_too_early)) m.become_black();
      return;
    case question::scan:
      m.scan_handles();
      if (UMBER_UNLIKELY(m.heap->snapshot != nullptr)) m.heap->snapshot->add_locals(m);
      m.become_black();
      return;
    case question::flush:
      return flush(m);
    case question::finish:
      m.forget_candidates();
      m.give_up_spans();
      count_allocated(m);
      m.set_colour(false, false);
      m.debt = 0;
      ++m.epoch;
      return;
  }
}

// What the word holds while nobody asks.
std::uint32_t unasked(const mutator& m) {
  return static_cast<std::uint32_t>(m.is_tortured ? question::poll : question::none);
}

// By the mutator, or by who has it `answered_for`.
void answer_now(mutator& m) {
  managed_heap& h = *m.heap;
  // acquire: pairs with the asker's store; what it did before is seen.
  if (!is_asked(m.question.load(std::memory_order_acquire))) return;
  // relaxed, both: nobody asks twice; see the next line.
  give_answer(m, static_cast<question>(m.question.load(std::memory_order_relaxed)));
  m.question.store(unasked(m), std::memory_order_relaxed);
  // release: pairs with the acquire in wait_for_answers; all answers happened before the round ends.
  const bool was_last = h.unanswered.fetch_sub(1, std::memory_order_release) == 1;
  // relaxed: who sees it late wakes nobody, and the asker wakes by itself soon.
  if (was_last && h.asker_rests.load(std::memory_order_relaxed)) os::wake_one(futex_word(h.unanswered));
}

void answer_if_blocked(mutator& m) {
  std::uint32_t expected = mutator::blocked;
  // seq_cst: pairs with block_unasked (litmus: block). acquire: what the mutator did before it blocked.
  if (!m.state.compare_exchange_strong(expected, mutator::answered_for, std::memory_order_seq_cst)) return;
  answer_now(m);
  m.state.store(mutator::blocked, std::memory_order_release);  // pairs with the acquire in leave_blocking
  os::wake_all(futex_word(m.state));
}

// Blocks the mutator. Whether it has not been asked anything by then.
bool block_unasked(mutator& m) {
  if (is_planted(fault::block_unordered)) {
    const bool unasked = !is_asked(m.question.load(std::memory_order_acquire));  // pairs with the asker's, as the next
    // As if a store buffer held the store until the asker, should there be one, has looked at all and waits for this.
    for (int i = 0; unasked && i < 1000 && m.heap->unanswered.load(std::memory_order_relaxed) != 1; ++i) {
      spin_pause();
      if (i % 100 == 99) os::yield();
    }
    m.state.store(mutator::blocked, std::memory_order_release);  // pairs with the asker's
    return unasked;
  }
  // seq_cst, both: pair with ask_all (litmus: block).
  m.state.store(mutator::blocked, std::memory_order_seq_cst);
  return !is_asked(m.question.load(std::memory_order_seq_cst));
}

// Blocks a running mutator. A question that is pending, or comes while another is answered, it answers itself.
void become_blocked(mutator& m) {
  for (;;) {
    if (block_unasked(m)) return;
    std::uint32_t expected = mutator::blocked;
    // acquire: pairs with the release in answer_if_blocked. If the asker was faster it answers.
    if (!m.state.compare_exchange_strong(expected, mutator::answered_for, std::memory_order_acquire)) return;
    answer_now(m);
  }
}

// Sleeps until the world starts; the mutator is blocked, and nobody asks it anything that is not answered for it.
void sleep_parked(const managed_heap& h) {
  while (h.parked.load(std::memory_order_acquire) != 0) os::wait(futex_word(h.parked), 1);  // pairs with start_world
}

// Ends being blocked, unless somebody answers for the mutator, or the world is stopped.
bool try_to_run(mutator& m) {
  std::uint32_t expected = mutator::blocked;
  // seq_cst: pairs with stop_world: either the asker sees that we run, and waits for our answer, or we see that the
  // world is stopped (litmus: stop). It also pairs, as an acquire, with the release in answer_if_blocked.
  if (!m.state.compare_exchange_strong(expected, mutator::running, std::memory_order_seq_cst)) return false;
  if (is_planted(fault::leave_ignores_stop)) return true;
  if (UMBER_LIKELY(m.heap->parked.load(std::memory_order_seq_cst) == 0)) return true;
  become_blocked(m);
  return false;
}

void wait_while_held(mutator& m) {
  // relaxed: whether it still is so try_to_run finds out.
  if (m.state.load(std::memory_order_relaxed) == mutator::answered_for)
    os::wait(futex_word(m.state), mutator::answered_for);
  sleep_parked(*m.heap);
}

// Looks at mutators that keep the collector waiting, and names those to blame, once. A few at a time: each costs a look
// into /proc, while nobody can attach.
void look_at_the_slow(managed_heap& h, std::uint64_t asked) {
  constexpr int most = 8;
  int seen = 0;
  const lock_guard guard(h.mutators_lock);
  for (mutator* m = h.mutators; m != nullptr && seen < most; m = m->next) {
    // relaxed: a message.
    if (!is_asked(m->question.load(std::memory_order_relaxed)) || m->named) continue;
    ++seen;
    const os::thread_sleep sleep = os::sleep_of(m->thread_id);
    const blame found = m->watched.look({.round = asked,
                                         .now = os::now(),
                                         .cpu_ns = os::thread_cpu_time(m->thread_id),
                                         .sleeps = sleep.sleeps,
                                         .switches = sleep.switches},
                                        h.options.watchdog_ms * ms);
    if (found == blame::none) continue;
    m->named = true;
    message line;
    line << "umber: thread " << std::size_t{m->thread_id} << " (" << os::name_of(m->thread_id).text
         << (found == blame::computes ? ") has computed for " : ") has been waiting for ") << h.options.watchdog_ms
         << (found == blame::computes ? " ms and not reached a safepoint: let it call umber::safepoint() now and then"
                                      : " ms outside of umber::blocking: let it wait inside of one");
    line.print();
  }
}

// Looks again and again: often while an answer may be on its way, then between longer and longer naps. So a mutator
// that is quick to answer wakes nobody, which would have the collector take its processor (turns.h). One that was late
// does: the machine may be so busy that who wakes by itself gets no processor for long.
void wait_for_answers(managed_heap& h, std::uint64_t asked) {
  constexpr unsigned eager_looks = 1000;            // some 50 us
  constexpr std::uint64_t longest_nap = 1'000'000;  // ns, as the next two
  constexpr std::uint64_t rest = 100'000;
  std::uint64_t nap = 10'000;
  std::uint64_t looked = asked;
  const std::size_t patience_ms = h.options.watchdog_ms;
  const std::uint64_t between_looks = std::min<std::uint64_t>(look_every, patience_ms / 5 * ms);
  for (unsigned looks = 0;; ++looks) {
    // acquire: pairs with the release in answer_now.
    const std::uint32_t left = h.unanswered.load(std::memory_order_acquire);
    if (left == 0) break;
    if (looks < eager_looks) {
      spin_pause();
      continue;
    }
    if (nap > rest) h.asker_rests.store(true, std::memory_order_relaxed);  // relaxed: see answer_now
    os::wait(futex_word(h.unanswered), left, nap);
    nap = nap * 2 < longest_nap ? nap * 2 : longest_nap;
    const std::uint64_t now = os::now();
    if (patience_ms == heap_options::off || now - looked < between_looks) continue;
    looked = now;
    look_at_the_slow(h, asked);
  }
  h.asker_rests.store(false, std::memory_order_relaxed);  // relaxed: as above
}

// Few mutators tell seldom what they took; many often, so that what nobody has been told of stays small.
void set_most_uncounted(managed_heap& h) {
  constexpr std::size_t least = 4 * kib, most = 32 * kib, of_all = 512 * kib;
  // relaxed: a number on its own.
  h.most_uncounted.store(std::clamp(of_all / std::max<std::size_t>(h.mutator_count, 1), least, most),
                         std::memory_order_relaxed);
}

// Before it joins.
void torture(mutator& m) {
  m.is_tortured = true;
  m.buffer_limit = mutator::tortured_capacity;
  m.question.store(unasked(m), std::memory_order_relaxed);  // relaxed: nobody knows of it yet
}

// False: the world is stopped.
bool try_join(managed_heap& h, mutator& m) {
  const lock_guard guard(h.mutators_lock);
  // relaxed: set before the lock was last taken by who asks, or not yet, and then we are asked.
  if (h.parked.load(std::memory_order_relaxed) != 0) return false;
  m.heap = &h;
  m.kind = h.kind;
  m.checks_stores = h.shadow != nullptr;
  if (h.options.torture != 0) torture(m);
  m.on_stall = h.options.on_stall;
  m.stall_context = h.options.stall_context;
  m.work = &h.work;
  m.epoch = h.epoch;
  m.set_colour(h.stage != question::finish && !is_planted(fault::attached_without_barrier),
               h.stage == question::scan || h.stage == question::flush);
  m.previous = nullptr;
  m.next = h.mutators;
  if (h.mutators != nullptr) h.mutators->previous = &m;
  h.mutators = &m;
  ++h.mutator_count;
  set_most_uncounted(h);
  return true;
}

}  // namespace

void ask_all(managed_heap& h, question q) {
  const std::uint64_t asked = os::now();
  {
    const lock_guard guard(h.mutators_lock);
    if (q != question::park) h.stage = q;
    // One more, until all have been looked at. relaxed: locked.
    h.unanswered.store(static_cast<std::uint32_t>(h.mutator_count) + 1, std::memory_order_relaxed);
    // Before anybody can answer: what is allocated from after that must not be listed as unswept. [space.3]
    if (q == question::finish) h.begin_sweep();
    // seq_cst: pairs with block_unasked (litmus: block). Everything that the collector did before is seen by who
    // answers.
    for (mutator* m = h.mutators; m != nullptr; m = m->next)
      m->question.store(static_cast<std::uint32_t>(q), std::memory_order_seq_cst);
    for (mutator* m = h.mutators; m != nullptr; m = m->next) answer_if_blocked(*m);
  }
  h.unanswered.fetch_sub(1, std::memory_order_relaxed);  // relaxed: the asker's own; it reads the others below
  wait_for_answers(h, asked);
  const std::uint64_t answered = os::now();
  timeline::span(asking(q), asked, answered);
  const std::uint64_t took = answered - asked;
  if (took > h.longest_round_ns) h.longest_round_ns = took;
}

void stop_world(managed_heap& h) {
  h.parked.store(1, std::memory_order_seq_cst);  // pairs with try_to_run (litmus: stop)
  ask_all(h, question::park);
}

void start_world(managed_heap& h) {
  h.parked.store(0, std::memory_order_release);  // pairs with the acquire in sleep_parked
  os::wake_all(futex_word(h.parked));
}

stopped_world::stopped_world(managed_heap& h)
    : heap(h), stopped_here_(h.parked.load(std::memory_order_relaxed) == 0) {  // relaxed: this thread's
  if (stopped_here_) stop_world(h);
}

stopped_world::~stopped_world() {
  if (stopped_here_) start_world(heap);
}

namespace {

// Being blocked answers.
void let_others_answer(mutator& m) {
  enter_blocking(m);
  leave_blocking(m);
}

// As if asked `flush` and `park`.
void answer_unasked(mutator& m) {
  if (m.blocking_depth != 0) return;  // it is not its own
  flush(m);
  let_others_answer(m);
}

void answer_asked(mutator& m) {
  // relaxed: answer_now looks again.
  if (static_cast<question>(m.question.load(std::memory_order_relaxed)) == question::park) return let_others_answer(m);
  const std::uint64_t before = os::now();
  const std::uint64_t cpu_before = os::thread_cpu_time();
  answer_now(m);
  const std::uint64_t busy = os::thread_cpu_time() - cpu_before;
  m.stalled(stall_cause::handshake, before, 0, busy);
}

}  // namespace

void answer_pending(mutator& m) {
  if (is_asked(m.question.load(std::memory_order_relaxed))) answer_asked(m);  // relaxed: it looks again
  if (UMBER_UNLIKELY(m.is_tortured)) answer_unasked(m);
}

void enter_blocking(mutator& m) {
  if (m.blocking_depth++ == 0) become_blocked(m);
}

void leave_blocking(mutator& m) {
  if (--m.blocking_depth != 0) return;
  std::uint64_t waits_since = 0;
  while (!try_to_run(m)) {
    if (waits_since == 0) waits_since = os::now();
    wait_while_held(m);
  }
  if (waits_since != 0) m.stalled(stall_cause::wait, waits_since);
}

void join(managed_heap& h, mutator& m) {
  while (!try_join(h, m)) sleep_parked(h);
}

void leave(mutator& m) {
  managed_heap& h = *m.heap;
  const lock_guard guard(h.mutators_lock);
  answer_now(m);
  if (!is_planted(fault::leave_forgets_buffer)) flush(m);
  m.give_up_spans();
  count_allocated(m);
  m.set_colour(false, false);
  (m.previous != nullptr ? m.previous->next : h.mutators) = m.next;
  if (m.next != nullptr) m.next->previous = m.previous;
  --h.mutator_count;
  set_most_uncounted(h);
  h.stalls.take_over(m.stalls);
  h.slots_taken += m.slots_taken.load(std::memory_order_relaxed);  // relaxed: its own
}

}  // namespace umber::gc
