// A bounded queue of batches of blocks between threads that allocate and threads that free. It takes its lock once a
// batch, so that what is measured is the allocator and not the queue.
#pragma once

#include "../harness.h"

#include <array>
#include <condition_variable>
#include <mutex>

namespace bench {

template <std::size_t BlocksPerBatch, std::size_t Capacity>
class batch_queue {
 public:
  struct batch {
    std::array<void*, BlocksPerBatch> blocks;
  };

  void push(batch* full) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return count_ < Capacity; });
    ring_[(first_ + count_++) % Capacity] = full;
    filled_.notify_one();
  }

  // Returns the oldest batch, or null when the queue is closed and empty.
  batch* pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return count_ > 0 || closed_; });
    if (count_ == 0) return nullptr;
    batch* oldest = ring_[first_];
    first_ = (first_ + 1) % Capacity;
    --count_;
    room_.notify_one();
    return oldest;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable filled_;
  std::array<batch*, Capacity> ring_ = {};
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  bool closed_ = false;
};

}  // namespace bench
