#include "roots.h"

namespace umber::gc {

detail::root_slot* root_table::make() {
  const lock_guard guard(lock_);
  if (free_ == nullptr) {
    auto* fresh = static_cast<block*>(metadata::allocate(sizeof(block), sizeof(block)));
    if (fresh == nullptr) return nullptr;
    for (detail::root_slot& slot : fresh->slots) {
      slot.next_free = free_;
      free_ = &slot;
    }
    fresh->table = this;
    fresh->next = blocks_.load(std::memory_order_relaxed);  // relaxed: locked
    blocks_.store(fresh, std::memory_order_release);        // pairs with the acquire in for_each
  }
  detail::root_slot* root = free_;
  free_ = root->next_free;
  in_use_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number on its own
  return root;
}

void root_table::drop(detail::root_slot* root) {
  root->object.store(nullptr, std::memory_order_release);  // pairs with the acquire in for_each
  const lock_guard guard(lock_);
  root->next_free = free_;
  free_ = root;
  in_use_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a number on its own
}

}  // namespace umber::gc
