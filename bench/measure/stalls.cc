#include "stalls.h"

#include <algorithm>

namespace bench {

void stall_log::remember(const stall& s) {
  if (remembered_.size() == most_remembered) {
    while (remembered_.size() > most_remembered / 2) {
      least_remembered_ns_ *= 2;
      std::erase_if(remembered_, [this](const stall& each) { return each.ns < least_remembered_ns_; });
    }
  }
  if (s.ns >= least_remembered_ns_) remembered_.push_back(s);
}

}  // namespace bench
