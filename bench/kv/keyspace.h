// All keys of the server: 64 shards, each a managed map behind a lock of its own.
//
// A key's shard is known by its hash. Who reads or changes a key holds the lock of its shard; dispatch takes those of
// all keys of a command before the command runs, in the order of their numbers, so a command on many keys is one step
// for everybody else. A thread that has to wait for a lock waits in `umber::blocking`: a collection never waits for it,
// whatever the holder does meanwhile. The holder goes on to allocate, and so to answer the collector.
//
// Entries that this hands out are raw pointers: fine up to the next safepoint.
#pragma once

#include "entry.h"
#include "expiry.h"

#include <umber/map.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

namespace kv {

// A set of shards, one bit each.
using shard_mask = std::uint64_t;

class keyspace {
 public:
  static constexpr unsigned shard_count = 64;
  using entries = umber::map<umber::field<umber::string>, umber::field<entry>>;

  keyspace();  // on a thread that is attached to the heap
  [[nodiscard]] static unsigned shard_of(std::string_view key) noexcept {
    return umber::string::hash_of(key) % shard_count;
  }

  void lock(shard_mask which);
  void unlock(shard_mask which) noexcept;

  // These need the lock of the key's shard.

  // What stands behind a key; null if it is not there, or its time is past: then it is gone for good.
  [[nodiscard]] entry* find(std::string_view key, std::int64_t now) noexcept;
  // Has the key stand for `value`, and never end. Throws std::bad_alloc, and then nothing has changed.
  template <class T>
  void put(std::string_view key, const umber::local<T>& value) {
    entry* e = find_or_make(key);
    expiry_of(key).forget(*e);
    e->assign(value.get());
  }
  void set_expiry(const umber::local<entry>& e, std::int64_t at) { expiry_of(e->key->view()).set(e, at); }
  void erase(entry* e) noexcept;

  // These need the lock of that shard.

  [[nodiscard]] entries& all_of(unsigned shard) noexcept { return shards_[shard].data->keys; }
  [[nodiscard]] std::size_t size_of(unsigned shard) noexcept { return all_of(shard).size(); }
  [[nodiscard]] std::size_t expiring_in(unsigned shard) noexcept { return shards_[shard].data->expiring.size(); }
  void clear(unsigned shard) noexcept;
  // Removes at most `most` keys whose time is past, and says how many there were.
  std::size_t remove_expired(unsigned shard, std::int64_t now, std::size_t most) noexcept;

 private:
  struct managed_shard {
    entries keys;
    expiry_line expiring;
  };
  struct alignas(64) guarded_shard {
    std::mutex lock;
    umber::persistent<managed_shard> data;
  };

  entry* find_or_make(std::string_view key);
  expiry_line& expiry_of(std::string_view key) noexcept { return shards_[shard_of(key)].data->expiring; }

  std::unique_ptr<guarded_shard[]> shards_;
};

// Holds the locks of some shards.
class locked_shards {
 public:
  locked_shards(keyspace& keys, shard_mask which) : keys_(keys), which_(which) { keys_.lock(which_); }
  ~locked_shards() { keys_.unlock(which_); }
  locked_shards(const locked_shards&) = delete;
  locked_shards& operator=(const locked_shards&) = delete;

 private:
  keyspace& keys_;
  const shard_mask which_;
};

}  // namespace kv
