// Types as the collector knows them: numbered once for the process, with what marking and sweeping need.
//
// The first ids belong to arrays: one for each size class whose elements hold pointers, and one for each whose elements
// do not. An array's header says what its elements are. All other ids are given to types at their first use. Each id
// has in each heap its own spans (space.h), so an object of a fixed-size type carries no header: its page says what it
// is.
//
// Invariants
//   [type.1] a layout never changes and is never freed; an id below `count()` has one.
// Concurrency
//   Registration takes a lock; reading needs none.
// Uses / used by
//   Uses object, metadata, size_class; the public layout.h. Used by space, mark, sweep, verify.
#pragma once

#include "object.h"

#include "alloc/size_class.h"

#include <umber/heap.h>

namespace umber::gc {

inline constexpr std::uint32_t first_type_id = 1 + span_class_count;
inline constexpr std::uint32_t most_types = 1 << 16;

struct type_layout {
  const detail::type_description* description = nullptr;
  std::uint32_t id = 0;
  std::uint32_t size = 0;   // of an object, bytes
  std::uint64_t mask = 0;   // the pointers among the first 48 words (object.h)
  bool all_in_mask = true;  // there are no others
  std::uint32_t pointer_count = 0;
  std::uint32_t* pointers = nullptr;  // where they are, in words, ascending
  void (*trace)(const void*, visitor&) = nullptr;
  void (*destroy)(void*) = nullptr;

  bool has_pointers() const { return pointer_count != 0 || trace != nullptr; }
};

// The id of an array whose slots are of class c.
constexpr std::uint32_t array_id(size_class c, bool noscan) {
  return 1 + (noscan ? span_class::noscan(c) : span_class::scan(c)).value;
}

// The first word of an array: its length in the lower 40 bits, then whether its elements begin after 16 bytes instead
// of 8, then the id of their type. (umber::array reads the length.)
struct array_header {
  std::uint64_t bits = 0;

  static constexpr std::size_t most = (std::size_t{1} << 40) - 1;
  static constexpr array_header make(std::size_t length, std::uint32_t element_id, std::size_t header_bytes) {
    return {length | std::uint64_t{header_bytes > 8} << 40 | std::uint64_t{element_id} << 41};
  }
  static array_header of(std::uintptr_t array) { return {*pointer_to<const std::uint64_t>(array)}; }
  constexpr std::size_t length() const { return bits & most; }
  constexpr std::uint32_t element_id() const { return static_cast<std::uint32_t>(bits >> 41); }
  constexpr std::size_t bytes() const { return (bits >> 40 & 1) != 0 ? 16 : 8; }
};

// The layout of a type, registered if need be; null: no memory, or too many types.
const type_layout* layout_for(detail::type_description& type);
const type_layout* layout_of(std::uint32_t id);
// A type described at run time: `count` offsets in bytes. Null: no memory, too many types, or an offset that is none.
type_layout* make_runtime_layout(const char* name, std::size_t size, const std::size_t* offsets, std::size_t count,
                                 void (*destroy)(void*));

}  // namespace umber::gc
