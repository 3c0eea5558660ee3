// A file for the compiler to work on: standard containers and algorithms over many types, and a compile-time sieve.
// What it computes does not matter; instantiating it makes the compiler allocate.
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

template <int N>
struct tagged {
  int value = N;
  std::string name = std::to_string(N);
  auto operator<=>(const tagged&) const = default;
};

template <int N>
int exercise() {
  std::map<tagged<N>, std::vector<std::string>> sorted;
  std::unordered_map<std::string, std::variant<int, std::string, tagged<N>>> hashed;
  for (int i = 0; i < N; ++i) {
    sorted[tagged<N>{i, std::to_string(i)}].push_back("x");
    hashed.emplace(std::to_string(i), tagged<N>{});
  }
  std::vector<std::tuple<int, std::string, tagged<N>>> rows;
  for (const auto& [key, values] : sorted) rows.emplace_back(static_cast<int>(values.size()), key.name, key);
  std::sort(rows.begin(), rows.end());
  std::function<int(int)> add = [&rows](int i) { return i + static_cast<int>(rows.size()); };
  auto shared = std::make_shared<std::array<std::function<int(int)>, 2>>();
  (*shared)[0] = add;
  (*shared)[1] = [shared](int i) { return (*shared)[0](i) + 1; };
  return (*shared)[1](static_cast<int>(hashed.size()));
}

template <int... Ns>
int exercise_all(std::integer_sequence<int, Ns...>) {
  return (0 + ... + exercise<Ns>());
}

template <std::size_t Limit>
constexpr std::size_t primes_below() {
  std::array<bool, Limit> composite = {};
  std::size_t count = 0;
  for (std::size_t i = 2; i < Limit; ++i) {
    if (composite[i]) continue;
    ++count;
    for (std::size_t k = 2 * i; k < Limit; k += i) composite[k] = true;
  }
  return count;
}

static_assert(primes_below<2000>() == 303);

int main() { return exercise_all(std::make_integer_sequence<int, 2>()); }
