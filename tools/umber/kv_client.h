// A plain client of a server that speaks redis' protocol, on this machine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace umber::tool {

class kv_client {
 public:
  // Whether anybody listens there shows when something is asked.
  explicit kv_client(unsigned port);
  ~kv_client();
  kv_client(const kv_client&) = delete;
  kv_client& operator=(const kv_client&) = delete;

  // False, from here on: the server is gone.
  bool send(std::string_view text);
  // The next line, without its end; empty when there is no more.
  [[nodiscard]] std::string line();
  // The next reply, a bulk string: what it holds; empty when it is none.
  [[nodiscard]] std::string bulk();
  // The same as far as it has arrived: nothing, while it has not whole.
  [[nodiscard]] std::optional<std::string> take_bulk();
  // Waits for more to arrive. False: there will be no more.
  bool receive();
  // For who waits for several things.
  [[nodiscard]] int descriptor() const { return socket_; }
  // A command as one types it, and the first line of its reply.
  std::string ask(std::string_view command) { return send_line(command) ? line() : ""; }
  // The same of a command that replies a bulk string.
  std::string ask_bulk(std::string_view command) { return send_line(command) ? bulk() : ""; }
  // A section of what the server says of itself.
  std::map<std::string, std::string> info(const char* section);

 private:
  bool send_line(std::string_view command);

  int socket_;
  bool connected_ = false;
  std::string waiting_;
};

}  // namespace umber::tool
