// Text under construction in a buffer that may be too small: what does not fit is counted, not written.
//
// Reports are written where nothing may be allocated, so the caller brings the memory, and learns how much it would
// have taken, as with snprintf.
//
// Invariants
//   [text.1] at most `capacity` bytes are written, and they end with a zero (when capacity is not 0).
// Concurrency
//   One thread.
// Uses / used by
//   Uses base. Used by report, and by gc's metrics and retrace.
#pragma once

#include "base.h"

namespace umber::alloc {

class text {
 public:
  text(char* buffer, std::size_t capacity) : buffer_(buffer), capacity_(capacity) {
    if (capacity_ != 0) buffer_[0] = '\0';
  }
  text& operator<<(char c) {
    if (length_ + 1 < capacity_) {
      buffer_[length_] = c;
      buffer_[length_ + 1] = '\0';
    }
    ++length_;
    return *this;
  }
  text& operator<<(const char* s) {
    while (*s != '\0') *this << *s++;
    return *this;
  }
  text& operator<<(std::size_t number) { return padded(number, 0); }
  // Right-aligned in `width` columns.
  text& padded(std::size_t number, std::size_t width) {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    for (std::size_t column = count; column < width; ++column) *this << ' ';
    while (count != 0) *this << digits[--count];
    return *this;
  }
  // Left-aligned in `width` columns.
  text& padded(const char* s, std::size_t width) {
    const std::size_t start = length_;
    *this << s;
    while (length_ < start + width) *this << ' ';
    return *this;
  }
  std::size_t length() const { return length_; }

 private:
  char* buffer_;
  std::size_t capacity_;
  std::size_t length_ = 0;
};

}  // namespace umber::alloc
