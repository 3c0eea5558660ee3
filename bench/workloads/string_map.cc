// Maps of strings through the standard containers, the commonest heap use of C++ programs: a hash map and a tree are
// filled with keys and values of 8 to 200 characters, looked up, and thinned by half, again and again.
#include "../workloads.h"

#include <map>
#include <string>
#include <unordered_map>

namespace bench {

namespace {

constexpr std::size_t keys = 40000;

std::string make_key(std::size_t number) {
  std::string key = "key:";
  key += std::to_string(number * 2654435761u % 1000003);
  key.append(number % 23, 'k');
  return key;
}

std::string make_value(random_source& random) {
  std::string value(random.between(8, 200), static_cast<char>('a' + random.below(26)));
  value += std::to_string(value.size());
  return value;
}

template <typename Map>
std::uint64_t churn(Map& map, std::size_t count, random_source& random) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) map[make_key(random.below(2 * count))] = make_value(random);
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = map.find(make_key(i));
    if (found != map.end()) sum += found->second.size() + static_cast<unsigned char>(found->second.front());
  }
  for (std::size_t i = 0; i < count; ++i) sum += map.erase(make_key(2 * i));
  return sum + map.size();
}

}  // namespace

outcome string_map(const params& chosen) {
  const std::size_t rounds = chosen.scaled(12);
  const std::size_t count = chosen.scale < 0.01 ? keys / 40 : keys;
  std::unordered_map<std::string, std::string> hashed;
  std::map<std::string, std::string> sorted;
  random_source random(97);
  outcome result;
  for (std::size_t round = 0; round < rounds; ++round) {
    result.checksum += churn(hashed, count, random);
    result.checksum += churn(sorted, count / 4, random);
  }
  result.operations = rounds * (count + count / 4) * 3;
  return result;
}

}  // namespace bench
