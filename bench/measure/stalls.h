// What a mutator was held up for: every such time is counted by its cause, and remembered when it is one of the
// longest.
#pragma once

#include "histogram.h"
#include "mmu.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace bench {

enum class cause : std::uint8_t { handshake, assist, flush, sweep, wait, stop };
inline constexpr std::array cause_names = {"handshake", "assist", "flush", "sweep", "wait", "stop"};

struct stall {
  std::uint64_t at;  // by now_ns()
  std::uint64_t ns;
  cause why;
};

// Of one mutator. Written by its thread alone.
class stall_log {
 public:
  static constexpr std::size_t most_remembered = 1 << 16;

  void add(const stall& s) {
    std::unique_ptr<histogram>& of = of_[static_cast<std::size_t>(s.why)];
    if (of == nullptr) of = std::make_unique<histogram>();
    of->record(s.ns);
    if (s.ns >= least_remembered_ns_) remember(s);
  }

  // Null: there was none.
  [[nodiscard]] const histogram* of(cause why) const { return of_[static_cast<std::size_t>(why)].get(); }
  // In the order in which they ended.
  [[nodiscard]] const std::vector<stall>& remembered() const { return remembered_; }

 private:
  // When there is no room for more, what is shorter than twice the least so far is forgotten, until half is free.
  void remember(const stall& s);

  std::array<std::unique_ptr<histogram>, cause_names.size()> of_;
  std::vector<stall> remembered_;
  std::uint64_t least_remembered_ns_ = 500;
};

}  // namespace bench
