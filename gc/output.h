// Text on its way to a file, from where nothing may be allocated and stdio must not be used.
//
// It is composed in a buffer of the owner's and written when that is full, by write(2). What stood in the file before,
// and when a file is whole, is the owner's to decide.
//
// Invariants
//   [output.1] after the first failure nothing more is written, and `failure` tells of it.
// Concurrency
//   One thread, or the owner's lock.
// Uses / used by
//   Uses base. Used by timeline, snapshot_file.
#pragma once

#include "alloc/base.h"

#include <cstring>

namespace umber::gc {

using namespace alloc;

class output {
 public:
  // Nothing is opened: `file` is a descriptor.
  output(int file, char* buffer, std::size_t capacity) : file_(file), buffer_(buffer), capacity_(capacity) {}

  output& operator<<(char c) {
    if (UMBER_UNLIKELY(used_ == capacity_)) flush();
    buffer_[used_++] = c;
    return *this;
  }
  output& operator<<(const char* s) { return write(s, std::strlen(s)); }
  output& operator<<(std::uint64_t number) {
    char digits[20];
    std::size_t first = sizeof digits;
    do {
      digits[--first] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    return write(digits + first, sizeof digits - first);
  }
  output& write(const char* s, std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) *this << s[i];
    return *this;
  }
  // As a JSON string without its quotes. What is no plain ASCII, and would need to be looked at whole, is shown as '?'.
  output& quoted(const char* s, std::size_t length);
  // Writes what has been gathered. What fails is dropped.
  void flush();
  std::size_t room() const { return capacity_ - used_; }
  // The errno of the first failure; 0: there was none.
  int failure() const { return failure_; }
  // Bytes that were written.
  std::uint64_t written() const { return written_; }

 private:
  int file_;
  int failure_ = 0;
  char* buffer_;
  std::size_t capacity_;
  std::size_t used_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace umber::gc
