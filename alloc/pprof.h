// Bytes of a pprof profile: messages of Protocol Buffers, in a gzip file, from where nothing may be allocated.
//
// The parts of a profile may come in any order (github.com/google/pprof, proto/profile.proto), so it is written as it
// is walked, a small message at a time, each composed on the stack because its length stands before it. The blocks of
// the gzip file are stored, not compressed (RFC 1951, 3.2.4): a profile is some hundred kilobytes, and every reader
// takes them.
//
// Invariants
//   [pprof.1] after the first failure nothing more is written, and `failure` tells of it.
//   [pprof.2] a string has one number, and 0 is the empty one.
// Concurrency
//   One thread, or the owner's lock.
// Uses / used by
//   Uses base, check. Used by profile_file.
#pragma once

#include "base.h"
#include "check.h"

#include <cstring>

namespace umber::alloc::pprof {

// A message under construction.
class fields {
 public:
  fields& number(std::uint32_t field, std::uint64_t value) {
    if (value == 0) return *this;  // as if it were left out
    varint(std::uint64_t{field} << 3);
    return varint(value);
  }
  fields& message(std::uint32_t field, const fields& inner) { return bytes(field, inner.data(), inner.size()); }
  fields& bytes(std::uint32_t field, const void* data, std::size_t length) {
    header(field, length);
    UMBER_DCHECK(used_ + length <= sizeof bytes_);
    std::memcpy(bytes_ + used_, data, length);
    used_ += length;
    return *this;
  }
  // What stands before `length` bytes.
  fields& header(std::uint32_t field, std::size_t length) {
    varint(std::uint64_t{field} << 3 | 2);
    return varint(length);
  }
  // Without a field: for lists of numbers.
  fields& varint(std::uint64_t value) {
    UMBER_DCHECK(used_ + 10 <= sizeof bytes_);
    for (; value >= 128; value >>= 7) bytes_[used_++] = static_cast<unsigned char>(value | 128);
    bytes_[used_++] = static_cast<unsigned char>(value);
    return *this;
  }
  const unsigned char* data() const { return bytes_; }
  std::size_t size() const { return used_; }

 private:
  std::size_t used_ = 0;
  unsigned char bytes_[1536];
};

// A gzip file that is being written to a descriptor.
class gzip_file {
 public:
  explicit gzip_file(int file);
  void write(const void* data, std::size_t length);
  void message(std::uint32_t field, const fields& inner);
  // Adds a string to the table: the two texts, one after the other; its number.
  std::uint64_t string(const char* text, std::size_t length, const char* more = "");
  std::uint64_t string(const char* text) { return string(text, std::strlen(text)); }
  // The end. 0, or the errno of the first failure.
  int finish();

 private:
  void write_out(const void* data, std::size_t length);
  void write_block(bool is_last);

  int file_;
  int failure_ = 0;
  std::uint32_t checksum_ = 0;
  std::uint32_t length_ = 0;
  std::uint64_t strings_ = 0;
  std::size_t used_ = 0;
  unsigned char block_[32 * kib];
};

// Of gzip: continues that of what came before.
std::uint32_t crc32(std::uint32_t before, const void* data, std::size_t length);

}  // namespace umber::alloc::pprof
