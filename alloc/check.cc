#include "check.h"

#include <unistd.h>
#include <cstdlib>

namespace umber::alloc {

message& message::operator<<(const char* text) {
  while (*text != '\0' && length_ < sizeof text_ - 1) text_[length_++] = *text++;
  return *this;
}

message& message::operator<<(const void* address) {
  char digits[2 + 16 + 1] = "0x";
  std::size_t end = 2;
  std::uintptr_t value = address_of(address);
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) digits[end++] = "0123456789abcdef"[(value >> shift) & 15];
  digits[end] = '\0';
  return *this << digits;
}

message& message::operator<<(std::size_t number) {
  char digits[21];
  std::size_t start = sizeof digits;
  digits[--start] = '\0';
  do {
    digits[--start] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  return *this << &digits[start];
}

void message::print() {
  text_[length_++] = '\n';
  const char* rest = text_;
  while (length_ > 0) {
    const ssize_t written = write(STDERR_FILENO, rest, length_);
    if (written <= 0) break;
    rest += written;
    length_ -= static_cast<std::size_t>(written);
  }
  length_ = 0;
}

void die(message& line) {
  line.print();
  std::abort();
}

void die_misuse(const char* call, const char* what) {
  message line;
  line << "umber: " << call << "(): " << what;
  die(line);
}

void die_misuse(const char* call, const void* p, const char* what, std::size_t object_size) {
  message line;
  line << "umber: " << call << "(): " << p << " " << what;
  if (object_size != 0) line << " (" << object_size << "-byte object)";
  die(line);
}

void die_broken(const char* condition, const char* file, int line_number) {
  message line;
  line << "umber: broken invariant: " << condition << " at " << file << ":" << static_cast<std::size_t>(line_number)
       << "; please report it";
  die(line);
}

}  // namespace umber::alloc
