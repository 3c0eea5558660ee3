// A profile of allocations as a test sees it: unpacked by zlib, decoded by what is known of profile.proto, and not by
// the code that wrote it.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace umber::testing {

// A message of Protocol Buffers: what each field holds, in order. Throws on what is none.
class proto_message {
 public:
  struct value {
    std::uint64_t number = 0;
    std::string_view bytes;
  };

  explicit proto_message(std::string_view from) {
    while (!from.empty()) {
      const std::uint64_t key = varint(from);
      value v;
      if ((key & 7) == 0) {
        v.number = varint(from);
      } else if ((key & 7) == 2) {
        const std::uint64_t length = varint(from);
        if (length > from.size()) throw std::runtime_error("a field is longer than its message");
        v.bytes = from.substr(0, length);
        from.remove_prefix(length);
      } else {
        throw std::runtime_error("a wire type that the format does not use");
      }
      fields_[key >> 3].push_back(v);
    }
  }
  const std::vector<value>& all(std::uint64_t field) const {
    static const std::vector<value> none;
    const auto found = fields_.find(field);
    return found == fields_.end() ? none : found->second;
  }
  std::uint64_t number(std::uint64_t field) const { return all(field).empty() ? 0 : all(field).back().number; }

  static std::uint64_t varint(std::string_view& from) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (from.empty() || shift > 63) throw std::runtime_error("a number has no end");
      const auto byte = static_cast<unsigned char>(from.front());
      from.remove_prefix(1);
      value |= std::uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
  }
  static std::vector<std::uint64_t> numbers(std::string_view packed) {
    std::vector<std::uint64_t> all;
    while (!packed.empty()) all.push_back(varint(packed));
    return all;
  }

 private:
  std::map<std::uint64_t, std::vector<value>> fields_;
};

inline std::string unzipped(const std::string& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path);
  if (gzdirect(file) != 0) throw std::runtime_error("not in gzip's format: " + path);
  std::string all;
  char part[4096];
  int got = 0;
  while ((got = gzread(file, part, sizeof part)) > 0) all.append(part, static_cast<std::size_t>(got));
  const int closed = gzclose(file);
  if (got < 0 || closed != Z_OK) throw std::runtime_error("gzip finds it broken: " + path);
  return all;
}

struct profile_values {
  std::uint64_t alloc_objects = 0, alloc_space = 0, inuse_objects = 0, inuse_space = 0;
};

struct profile_sample {
  std::vector<std::string> functions;  // innermost first; "" if unknown
  profile_values values;
  std::map<std::string, std::string> labels;
  std::uint64_t bytes = 0;  // the label

  bool has_function(std::string_view part) const {
    for (const std::string& f : functions)
      if (f.find(part) != std::string::npos) return true;
    return false;
  }
};

struct profile_file {
  std::vector<std::string> strings, comments, value_types;
  std::map<std::uint64_t, std::string> functions;
  std::map<std::uint64_t, proto_message> locations;
  std::vector<std::string> mapped_files;
  std::vector<profile_sample> samples;
  std::uint64_t period = 0;

  explicit profile_file(const std::string& path) {
    const std::string all = unzipped(path);
    const proto_message top(all);
    for (const auto& s : top.all(6)) strings.emplace_back(s.bytes);
    if (strings.at(0) != "") throw std::runtime_error("string 0 is not empty");
    for (const auto& v : top.all(1)) {
      const proto_message type(v.bytes);
      value_types.push_back(strings.at(type.number(1)) + '/' + strings.at(type.number(2)));
    }
    for (const auto& v : top.all(13)) comments.push_back(strings.at(v.number));
    period = top.number(12);
    for (const auto& v : top.all(3)) mapped_files.push_back(strings.at(proto_message(v.bytes).number(5)));
    for (const auto& v : top.all(5)) {
      const proto_message f(v.bytes);
      functions[f.number(1)] = strings.at(f.number(2));
    }
    for (const auto& v : top.all(4)) {
      const proto_message l(v.bytes);
      if (!locations.emplace(l.number(1), l).second) throw std::runtime_error("a location is there twice");
      if (l.number(2) > mapped_files.size()) throw std::runtime_error("a location in no mapping");
    }
    for (const auto& v : top.all(2)) add_sample(proto_message(v.bytes));
  }

  profile_values of(std::string_view function) const {
    profile_values sum;
    for (const profile_sample& s : samples) {
      if (!s.has_function(function)) continue;
      sum.alloc_objects += s.values.alloc_objects;
      sum.alloc_space += s.values.alloc_space;
      sum.inuse_objects += s.values.inuse_objects;
      sum.inuse_space += s.values.inuse_space;
    }
    return sum;
  }

 private:
  void add_sample(const proto_message& from) {
    profile_sample s;
    for (const std::uint64_t id : proto_message::numbers(from.all(1).at(0).bytes)) {
      const auto& line = locations.at(id).all(4);
      s.functions.push_back(line.empty() ? "" : functions.at(proto_message(line.at(0).bytes).number(1)));
    }
    const std::vector<std::uint64_t> v = proto_message::numbers(from.all(2).at(0).bytes);
    s.values = {v.at(0), v.at(1), v.at(2), v.at(3)};
    for (const auto& l : from.all(3)) {
      const proto_message label(l.bytes);
      if (label.number(2) != 0) s.labels[strings.at(label.number(1))] = strings.at(label.number(2));
      if (strings.at(label.number(1)) == "bytes") s.bytes = label.number(3);
    }
    samples.push_back(std::move(s));
  }
};

// A folder for files, which is removed with all that is in it.
class scratch_folder {
 public:
  scratch_folder() { REQUIRE(mkdtemp(name_.data()) != nullptr); }
  ~scratch_folder() { std::filesystem::remove_all(name_); }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  std::string operator/(const char* file) const { return name_ + '/' + file; }
  std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(name_)) all.push_back(entry.path().filename());
    return all;
  }

 private:
  std::string name_ = std::filesystem::temp_directory_path() / "umber-profile-XXXXXX";
};

}  // namespace umber::testing
