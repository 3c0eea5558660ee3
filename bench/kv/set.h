// Sets and hashes. A set has its members in a row, too, so that one can be drawn at random.
#pragma once

#include "entry.h"

#include <umber/map.h>
#include <umber/vector.h>

#include <cstdint>
#include <string_view>

namespace kv {

// Held by the caller, as every managed object; guarded by the lock of its key's shard.
class set {
 public:
  static constexpr kind stands_for = kind::set;

  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  [[nodiscard]] bool contains(std::string_view text) const noexcept { return places_.contains(text); }
  [[nodiscard]] umber::string* at(std::size_t place) const noexcept { return members_[place]; }

  // True if it was not there. A safepoint, and may throw std::bad_alloc: then nothing has changed.
  bool add(std::string_view text) {
    if (contains(text)) return false;
    const umber::local<umber::string> made = umber::make_string(text);
    members_.push_back(made);
    try {
      places_.insert(made, static_cast<std::uint32_t>(members_.size() - 1));
    } catch (...) {
      members_.pop_back();
      throw;
    }
    return true;
  }
  // True if it was there. No safepoint.
  bool remove(std::string_view text) noexcept {
    const auto place = places_.find(text);
    if (place) take(*place);
    return place.has_value();
  }
  // Removes the member at a place; the last one takes its place. No safepoint.
  umber::string* take(std::uint32_t place) noexcept {
    umber::string* const taken = members_[place];
    umber::string* const last = members_.back();
    places_.erase(taken);
    members_[place] = last;
    if (last != taken) places_.assign(last, place);
    members_.pop_back();
    return taken;
  }

 private:
  umber::map<umber::field<umber::string>, std::uint32_t> places_;
  umber::vector<umber::field<umber::string>> members_;

 public:
  static constexpr auto pointers = umber::pointers(&set::places_, &set::members_);
};

struct hash {
  static constexpr kind stands_for = kind::hash;
  umber::map<umber::field<umber::string>, umber::field<umber::string>> fields;
};

}  // namespace kv
