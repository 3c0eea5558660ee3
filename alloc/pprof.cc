#include "pprof.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace umber::alloc::pprof {

namespace {

constexpr std::uint32_t string_table = 6;

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1) != 0 ? 0xedb88320u : 0);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> crc_table = make_crc_table();

void put_little_endian(unsigned char* into, std::uint32_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) into[i] = static_cast<unsigned char>(value >> (8 * i));
}

}  // namespace

std::uint32_t crc32(std::uint32_t before, const void* data, std::size_t length) {
  std::uint32_t value = ~before;
  const auto* byte = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < length; ++i) value = value >> 8 ^ crc_table[(value ^ byte[i]) & 255];
  return ~value;
}

gzip_file::gzip_file(int file) : file_(file) {
  constexpr unsigned char header[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  write_out(header, sizeof header);
  string("");  // [pprof.2]
}

void gzip_file::write_out(const void* data, std::size_t length) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (length > 0 && failure_ == 0) {
    const ssize_t count = ::write(file_, from, length);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      failure_ = count == 0 ? ENOSPC : errno;
      return;
    }
    from += count;
    length -= static_cast<std::size_t>(count);
  }
}

void gzip_file::write_block(bool is_last) {
  const auto length = static_cast<std::uint32_t>(used_);
  unsigned char header[5] = {is_last};
  put_little_endian(header + 1, length, 2);
  put_little_endian(header + 3, ~length, 2);
  write_out(header, sizeof header);
  write_out(block_, used_);
  checksum_ = crc32(checksum_, block_, used_);
  length_ += length;
  used_ = 0;
}

void gzip_file::write(const void* data, std::size_t length) {
  const auto* from = static_cast<const unsigned char*>(data);
  while (length > 0) {
    if (used_ == sizeof block_) write_block(false);
    const std::size_t fits = length < sizeof block_ - used_ ? length : sizeof block_ - used_;
    std::memcpy(block_ + used_, from, fits);
    used_ += fits;
    from += fits;
    length -= fits;
  }
}

void gzip_file::message(std::uint32_t field, const fields& inner) {
  fields header;
  header.header(field, inner.size());
  write(header.data(), header.size());
  write(inner.data(), inner.size());
}

std::uint64_t gzip_file::string(const char* text, std::size_t length, const char* more) {
  const std::size_t more_length = std::strlen(more);
  fields header;
  header.header(string_table, length + more_length);
  write(header.data(), header.size());
  write(text, length);
  write(more, more_length);
  return strings_++;
}

int gzip_file::finish() {
  write_block(true);
  unsigned char trailer[8];
  put_little_endian(trailer, checksum_, 4);
  put_little_endian(trailer + 4, length_, 4);
  write_out(trailer, sizeof trailer);
  return failure_;
}

}  // namespace umber::alloc::pprof
