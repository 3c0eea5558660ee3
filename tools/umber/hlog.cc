// Encoding version 2: a head of 40 bytes, then the counts in the order of their values as zigzag LEB128, a run of
// zeroes being one negative number; deflated, with a head of its own, in base64.
#include "hlog.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "command.h"

namespace umber::tool {

namespace {

using json = nlohmann::ordered_json;

constexpr std::uint32_t plain_cookie = 0x1c849313;
constexpr std::uint32_t deflated_cookie = 0x1c849314;
constexpr unsigned digits = 3;
// Three digits need 2048 buckets to an octave's double, of which the upper half is used in all octaves but the first.
constexpr unsigned half_magnitude = 10;
constexpr std::uint64_t half_count = std::uint64_t{1} << half_magnitude;
constexpr std::uint64_t sub_bucket_mask = 2 * half_count - 1;

std::size_t index_of(std::uint64_t value) {
  const auto octave = static_cast<unsigned>(std::bit_width(value | sub_bucket_mask)) - half_magnitude - 1;
  const std::uint64_t within = value >> octave;
  return static_cast<std::size_t>(((octave + std::uint64_t{1}) << half_magnitude) + within - half_count);
}

template <typename Integer>
void append_big_endian(std::string& bytes, Integer value) {
  for (int shift = static_cast<int>(8 * sizeof value) - 8; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(value >> shift & 0xFF));
}

void append_zigzag(std::string& bytes, std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (int i = 0; i < 8 && rest > 0x7F; ++i, rest >>= 7) bytes.push_back(static_cast<char>((rest & 0x7F) | 0x80));
  bytes.push_back(static_cast<char>(rest));
}

std::string encoded_counts(const std::map<std::size_t, std::int64_t>& counts) {
  std::string bytes;
  std::size_t next = 0;
  for (const auto& [index, count] : counts) {
    if (index > next) append_zigzag(bytes, -static_cast<std::int64_t>(index - next));
    append_zigzag(bytes, count);
    next = index + 1;
  }
  return bytes;
}

std::string deflated(const std::string& bytes) {
  uLongf length = compressBound(bytes.size());
  std::string result(length, '\0');
  auto* into = reinterpret_cast<Bytef*>(result.data());
  if (compress(into, &length, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) != Z_OK)
    throw failure(1, "zlib could not deflate a histogram");
  result.resize(length);
  return result;
}

std::string base64(const std::string& bytes) {
  constexpr const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = i; k < i + 3; ++k)
      group = group << 8 | (k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text.push_back(i + k <= bytes.size() ? alphabet[group >> (18 - 6 * k) & 0x3F] : '=');
  }
  return text;
}

std::string encoded(const json& histogram) {
  std::map<std::size_t, std::int64_t> counts;
  std::uint64_t highest = 2;
  for (const json& bucket : histogram["buckets"]) {
    const auto value = bucket.at(0).get<std::uint64_t>();
    highest = std::max(highest, value);
    counts[index_of(value)] += bucket.at(1).get<std::int64_t>();
  }
  const std::string payload = encoded_counts(counts);
  std::string plain;
  append_big_endian(plain, plain_cookie);
  append_big_endian(plain, static_cast<std::uint32_t>(payload.size()));
  append_big_endian(plain, std::uint32_t{0});
  append_big_endian(plain, std::uint32_t{digits});
  append_big_endian(plain, std::uint64_t{1});
  append_big_endian(plain, highest);
  append_big_endian(plain, std::bit_cast<std::uint64_t>(1.0));
  const std::string body = deflated(plain + payload);
  std::string whole;
  append_big_endian(whole, deflated_cookie);
  append_big_endian(whole, static_cast<std::uint32_t>(body.size()));
  return base64(whole + body);
}

std::string line_of(const std::string& tag, const json& histogram, double start, double length) {
  if (!histogram.is_object() || !histogram.contains("buckets") || !histogram.contains("max")) return "";
  return fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", tag, start, length, histogram["max"].get<double>() / 1e6,
                     encoded(histogram));
}

}  // namespace

std::string hlog_head(const std::string& what) {
  return fmt::format(
      "#[{}]\n#[Histogram log format version 1.3]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      what);
}

std::string hlog_lines(const json& run) {
  const double start = run["outside"]["started"].get<double>();
  const double length = run["wall_ns"].get<double>() / 1e9;
  std::string text;
  for (const char* name : {"response", "service", "jitter"}) {
    const std::string field = std::string(name) + "_ns";
    if (run.contains(field)) text += line_of(name, run[field], start, length);
  }
  if (!run.contains("stalls")) return text;
  for (const auto& [cause, histogram] : run["stalls"].items()) text += line_of(cause, histogram, start, length);
  return text;
}

}  // namespace umber::tool
