// Knuth's boundary tags, with the size of the block before kept in the tag that follows it.
#include "fit_list.h"

#include "allocator.h"
#include "reservation.h"

#include <algorithm>

namespace evolution {

fit_list::tag* fit_list::after(tag* block) {
  return reinterpret_cast<tag*>(reinterpret_cast<char*>(block) + block->size);
}

fit_list::tag* fit_list::before(tag* block) {
  return reinterpret_cast<tag*>(reinterpret_cast<char*>(block) - block->size_before);
}

void fit_list::link(tag* block) {
  auto* fresh = static_cast<free_block*>(block);
  fresh->free = 1;
  fresh->previous = nullptr;
  fresh->next = first_;
  if (first_ != nullptr) first_->previous = fresh;
  first_ = fresh;
}

void fit_list::unlink(tag* block) {
  auto* gone = static_cast<free_block*>(block);
  if (rover_ == gone) rover_ = gone->next;
  (gone->previous != nullptr ? gone->previous->next : first_) = gone->next;
  if (gone->next != nullptr) gone->next->previous = gone->previous;
  gone->free = 0;
}

fit_list::free_block* fit_list::smallest(std::size_t size) {
  free_block* best = nullptr;
  for (free_block* each = first_; each != nullptr; each = each->next) {
    if (each->size >= size && (best == nullptr || each->size < best->size)) best = each;
  }
  return best;
}

fit_list::free_block* fit_list::find(std::size_t size) {
  if (how_ == search::best) return smallest(size);
  free_block* const start = how_ == search::next && rover_ != nullptr ? rover_ : first_;
  for (free_block* each = start; each != nullptr; each = each->next) {
    if (each->size >= size) return rover_ = each;
  }
  for (free_block* each = first_; each != start; each = each->next) {
    if (each->size >= size) return rover_ = each;
  }
  return nullptr;
}

fit_list::tag* fit_list::grow(std::size_t size) {
  if (begin_ == nullptr) {
    begin_ = reserve();
    if (begin_ == nullptr) return nullptr;
    end_ = reinterpret_cast<tag*>(begin_);
    *end_ = {};
  }
  const auto used = static_cast<std::size_t>(reinterpret_cast<char*>(end_) - begin_);
  if (size > reserved_bytes - used - sizeof(tag)) return nullptr;
  tag* const block = end_;
  block->size = size;
  end_ = after(block);
  *end_ = {0, size, 0, 0};
  return block;
}

void fit_list::split(tag* block, std::size_t size) {
  if (block->size - size < sizeof(free_block)) return;
  const std::size_t rest = block->size - size;
  block->size = size;
  tag* const tail = after(block);
  *tail = {rest, size, 0, 0};
  after(tail)->size_before = rest;
  link(tail);
}

void* fit_list::allocate(std::size_t size) {
  if (size > reserved_bytes) return nullptr;
  const std::size_t needed = sizeof(tag) + std::max<std::size_t>((size + 15) / 16 * 16, 16);
  const std::lock_guard lock(mutex_);
  tag* block = find(needed);
  if (block != nullptr) {
    unlink(block);
    split(block, needed);
  } else {
    block = grow(needed);
    if (block == nullptr) return nullptr;
  }
  return block + 1;
}

void fit_list::deallocate(void* pointer) {
  if (pointer == nullptr) return;
  const std::lock_guard lock(mutex_);
  tag* block = static_cast<tag*>(pointer) - 1;
  tag* const following = after(block);
  if (following->free != 0) {
    unlink(following);
    block->size += following->size;
  }
  if (block->size_before != 0 && before(block)->free != 0) {
    tag* const preceding = before(block);
    unlink(preceding);
    preceding->size += block->size;
    block = preceding;
  }
  after(block)->size_before = block->size;
  link(block);
}

namespace {

template <search How>
fit_list& heap() {
  static fit_list list(How);
  return list;
}

template <search How>
constexpr allocator allocator_of(const char* name, const char* idea) {
  return {name, idea, [](std::size_t size) { return heap<How>().allocate(size); },
          [](void* block) { heap<How>().deallocate(block); }};
}

}  // namespace

const allocator first_fit = allocator_of<search::first>("first_fit", "the first free block that is large enough");
const allocator next_fit = allocator_of<search::next>("next_fit", "the search goes on where the last one ended");
const allocator best_fit = allocator_of<search::best>("best_fit", "the smallest free block that is large enough");

}  // namespace evolution
