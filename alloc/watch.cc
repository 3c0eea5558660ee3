#include "watch.h"

#include "processors.h"

namespace umber::alloc {

namespace {

// A block of class c in its own span; null: no memory.
mspan* make_sample(span_class c) {
  const std::size_t size = info(c).slot_size;
  mspan* s = heap.allocate_large(size, page_size);
  if (s == nullptr) return nullptr;
  s->format_alone(c);
  s->sample = profile::note({.size = size});
  return s;
}

}  // namespace

mspan* sample_alone(span_class c) {
  sampler::stream once;
  return !this_thread.sampling && once.draw(info(c).slot_size) == 0 ? make_sample(c) : nullptr;
}

void* allocate_watched(processor& p, span_class c, bool& zeroed) {
  mcache_entry& entry = p.cache[c];
  if (entry.next != 0 || this_thread.sampling) return p.allocate(c, zeroed);
  profile::prepare();  // early, before there are threads that load libraries
  const std::uint8_t session = sampler::session();
  const bool is_due = p.sample_due[c.value] == session;
  p.sample_due[c.value] = 0;
  const std::uint64_t before_next = is_due ? 0 : p.chance.draw(info(c).slot_size);
  if (before_next == 0) {
    p.inside = false;  // to walk the stack may take long
    mspan* s = make_sample(c);
    if (s != nullptr) {
      zeroed = (s->flags & mspan::flag_zeroed) != 0;
      return pointer_to(s->base);
    }
    return this_thread.mine()->allocate(c, zeroed);
  }
  void* slot = p.allocate(c, zeroed);
  const sampler::cut handed = sampler::cut_after(entry.next, before_next - 1);
  if (!is_planted(fault::sample_cut_ignored)) entry.next = handed.now;
  if (handed.later != 0) p.sample_due[c.value] = session;
  return slot;
}

void watch_large(mspan* s) {
  const std::size_t size = s->run.count.bytes();
  sampler::stream once;
  processor* const mine = this_thread.mine();
  sampler::stream& chance = mine == &no_processor ? once : mine->chance;
  if (!this_thread.sampling && chance.draw(size) == 0) s->sample = profile::note({.size = size});
}

}  // namespace umber::alloc
