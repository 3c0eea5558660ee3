// One heap, one list of its free blocks. Every block has a tag that tells its own size and that of the block before
// it, so that a freed block is merged with free neighbours at once. What differs is the search.
#pragma once

#include <cstddef>
#include <mutex>

namespace evolution {

// first: the first that is large enough, from the block freed last. next: the same, but the search goes on where the
// one before it ended. best: the smallest that is large enough, of all.
enum class search { first, next, best };

class fit_list {
 public:
  explicit fit_list(search how) : how_(how) {}

  [[nodiscard]] void* allocate(std::size_t size);
  void deallocate(void* block);

 private:
  // Sizes include the tag and are multiples of 16.
  struct tag {
    std::size_t size;
    std::size_t size_before;
    std::size_t free;
    std::size_t unused;
  };
  // A free block keeps the list in its payload.
  struct free_block : tag {
    free_block* next;
    free_block* previous;
  };

  static tag* after(tag* block);
  static tag* before(tag* block);
  [[nodiscard]] free_block* find(std::size_t size);
  [[nodiscard]] free_block* smallest(std::size_t size);
  [[nodiscard]] tag* grow(std::size_t size);
  void link(tag* block);
  void unlink(tag* block);
  // Gives the tail of a block that is larger than needed back to the list.
  void split(tag* block, std::size_t size);

  search how_;
  std::mutex mutex_;
  char* begin_ = nullptr;
  // The tag above the last block: never free.
  tag* end_ = nullptr;
  free_block* first_ = nullptr;
  free_block* rover_ = nullptr;
};

}  // namespace evolution
