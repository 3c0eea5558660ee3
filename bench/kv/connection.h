// One client: reads what it sends, has its requests carried out, and sends the replies, many requests at a time.
//
// A read takes what there is, up to the buffer; all whole requests in it are carried out; one write sends what they
// reply. So a pipeline of requests costs two system calls. A client that does not read its replies is not read from
// until it has.
//
// Only a client in the middle of a request or a reply needs memory of its own: it is lent the buffers of its loop, and
// keeps them if something is left in them.
#pragma once

#include "command.h"
#include "input_buffer.h"
#include "reply.h"
#include "resp.h"

#include <cstdint>

namespace kv {

struct buffers {
  input_buffer in;
  reply out;
};

struct counters;

class connection {
 public:
  connection(int descriptor, server& host, int thread);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // The socket is ready for something. False: the connection is to be closed.
  [[nodiscard]] bool progress(buffers& spare, counters& counted);
  // Whether there are replies that the client has to read first.
  [[nodiscard]] bool is_stuck() const noexcept { return !own_.out.pending().empty(); }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  // The last: carries out what has arrived and sends the replies, unless the client does not take them for long.
  void finish(buffers& spare, counters& counted);

 private:
  static constexpr std::size_t most_pending = 1 << 20;    // bytes of replies, before the next request is carried out
  static constexpr std::size_t most_arrived = 1UL << 30;  // bytes of one request

  enum class progress_made : std::uint8_t { all, some, foreign };

  bool exchange(counters& counted);
  bool receive();
  bool send();
  progress_made carry_out(counters& counted);
  void carry_out_one();

  const int descriptor_;
  server& host_;
  session client_;
  request_parser parser_;
  buffers own_;
  std::int64_t now_ = 0;
  bool has_received_ = false;  // something, when it last looked
};

}  // namespace kv
