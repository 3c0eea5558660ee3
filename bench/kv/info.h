// What INFO says of the server, and MEMORY USAGE of a key.
#pragma once

#include "keyspace.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace kv {

class server;

// Clients ask for the version to know what they may use.
inline constexpr std::string_view redis_version = "7.0.0";

// The sections that are named; all of them if none is. Locks the shards, one after the other.
[[nodiscard]] std::string info_text(server& of, std::span<const std::string_view> sections);

// An estimate: objects with what they point to, without what their size is rounded up by.
[[nodiscard]] std::size_t bytes_of(const entry& e);

}  // namespace kv
