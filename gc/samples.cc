#include "samples.h"

namespace umber::gc {

void sample_table::add(std::uintptr_t object, std::size_t bytes, const type_layout& layout, bool is_array) {
  profile::site* const site = profile::note({.size = bytes,
                                             .is_managed = true,
                                             .is_array = is_array,
                                             .type = layout.description->name,
                                             .type_length = layout.description->name_length});
  if (site == nullptr) return;
  const lock_guard guard(lock_);
  entry* const e = entries_.allocate();
  if (e == nullptr) return profile::forget(site);
  first_ = new (e) entry{first_, object, site};
}

template <class Predicate>
void sample_table::drop_if(Predicate is_gone) {
  const lock_guard guard(lock_);
  for (entry** link = &first_; *link != nullptr;) {
    entry* const e = *link;
    if (!is_gone(e->object)) {
      link = &e->next;
      continue;
    }
    *link = e->next;
    profile::forget(e->site);
    entries_.release(e);
  }
}

void sample_table::drop_dead() {
  drop_if([](std::uintptr_t object) { return !object_map::is_marked(object); });
}

void sample_table::drop_all() {
  drop_if([](std::uintptr_t) { return true; });
}

}  // namespace umber::gc
