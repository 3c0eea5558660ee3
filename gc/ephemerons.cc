#include "ephemerons.h"

#include <bit>

namespace umber::gc {

bool ephemeron_table::start(std::size_t entries) {
  rest();
  const std::size_t places = 2 * entries;  // an entry may wait for two
  if (places >= UINT32_MAX) return false;
  if (room_ == 0) {
    const std::size_t buckets = std::bit_ceil(places + 1);
    if (!heads_.reserve(buckets) || !waiting_.reserve(places + 1) || !heads_.have(buckets) ||
        !waiting_.have(places + 1)) {
      give_back();
      return false;
    }
    buckets_ = buckets;
    room_ = places + 1;
  } else {
    if (places >= room_) return false;
    for (std::size_t i = 0; i < buckets_; ++i) write(heads_[i], 0);
  }
  last_ = 0;
  return true;
}

void ephemeron_table::put(std::uintptr_t object, detail::weak_entry& entry) {
  if (last_ + 1 >= room_) return;
  waiting& place = waiting_[++last_];
  std::uint32_t& head = heads_[bucket_of(object)];
  write(place.object, object);
  write(place.entry, address_of(&entry));
  write(place.next, read(head));
  write(head, last_);
}

void ephemeron_table::add(detail::weak_entry& entry, std::uintptr_t key) {
  if (!object_map::is_marked(key)) put(key, entry);
  if (!object_map::is_marked(address_of(&entry))) put(address_of(&entry), entry);
}

void ephemeron_table::give_back() {
  rest();
  heads_.give_back();
  waiting_.give_back();
  room_ = buckets_ = 0;
  last_ = 0;
}

}  // namespace umber::gc
