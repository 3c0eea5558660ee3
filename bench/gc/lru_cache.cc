// A cache of strings that forgets what was used least recently: a map and a list over the same entries. What dies is
// old, and each use of an entry writes to three others.
#include "harness.h"

#include <charconv>
#include <cstring>

namespace bench {

namespace {

struct entry {
  link<entry> next, previous;
  link<text> key, value;
};

class cache {
 public:
  explicit cache(std::size_t capacity) : capacity_(capacity), map_(make_dictionary<entry>()), ends_(make<entry>()) {
    ends_->next = ends_;
    ends_->previous = ends_;
  }
  ~cache() {
    while (size_ > 0) forget_last();
    drop(ends_);
    drop(map_);
  }
  cache(const cache&) = delete;
  cache& operator=(const cache&) = delete;

  // The entry of the key, which becomes the one used last; a new one has the value that is made for it.
  template <class Make>
  ref<entry> look_up(std::string_view key, Make make_value) {
    ref<entry> e = find(*map_, key);
    if (e != nullptr) {
      unlink(*e);
    } else {
      if (size_ == capacity_) forget_last();
      e = make<entry>();
      e->key = make_text(key);
      e->value = make_value();
      insert(*map_, ref<text>(e->key), e);
      ++size_;
    }
    link_first(e);
    return e;
  }

 private:
  static void unlink(entry& e) {
    e.previous->next = static_cast<entry*>(e.next);
    e.next->previous = static_cast<entry*>(e.previous);
  }
  void link_first(const ref<entry>& e) {
    e->next = static_cast<entry*>(ends_->next);
    e->previous = ends_;
    ends_->next->previous = e;
    ends_->next = e;
  }
  void forget_last() {
    entry* const last = ends_->previous;
    unlink(*last);
    erase(*map_, static_cast<text*>(last->key));
    drop(last->key);
    drop(last->value);
    drop(last);
    --size_;
  }

  std::size_t capacity_;
  std::size_t size_ = 0;
  ref<dictionary<entry>> map_;
  ref<entry> ends_;  // the first follows it, the last is before it
};

std::uint64_t use_cache(run& r, lane& l) {
  cache all(r.size());
  random_source random = random_of(l, 11);
  std::uint64_t sum = 0;
  l.run(r.operations(2'000'000), [&](std::size_t) {
    const std::size_t k = random.below(1 + random.below(4 * r.size()));
    char key[32] = "user:";
    const char* const end = std::to_chars(key + 5, key + sizeof key, k).ptr;
    const ref<entry> found = all.look_up({key, static_cast<std::size_t>(end - key)}, [&] {
      char letters[256];
      const std::size_t length = 16 + random.below(240);
      std::memset(letters, static_cast<int>('a' + k % 26), length);
      return make_text({letters, length});
    });
    const text* value = found->value;
    sum = mix(sum, value->size() * 256 + static_cast<unsigned char>(value->data()[0]));
  });
  return sum;
}

}  // namespace

outcome lru_cache(run& r) {
  return {r.on_lanes([&](lane& l) { return use_cache(r, l); })};
}

}  // namespace bench
