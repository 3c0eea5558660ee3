// Where spans get their pages, in units of 64 KiB that are aligned to their size. Neither is safe for threads.
#pragma once

#include "reservation.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace evolution {

inline constexpr std::size_t unit_bytes = std::size_t{64} << 10;

// As with sbrk: one heap that grows at its end, takes the lowest free units, and shrinks when its end is free. What is
// free in the middle stays resident.
class contiguous_units {
 public:
  [[nodiscard]] char* take(std::size_t count) {
    if (begin_ == nullptr && !open()) return nullptr;
    std::size_t run = 0;
    for (std::size_t i = lowest_; i < used_.size(); ++i) {
      run = used_[i] ? 0 : run + 1;
      if (run == count) return mark(i + 1 - count, count);
    }
    const std::size_t first = used_.size() - run;
    if ((first + count + 1) * unit_bytes > reserved_bytes) return nullptr;
    used_.resize(first + count, false);
    return mark(first, count);
  }

  void give(char* units, std::size_t count) {
    const std::size_t first = static_cast<std::size_t>(units - begin_) / unit_bytes;
    for (std::size_t i = first; i < first + count; ++i) used_[i] = false;
    if (first < lowest_) lowest_ = first;
    std::size_t end = used_.size();
    while (end > 0 && !used_[end - 1]) --end;
    if (end == used_.size()) return;
    madvise(begin_ + end * unit_bytes, (used_.size() - end) * unit_bytes, MADV_DONTNEED);
    used_.resize(end);
    if (lowest_ > end) lowest_ = end;
  }

 private:
  bool open() {
    char* const memory = reserve();
    if (memory == nullptr) return false;
    const std::size_t misplaced = reinterpret_cast<std::uintptr_t>(memory) % unit_bytes;
    begin_ = memory + (misplaced == 0 ? 0 : unit_bytes - misplaced);
    return true;
  }

  char* mark(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) used_[i] = true;
    while (lowest_ < used_.size() && used_[lowest_]) ++lowest_;
    return begin_ + first * unit_bytes;
  }

  char* begin_ = nullptr;
  std::vector<bool> used_;
  // No unit below is free.
  std::size_t lowest_ = 0;
};

// Arenas of 4 MiB, wherever the system puts them. One that is empty goes back to it, but for the last; what is larger
// than an arena is mapped by itself.
class sparse_arenas {
 public:
  [[nodiscard]] char* take(std::size_t count) {
    if (count >= units_per_arena) return map(count * unit_bytes, unit_bytes);
    for (arena* each = first_; each != nullptr; each = each->next) {
      if (char* const found = take_from(each, count)) return found;
    }
    arena* const fresh = add();
    return fresh == nullptr ? nullptr : take_from(fresh, count);
  }

  void give(char* units, std::size_t count) {
    if (count >= units_per_arena) {
      munmap(units, count * unit_bytes);
      return;
    }
    const std::size_t within = reinterpret_cast<std::uintptr_t>(units) % arena_bytes;
    auto* const home = reinterpret_cast<arena*>(units - within);
    home->used &= ~(ones(count) << (within / unit_bytes));
    if (home->used == 1 && (home->next != nullptr || home->previous != nullptr)) remove(home);
  }

 private:
  static constexpr std::size_t units_per_arena = 64;
  static constexpr std::size_t arena_bytes = units_per_arena * unit_bytes;

  // In the first unit of the arena, which is therefore always used.
  struct arena {
    std::uint64_t used;
    arena* next;
    arena* previous;
  };

  static std::uint64_t ones(std::size_t count) { return (std::uint64_t{1} << count) - 1; }

  static char* take_from(arena* from, std::size_t count) {
    std::uint64_t starts = ~from->used;
    for (std::size_t i = 1; i < count; ++i) starts &= starts >> 1;
    if (starts == 0) return nullptr;
    const auto first = static_cast<std::size_t>(std::countr_zero(starts));
    from->used |= ones(count) << first;
    return reinterpret_cast<char*>(from) + first * unit_bytes;
  }

  static char* map(std::size_t bytes, std::size_t alignment) {
    void* const memory = mmap(nullptr, bytes + alignment, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto* const begin = static_cast<char*>(memory);
    const std::size_t misplaced = reinterpret_cast<std::uintptr_t>(begin) % alignment;
    const std::size_t skipped = misplaced == 0 ? 0 : alignment - misplaced;
    if (skipped != 0) munmap(begin, skipped);
    munmap(begin + skipped + bytes, alignment - skipped);
    return begin + skipped;
  }

  arena* add() {
    char* const memory = map(arena_bytes, arena_bytes);
    if (memory == nullptr) return nullptr;
    auto* const fresh = reinterpret_cast<arena*>(memory);
    *fresh = {1, first_, nullptr};
    if (first_ != nullptr) first_->previous = fresh;
    return first_ = fresh;
  }

  void remove(arena* empty) {
    (empty->previous != nullptr ? empty->previous->next : first_) = empty->next;
    if (empty->next != nullptr) empty->next->previous = empty->previous;
    munmap(empty, arena_bytes);
  }

  arena* first_ = nullptr;
};

}  // namespace evolution
