#include "kv_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>

namespace umber::tool {

kv_client::kv_client(unsigned port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = socket_ >= 0 && connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int yes = 1;
  if (connected_) setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

kv_client::~kv_client() {
  if (socket_ >= 0) close(socket_);
}

bool kv_client::send(std::string_view text) {
  while (connected_ && !text.empty()) {
    const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    connected_ = sent > 0;
    if (connected_) text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return connected_;
}

bool kv_client::send_line(std::string_view command) { return send(std::string(command) + "\r\n"); }

bool kv_client::receive() {
  std::array<char, 65536> buffer;
  const ssize_t count = connected_ ? read(socket_, buffer.data(), buffer.size()) : 0;
  if (count > 0) waiting_.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::string kv_client::line() {
  std::size_t end;
  while ((end = waiting_.find("\r\n")) == std::string::npos) {
    if (!receive()) return "";
  }
  std::string found = waiting_.substr(0, end);
  waiting_.erase(0, end + 2);
  return found;
}

std::optional<std::string> kv_client::take_bulk() {
  const std::size_t end = waiting_.find("\r\n");
  if (end == std::string::npos) return std::nullopt;
  const bool is_bulk = waiting_.starts_with('$') && !waiting_.starts_with("$-");
  const std::size_t size = is_bulk ? std::strtoull(waiting_.c_str() + 1, nullptr, 10) : 0;
  const std::size_t whole = end + 2 + (is_bulk ? size + 2 : 0);
  if (waiting_.size() < whole) return std::nullopt;
  std::string found = waiting_.substr(end + 2, size);
  waiting_.erase(0, whole);
  return found;
}

std::string kv_client::bulk() {
  for (;;) {
    if (auto found = take_bulk()) return *found;
    if (!receive()) return "";
  }
}

std::map<std::string, std::string> kv_client::info(const char* section) {
  std::map<std::string, std::string> fields;
  std::istringstream lines(ask_bulk(std::string("INFO ") + section));
  for (std::string each; std::getline(lines, each);) {
    if (each.ends_with('\r')) each.pop_back();
    const std::size_t colon = each.find(':');
    if (colon != std::string::npos) fields[each.substr(0, colon)] = each.substr(colon + 1);
  }
  return fields;
}

}  // namespace umber::tool
