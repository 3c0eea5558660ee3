#include "hlog.h"

#include <fmt/format.h>
#include <zlib.h>

#include <bit>
#include <stdexcept>

namespace bench {

namespace {

constexpr std::uint32_t cookie_v2 = 0x1c849303 | 0x10;
constexpr std::uint32_t compressed_cookie_v2 = 0x1c849304 | 0x10;

template <class Integer>
void put_big_endian(std::string& out, Integer value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(value >> shift & 0xff);
}

// ZigZag LEB128 as HdrHistogram has it: seven bits a byte, and all eight of a ninth.
void put_number(std::string& out, std::int64_t number) {
  auto rest = (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
  for (int byte = 0; byte < 8; ++byte, rest >>= 7) {
    if (rest < 0x80) {
      out += static_cast<char>(rest);
      return;
    }
    out += static_cast<char>(rest | 0x80);
  }
  out += static_cast<char>(rest);
}

// Counts in order; a run of empty buckets is one negative number.
std::string encoded_counts(const histogram& h) {
  std::string out;
  std::int64_t zeroes = 0;
  for (const std::uint64_t count : h.counts()) {
    if (count == 0) {
      ++zeroes;
      continue;
    }
    if (zeroes != 0) put_number(out, zeroes == 1 ? 0 : -zeroes);
    zeroes = 0;
    put_number(out, static_cast<std::int64_t>(count));
  }
  return out;
}

std::string compressed(const std::string& plain) {
  uLongf size = compressBound(plain.size());
  std::string out(size, '\0');
  if (compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
               plain.size()) != Z_OK)
    throw std::runtime_error("a histogram cannot be compressed: out of memory");
  out.resize(size);
  return out;
}

std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t j = 0; j < 3; ++j)
      three = three << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    const std::size_t there = std::min<std::size_t>(bytes.size() - i, 3);
    for (std::size_t j = 0; j < 4; ++j) out += j <= there ? digits[three >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

}  // namespace

std::string encoded(const histogram& h) {
  const std::string counts = encoded_counts(h);
  std::string plain;
  put_big_endian(plain, cookie_v2);
  put_big_endian(plain, static_cast<std::uint32_t>(counts.size()));
  put_big_endian(plain, std::uint32_t{0});  // no shift of the values
  put_big_endian(plain, std::uint32_t{2});  // significant digits
  put_big_endian(plain, std::uint64_t{1});  // the lowest value that is told from zero
  put_big_endian(plain, histogram::highest);
  put_big_endian(plain, std::bit_cast<std::uint64_t>(1.0));  // integers stand for themselves
  const std::string packed = compressed(plain + counts);
  std::string out;
  put_big_endian(out, compressed_cookie_v2);
  put_big_endian(out, static_cast<std::uint32_t>(packed.size()));
  return base64(out + packed);
}

std::string histogram_log_head(const std::string& times) {
  return fmt::format(
      "#[Histogram log format version 1.3]\n{}"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      times);
}

std::string histogram_log_line(const std::string& tag, double start, double seconds, double max_ns,
                               const histogram& h) {
  return fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", tag, start, seconds, max_ns / 1e6, encoded(h));
}

std::string histogram_log(const measurement& m) {
  const double began = static_cast<double>(m.began_at_epoch_ms) / 1e3;
  std::string log = histogram_log_head(
      fmt::format("#[BaseTime: {0:.3f} (seconds since epoch)]\n#[StartTime: {0:.3f} (seconds since epoch)]\n", began));
  const auto add = [&](const std::string& tag, const histogram& h) {
    log += histogram_log_line(tag, 0, static_cast<double>(m.wall_ns) / 1e9, static_cast<double>(h.max()), h);
  };
  add("service", m.service);
  if (m.response != nullptr) add("response", *m.response);
  for (std::size_t i = 0; i < cause_names.size(); ++i)
    if (m.stalls[i] != nullptr) add(std::string("stall-") + cause_names[i], *m.stalls[i]);
  return log;
}

}  // namespace bench
