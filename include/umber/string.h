// An immutable managed string: one object of 12 bytes and the text, which the collector never looks into.
//
//   umber::local<umber::string> name = umber::make_string("umber");
//   umber::local<umber::string> greeting = umber::concat("hello, ", name, "!");
//   if (*greeting == "hello, umber!") std::puts(greeting->c_str());
//
// The text is any bytes, zeroes too; `c_str` has a zero behind it. A string is a managed object like others: hold it by
// `local<string>` on the stack, and by `field<string>` in other objects. It compares by contents (`*a == *b`), as does
// a map that has `field<string>` as its keys (map.h). What a `view` sees lives as long as the string: not over a
// safepoint without a handle.
//
// Making one is O(its length) and a safepoint; the text to make it from may lie in a string that a handle holds. The
// hash is computed at its first use and kept. Any threads may read one string.
#pragma once

#include <umber/container.h>
#include <umber/hash.h>

#include <atomic>
#include <compare>
#include <cstring>
#include <string_view>

namespace umber {

class string {
 public:
  string(const string&) = delete;
  string& operator=(const string&) = delete;

  std::size_t size() const noexcept { return (header_ & ((std::size_t{1} << 40) - 1)) - beside_text; }
  bool empty() const noexcept { return size() == 0; }
  const char* c_str() const noexcept { return reinterpret_cast<const char*>(this) + text_offset; }
  const char* data() const noexcept { return c_str(); }
  std::string_view view() const noexcept { return {c_str(), size()}; }
  operator std::string_view() const noexcept { return view(); }
  char operator[](std::size_t i) const noexcept { return c_str()[i]; }
  const char* begin() const noexcept { return c_str(); }
  const char* end() const noexcept { return c_str() + size(); }

  // Of the contents; the same for the whole of a process, and another in the next.
  std::uint32_t hash() const noexcept {
    // relaxed, both: threads that race compute the same.
    if (const std::uint32_t known = hash_.load(std::memory_order_relaxed); known != 0) return known;
    const std::uint32_t found = hash_of(view());
    hash_.store(found, std::memory_order_relaxed);
    return found;
  }
  // The hash that a string of this text has.
  static std::uint32_t hash_of(std::string_view text) noexcept {
    const auto found = static_cast<std::uint32_t>(detail::hash_bytes(text.data(), text.size()) >> 32);
    return found == 0 ? 1 : found;
  }

  int compare(std::string_view other) const noexcept { return view().compare(other); }
  friend bool operator==(const string& a, const string& b) noexcept { return &a == &b || a.view() == b.view(); }
  friend bool operator==(const string& a, std::string_view b) noexcept { return a.view() == b; }
  friend std::strong_ordering operator<=>(const string& a, const string& b) noexcept { return a.view() <=> b.view(); }
  friend std::strong_ordering operator<=>(const string& a, std::string_view b) noexcept { return a.view() <=> b; }

  // A string of `size` bytes, all zero, and where to write them before anybody else sees it.
  static local<string> make(std::size_t size, char*& text) {
    void* memory = size > SIZE_MAX - beside_text ? nullptr
                                                 : detail::allocate_array(detail::description_of<char>(),
                                                                          size + beside_text, sizeof(std::uint64_t));
    if (memory == nullptr) detail::throw_bad_alloc();
    text = static_cast<char*>(memory) + text_offset;
    return local<string>(static_cast<string*>(memory));
  }

 private:
  static constexpr std::size_t beside_text = sizeof(std::uint32_t) + 1;  // the hash, and the zero
  static constexpr std::size_t text_offset = sizeof(std::uint64_t) + sizeof(std::uint32_t);

  // To the collector an array of char: the hash, the text, and a zero.
  std::uint64_t header_;
  mutable std::atomic<std::uint32_t> hash_;  // 0: not known yet

 public:
  static constexpr auto pointers = umber::pointers();
};

namespace detail {

// A text that stays while another string is made.
class kept_text {
 public:
  kept_text(const local<string>& s) noexcept : kept_text(s.get()) {}
  kept_text(const field<string>& s) noexcept : kept_text(s.get()) {}
  kept_text(string* s) noexcept : owner_(s), text_(s->view()) {}
  kept_text(std::string_view text) noexcept : text_(text) {}
  kept_text(const char* text) noexcept : text_(text) {}
  std::string_view text() const noexcept { return text_; }

 private:
  local<string> owner_;
  std::string_view text_;
};

}  // namespace detail

[[nodiscard]] inline local<string> make_string(std::string_view text) {
  char* to;
  local<string> made = string::make(text.size(), to);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return made;
}

// All parts in a row; each is a string's handle, or text that is no managed object's.
template <class... Parts>
[[nodiscard]] local<string> concat(const Parts&... parts) {
  const detail::kept_text kept[] = {parts...};
  std::size_t size = 0;
  for (const detail::kept_text& part : kept) size += part.text().size();
  char* to;
  local<string> made = string::make(size, to);
  for (const detail::kept_text& part : kept) {
    if (!part.text().empty()) std::memcpy(to, part.text().data(), part.text().size());
    to += part.text().size();
  }
  return made;
}

}  // namespace umber
