#include "work.h"

#include <new>

namespace umber::gc {

work_chunk* work_list::make_chunk() {
  const lock_guard guard(lock_);
  void* memory = chunks_.allocate();
  if (memory == nullptr) return nullptr;
  auto* chunk = static_cast<work_chunk*>(memory);
  chunk->next = nullptr;
  chunk->count = 0;
  return chunk;
}

void work_list::drop_chunk(work_chunk* chunk) {
  const lock_guard guard(lock_);
  chunks_.release(chunk);
}

void work_list::publish(work_chunk* chunk) {
  const lock_guard guard(lock_);
  chunk->next = full_;
  full_ = chunk;
  count_published();                               // before anybody can take it
  count_.fetch_add(1, std::memory_order_release);  // pairs with the acquire in empty
}

work_chunk* work_list::take() {
  if (empty()) return nullptr;
  const lock_guard guard(lock_);
  work_chunk* chunk = full_;
  if (chunk == nullptr || closed_) return nullptr;
  full_ = chunk->next;
  count_.fetch_sub(1, std::memory_order_release);  // pairs with the acquire in empty: its taker had begun its turn
  return chunk;
}

void work_list::open() {
  const lock_guard guard(lock_);
  closed_ = false;
}

void work_list::close() {
  const lock_guard guard(lock_);
  closed_ = true;
}

void work_list::forget() {
  const lock_guard guard(lock_);
  for (work_chunk* chunk = full_; chunk != nullptr;) {
    work_chunk* const next = chunk->next;
    chunks_.release(chunk);
    chunk = next;
  }
  full_ = nullptr;
  count_.store(0, std::memory_order_release);  // pairs with the acquire in empty
}

}  // namespace umber::gc
