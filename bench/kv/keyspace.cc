// The map has a key and its entry together, so what is made for a new one is made before the map is touched.
#include "keyspace.h"

#include <bit>

namespace kv {

namespace {

template <class Do>
void for_each_shard(shard_mask which, Do act) {
  for (; which != 0; which &= which - 1) act(static_cast<unsigned>(std::countr_zero(which)));
}

}  // namespace

keyspace::keyspace() : shards_(std::make_unique<guarded_shard[]>(shard_count)) {
  for (unsigned i = 0; i < shard_count; ++i) shards_[i].data = umber::make<managed_shard>();
}

void keyspace::lock(shard_mask which) {
  for_each_shard(which, [this](unsigned i) {
    std::mutex& wanted = shards_[i].lock;
    if (wanted.try_lock()) return;
    const umber::blocking waiting;
    wanted.lock();
  });
}

void keyspace::unlock(shard_mask which) noexcept {
  for_each_shard(which, [this](unsigned i) { shards_[i].lock.unlock(); });
}

entry* keyspace::find(std::string_view key, std::int64_t now) noexcept {
  entry* const e = all_of(shard_of(key)).find(key).get();
  if (e == nullptr || e->expires_at == 0 || e->expires_at >= now) return e;
  erase(e);
  return nullptr;
}

entry* keyspace::find_or_make(std::string_view key) {
  entries& keys = all_of(shard_of(key));
  if (entry* const known = keys.find(key).get()) return known;
  const umber::local<umber::string> name = umber::make_string(key);
  const umber::local<entry> made = umber::make<entry>();
  made->key = name;
  keys.insert(name, made);
  return made;
}

void keyspace::erase(entry* e) noexcept {
  managed_shard& s = *shards_[shard_of(e->key->view())].data;
  s.expiring.forget(*e);
  s.keys.erase(e->key);
}

void keyspace::clear(unsigned shard) noexcept {
  shards_[shard].data->keys.clear();
  shards_[shard].data->expiring.clear();
}

std::size_t keyspace::remove_expired(unsigned shard, std::int64_t now, std::size_t most) noexcept {
  std::size_t removed = 0;
  while (removed < most) {
    entry* const e = shards_[shard].data->expiring.due(now);
    if (e == nullptr) break;
    erase(e);
    ++removed;
  }
  return removed;
}

}  // namespace kv
