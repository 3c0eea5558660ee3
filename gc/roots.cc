#include "roots.h"

#include <dlfcn.h>

#include <cstring>

namespace umber::gc {

namespace {

// The handles that are left, by where they were made; what does not fit is counted together.
struct leaks {
  static constexpr std::size_t most = 20;
  struct place {
    const void* code;
    std::size_t handles;
  };
  place places[most];
  std::size_t count = 0;
  std::size_t elsewhere = 0;

  void add(const void* code) {
    for (std::size_t i = 0; i < count; ++i)
      if (places[i].code == code) return static_cast<void>(++places[i].handles);
    if (count == most) return static_cast<void>(++elsewhere);
    places[count++] = {code, 1};
  }
};

// The module and the offset that addr2line takes, and the function if it has a name outside.
void print_place(const leaks::place& p) {
  message line;
  line << "umber: ~heap: " << p.handles << (p.handles == 1 ? " handle was" : " handles were") << " made at ";
  const std::uintptr_t call = address_of(p.code) - 1;  // the code is where the call returns to
  Dl_info info;
  if (dladdr(pointer_to(call), &info) == 0 || info.dli_fname == nullptr) {
    line << pointer_to(call);
  } else {
    const char* slash = std::strrchr(info.dli_fname, '/');
    line << (slash != nullptr ? slash + 1 : info.dli_fname) << "+" << pointer_to(call - address_of(info.dli_fbase));
    if (info.dli_sname != nullptr) line << " (" << info.dli_sname << ")";
  }
  line.print();
}

}  // namespace

detail::root_slot* root_table::make(const void* place) {
  const lock_guard guard(lock_);
  if (free_ == nullptr) {
    auto* fresh = static_cast<block*>(metadata::allocate(sizeof(block), sizeof(block)));
    if (fresh == nullptr) return nullptr;
    for (detail::root_slot& slot : fresh->slots) {
      slot.link = free_;
      free_ = &slot;
    }
    fresh->table = this;
    fresh->next = blocks_.load(std::memory_order_relaxed);  // relaxed: locked
    blocks_.store(fresh, std::memory_order_release);        // pairs with the acquire in for_each
  }
  detail::root_slot* root = free_;
  free_ = static_cast<detail::root_slot*>(root->link);
  root->link = const_cast<void*>(place);
  in_use_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number on its own
  return root;
}

void root_table::drop(detail::root_slot* root) {
  root->object.store(nullptr, std::memory_order_release);  // pairs with the acquire in for_each
  const lock_guard guard(lock_);
  root->link = free_;
  free_ = root;
  in_use_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a number on its own
}

void root_table::report_leaks() const {
  leaks found;
  // acquire: pairs with the release in make.
  for (const block* b = blocks_.load(std::memory_order_acquire); b != nullptr; b = b->next)
    for (const detail::root_slot& slot : b->slots)
      if (slot.link != nullptr && !holds(address_of(slot.link))) found.add(slot.link);
  for (std::size_t i = 0; i < found.count; ++i) print_place(found.places[i]);
  if (found.elsewhere == 0) return;
  message line;
  line << "umber: ~heap: " << found.elsewhere << " more were made elsewhere";
  line.print();
}

}  // namespace umber::gc
