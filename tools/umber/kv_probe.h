// What one more client feels while a server is loaded: it reads a key drawn at random, so many times a second, whether
// or not those before it are replied, and counts from when each request was due. The load itself waits for a slow
// server, and so asks less of it just then; this client is the user who does not know that.
//
// Each request keeps when it was due and when its reply was there, by the clock that servers tell their collections by:
// so those under way during one can be told from the others.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "bench/measure/histogram.h"
#include "bench/measure/mmu.h"
#include "kv_client.h"

namespace umber::tool {

class kv_probe {
 public:
  // Begins at once, on a thread of its own; a rate of 0 asks nothing.
  kv_probe(unsigned port, std::size_t keys, double rate);
  ~kv_probe() { stop(); }
  kv_probe(const kv_probe&) = delete;
  kv_probe& operator=(const kv_probe&) = delete;

  void stop();
  // Once stopped. False: a reply was not the value of a key.
  [[nodiscard]] bool succeeded() const { return !failed_; }
  [[nodiscard]] std::size_t requests() const { return requests_.size(); }
  [[nodiscard]] bench::histogram response() const;
  // Of those that were under way during one of these, which are in CLOCK_MONOTONIC.
  [[nodiscard]] bench::histogram response_during(const std::vector<bench::interval>& collections) const;

 private:
  struct request {
    std::uint64_t due, done;
  };

  void ask(unsigned port, std::size_t keys, double rate);
  bool take_replies(kv_client& from);

  std::vector<request> requests_;
  std::size_t replied_ = 0;  // of these, in their order
  bool failed_ = false;
  std::atomic<bool> done_{false};
  std::thread asking_;
};

}  // namespace umber::tool
