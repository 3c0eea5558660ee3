// `umber report`: puts what `umber bench --json` wrote into the page that tools/report makes, as one HTML file that
// needs nothing else.
#include <fcntl.h>
#include <string.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "atomic_file.h"
#include "command.h"
#include "places.h"
#include "report_shape.h"

namespace umber::tool {

namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

constexpr const char* data_mark = "{{umber-report-data}}";
// Far deeper than any document; a file of nothing but brackets must not exhaust the stack.
constexpr int deepest = 32;

struct report_options {
  std::vector<std::string> inputs;
  std::string output = "report.html";
};

std::string read_text(const fs::path& path) {
  std::error_code problem;
  if (fs::is_directory(path, problem)) throw failure(1, fmt::format("{}: is a directory", path.string()));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (!file.is_open() || file.bad())
    throw failure(1, fmt::format("cannot read {}: {}", path.string(), strerror(errno != 0 ? errno : EIO)));
  return text.str();
}

std::vector<fs::path> files_of(const report_options& options) {
  std::vector<fs::path> files;
  for (const fs::path input : options.inputs) {
    std::error_code problem;
    if (!fs::exists(input, problem)) throw failure(1, fmt::format("{}: no such file or directory", input.string()));
    if (!fs::is_directory(input)) {
      files.push_back(input);
      continue;
    }
    std::vector<fs::path> inside;
    for (const auto& entry : fs::directory_iterator(input, problem)) {
      if (entry.path().extension() == ".json") inside.push_back(entry.path());
    }
    if (problem) throw failure(1, fmt::format("cannot read {}: {}", input.string(), problem.message()));
    if (inside.empty())
      throw failure(1, fmt::format("{} holds no .json file; `umber bench gc --json {}` writes one", input.string(),
                                   (input / "gc.json").string()));
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

json read_document(const fs::path& path) {
  const std::string text = read_text(path);
  json document;
  try {
    document = json::parse(text, [&](int depth, json::parse_event_t, const json&) {
      if (depth > deepest) throw failure(1, fmt::format("{}: nested too deeply for a report", path.string()));
      return true;
    });
  } catch (const json::parse_error& error) {
    throw failure(1, fmt::format("{}: not JSON, or cut off, at byte {} of {}; let `umber bench` write it anew",
                                 path.string(), error.byte, text.size()));
  } catch (const json::exception&) {
    throw failure(1, fmt::format("{}: holds a number that is out of range", path.string()));
  }
  const std::string problem = shape_problem(document);
  if (!problem.empty()) throw failure(1, fmt::format("{}: {}", path.string(), problem));
  return document;
}

// As it may stand inside a script element: in JSON a `<` is only ever part of a string, and may be escaped there.
std::string embedded(const json& data) {
  const std::string text = data.dump();
  std::string safe;
  safe.reserve(text.size());
  for (const char each : text) {
    if (each == '<')
      safe += "\\u003c";
    else
      safe += each;
  }
  return safe;
}

std::string page_with(const json& data) {
  const auto path = find_report_page();
  if (!path)
    throw failure(1, "the report's page was not built; install nodejs (18 or later) and npm, then build umber again");
  std::string page = read_text(*path);
  if (page.empty())
    throw failure(1, fmt::format("{} is empty, for npm could not fetch its packages; remove it and build umber again",
                                 path->string()));
  const std::size_t at = page.find(data_mark);
  if (at == std::string::npos) throw failure(1, fmt::format("{}: has no place for the data", path->string()));
  return page.replace(at, std::string_view(data_mark).size(), embedded(data));
}

int write_report(const report_options& options) {
  const std::vector<fs::path> files = files_of(options);
  for (const fs::path& each : files) {
    std::error_code ignored;
    if (fs::equivalent(each, options.output, ignored))
      throw failure(2, fmt::format("-o {} would replace what is to be read", options.output));
  }
  check_writable(options.output);
  json data = {{"files", json::array()}};
  for (const fs::path& each : files) {
    data["files"].push_back({{"file", each.filename().string()}, {"document", read_document(each)}});
  }
  write_atomically(options.output, page_with(data));
  fmt::print("{}\n", options.output);
  return 0;
}

}  // namespace

void add_report(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<report_options>();
  CLI::App* command =
      program.add_subcommand("report", "Make one HTML page of what `umber bench gc` and `umber bench malloc` wrote");
  command->add_option("inputs", options->inputs, "Files of `umber bench --json`, or directories of them")
      ->required()
      ->type_name("DIR|FILE.json");
  command->add_option("-o,--output", options->output, "The page to write")
      ->capture_default_str()
      ->type_name("FILE.html");
  command->callback([options, &chosen] { chosen = [options] { return write_report(*options); }; });
}

}  // namespace umber::tool
