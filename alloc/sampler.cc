#include "sampler.h"

#include "os.h"

namespace umber::alloc::sampler {

namespace {

constinit std::atomic<std::uint64_t> next_stream{0};

// Numbers far apart for counts that are not (splitmix64, by Steele, Lea and Flood).
std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
  x = (x ^ x >> 27) * 0x94d049bb133111eb;
  return x ^ x >> 31;
}

constexpr std::uint64_t golden_ratio = 0x9e3779b97f4a7c15;
constexpr double ln_2 = 0.693147180559945309417;

}  // namespace

void set(std::size_t every) {
  // relaxed, all: nothing is read because of them; who sets them is alone (profile.cc).
  if (every != 0 && next_stream.load(std::memory_order_relaxed) == 0) set_seed(os::entropy());
  if (every != 0) {
    const auto next = static_cast<std::uint8_t>(detail::session.load(std::memory_order_relaxed) + 1);
    detail::session.store(next == 0 ? 1 : next, std::memory_order_relaxed);
  }
  detail::every.store(every, std::memory_order_relaxed);
}

void set_seed(std::uint64_t seed) { next_stream.store(seed | 1, std::memory_order_relaxed); }  // relaxed: a number

std::uint64_t stream::draw(std::size_t size) {
  const std::size_t every = mean();
  if (UMBER_UNLIKELY(state == 0))
    state = scramble(next_stream.fetch_add(2, std::memory_order_relaxed)) | 1;  // relaxed: a number
  state += golden_ratio;
  // In (0, 1].
  const double uniform = static_cast<double>((scramble(state) >> 11) + 1) * 0x1p-53;
  const double mean_count = static_cast<double>(every) / static_cast<double>(size);
  // Mostly the logarithm, which is at least 1 - u, need not be known.
  if (UMBER_LIKELY((1 - uniform) * mean_count >= plenty)) return plenty;
  const double count = -logarithm(uniform) * mean_count;
  return count < plenty ? static_cast<std::uint64_t>(count) : plenty;
}

double probability(std::size_t size, std::size_t every) {
  return one_minus_exp(static_cast<double>(size) / static_cast<double>(every));
}

double logarithm(double x) {
  std::uint64_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  const auto exponent = static_cast<double>(static_cast<std::int64_t>(bits >> 52) - 1023);
  bits = (bits & ((std::uint64_t{1} << 52) - 1)) | std::uint64_t{1023} << 52;
  double mantissa;
  __builtin_memcpy(&mantissa, &bits, sizeof mantissa);
  // ln m = 2 artanh t, and t is at most a third.
  const double t = (mantissa - 1) / (mantissa + 1);
  double power = t, sum = 0;
  for (int n = 1; n <= 25; n += 2, power *= t * t) sum += power / n;
  return exponent * ln_2 + 2 * sum;
}

double one_minus_exp(double x) {
  if (x > 40) return 1;
  // By halving until the series is short; then 1 - y^2 = (1 - y) * (2 - (1 - y)).
  int halved = 0;
  for (; x > 0.125; x /= 2) ++halved;
  double term = x, sum = 0;
  for (int n = 2; n <= 12; term *= -x / n++) sum += term;
  for (; halved > 0; --halved) sum *= 2 - sum;
  return sum;
}

cut cut_after(std::uint64_t slots, std::uint64_t most) {
  std::uint64_t later = slots;
  for (; most > 0 && later != 0; --most) later &= later - 1;
  return {slots ^ later, later};
}

}  // namespace umber::alloc::sampler
