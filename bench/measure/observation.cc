#include "observation.h"

#include "clock.h"

#include <chrono>

namespace bench {

void measurement::add(const stall_log& of) {
  for (std::size_t i = 0; i < cause_names.size(); ++i) {
    const histogram* each = of.of(static_cast<cause>(i));
    if (each == nullptr) continue;
    if (stalls[i] == nullptr) stalls[i] = std::make_unique<histogram>();
    stalls[i]->add(*each);
  }
  pauses.push_back(of.remembered());
}

void measurement::add_stops(const std::vector<stall>& stops) {
  for (const stall& each : stops) {
    std::unique_ptr<histogram>& of = stalls[static_cast<std::size_t>(each.why)];
    if (of == nullptr) of = std::make_unique<histogram>();
    of->record(each.ns);
    for (std::vector<stall>& own : pauses) own.push_back(each);
  }
}

observation::observation(system_view& system) : system_(system) {
  static_cast<void>(system_.new_cycles());
  static_cast<void>(system_.stops());
  timeline_.emplace(system_);
  // What takes long to find out comes first: its time is not the program's.
  const system_reading::figure returned = system_.read_all().returned_bytes;
  result_.before = system_.read();
  result_.before.returned_bytes = returned;
  result_.process = read_process_figures();
  const auto epoch = std::chrono::system_clock::now().time_since_epoch();
  result_.began_at_epoch_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(epoch).count());
  result_.began = now_ns();
}

void observation::end() {
  result_.wall_ns = now_ns() - result_.began;
  const process_figures now = read_process_figures();
  result_.process = {now.cpu_ns - result_.process.cpu_ns, now.minor_faults - result_.process.minor_faults,
                     now.major_faults - result_.process.major_faults};
  result_.end_resident = resident_bytes();
  result_.peak_resident = peak_resident_bytes();
  system_.wait_in([this] { timeline_->stop(); });
  result_.after = system_.read_all();
  result_.samples = timeline_->samples();
  result_.cycles = timeline_->cycles();
  result_.tells_stalls = system_.tells_stalls();
}

void observation::settle() {
  result_.settled_live = system_.read().live_bytes;
  result_.settled_resident = resident_bytes();
}

}  // namespace bench
