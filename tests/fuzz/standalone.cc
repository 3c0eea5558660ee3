// Runs the fuzz target on random bytes where there is no libFuzzer: `api_fuzz [RUNS [SEED]]`. The seed of each run is
// printed before it, so the last line of a run that failed reproduces it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
  const unsigned long runs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20;
  unsigned long seed = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : std::random_device()();
  for (unsigned long run = 0; run < runs; ++run, ++seed) {
    std::printf("api_fuzz 1 %lu\n", seed);
    std::fflush(stdout);
    std::mt19937_64 random(seed);
    std::vector<std::uint8_t> bytes(100 + random() % 100000);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::printf("%lu runs passed\n", runs);
  return 0;
}
