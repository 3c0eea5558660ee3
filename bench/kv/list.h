// A list of strings: short arrays in a row, linked both ways. Both ends are O(1); a place in the middle is as many
// steps away as there are arrays before it, from the nearer end.
#pragma once

#include "entry.h"

#include <cstdint>
#include <utility>

namespace kv {

class list {
 public:
  static constexpr kind stands_for = kind::list;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // The list is held by the caller. A safepoint, and may throw std::bad_alloc: then nothing has changed.
  void push_front(const umber::local<umber::string>& text);
  void push_back(const umber::local<umber::string>& text);
  // The list is not empty.
  umber::string* pop_front() noexcept;
  umber::string* pop_back() noexcept;
  // There is such a place.
  [[nodiscard]] umber::string* at(std::size_t place) const noexcept { return find(place).text(); }

  // Calls visit(text) for `count` of them from `first` on. A safepoint between arrays; `visit` is none.
  template <class Visit>
  void visit(std::size_t first, std::size_t count, Visit visit) const {
    if (count == 0) return;
    position p = find(first);
    umber::local<chunk> here(p.in);
    for (std::uint32_t i = p.index; count > 0; i = 0, here = here->after) {
      for (; i < here->count && count > 0; ++i, --count) visit(here->item(i)->view());
      umber::safepoint();
    }
  }

 private:
  struct chunk {
    static constexpr std::uint32_t places = 28;

    umber::field<chunk> before, after;
    std::uint32_t first = 0, count = 0;  // of the places that are used
    umber::field<umber::string> texts[places];

    [[nodiscard]] umber::field<umber::string>& item(std::uint32_t i) noexcept { return texts[first + i]; }
  };
  struct position {
    chunk* in;
    std::uint32_t index;
    [[nodiscard]] umber::string* text() const noexcept { return in->item(index); }
  };

  [[nodiscard]] position find(std::size_t place) const noexcept;
  void unlink(chunk& empty) noexcept;

  umber::field<chunk> front_, back_;
  std::size_t size_ = 0;

 public:
  static constexpr auto pointers = umber::pointers(&list::front_, &list::back_);
};

}  // namespace kv
