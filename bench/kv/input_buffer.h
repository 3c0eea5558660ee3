// What has arrived and was not consumed yet. It grows by doubling and is never filled with zeroes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace kv {

class input_buffer {
 public:
  static constexpr std::size_t usual = 64 << 10;

  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
  void consume(std::size_t n) noexcept {
    begin_ += n;
    if (!empty()) return;
    begin_ = end_ = 0;
    if (capacity_ > usual) {
      bytes_.reset();
      capacity_ = 0;
    }
  }

  // Where to read to: `room()` bytes, a quarter of the buffer or more.
  [[nodiscard]] char* free_bytes() {
    if (room() < std::max(capacity_ / 4, usual / 4)) make_room();
    return bytes_.get() + end_;
  }
  [[nodiscard]] std::size_t room() const noexcept { return capacity_ - end_; }
  void add(std::size_t n) noexcept { end_ += n; }

 private:
  void make_room() {
    const std::size_t size = end_ - begin_;
    const std::size_t wanted = std::max(usual, size > capacity_ / 2 ? 2 * capacity_ : capacity_);
    if (wanted == capacity_) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, size);
    } else {
      auto larger = std::make_unique_for_overwrite<char[]>(wanted);
      if (size > 0) std::memcpy(larger.get(), bytes_.get() + begin_, size);
      bytes_ = std::move(larger);
      capacity_ = wanted;
    }
    begin_ = 0;
    end_ = size;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace kv
