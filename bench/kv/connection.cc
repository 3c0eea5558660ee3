// The socket never blocks: what cannot be read or sent now is when the loop says so.
#include "connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "server.h"

namespace kv {

connection::connection(int descriptor, server& host, int thread) : descriptor_(descriptor), host_(host) {
  client_.id = host.next_client();
  client_.thread = thread;
  client_.is_known = host.options().password.empty();
}

connection::~connection() { close(descriptor_); }

// False: the other side is gone.
bool connection::receive() {
  char* const to = own_.in.free_bytes();
  const ssize_t count = recv(descriptor_, to, own_.in.room(), 0);
  has_received_ = count > 0;
  if (has_received_) own_.in.add(static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR));
}

bool connection::send() {
  while (!own_.out.pending().empty()) {
    const std::string_view rest = own_.out.pending();
    const ssize_t count = ::send(descriptor_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    own_.out.drop(static_cast<std::size_t>(count));
  }
  return true;
}

void connection::carry_out_one() {
  call c{parser_.words(), own_.out, host_.keys(), client_, host_, now_};
  dispatch(c);
  umber::safepoint();
}

// The whole requests that have arrived, as long as there is room for replies.
connection::progress_made connection::carry_out(counters& counted) {
  while (!client_.is_leaving && own_.out.pending().size() <= most_pending) {
    const parsed found = parser_.next(own_.in.view(), client_.is_known);
    if (found == parsed::request && !parser_.words().empty()) {
      carry_out_one();
      counters::add(counted.commands);
    } else if (found == parsed::malformed) {
      own_.out.error("ERR " + parser_.problem());
      counters::add(counted.protocol_errors);
    } else if (found == parsed::foreign) {
      return progress_made::foreign;
    }
    own_.in.consume(parser_.consumed());
    if (found == parsed::incomplete) return progress_made::all;
  }
  return progress_made::some;
}

bool connection::exchange(counters& counted) {
  now_ = now_ms();
  const bool was_stuck = is_stuck();
  if (was_stuck && !send()) return false;
  if (is_stuck()) return true;
  if (client_.is_leaving || (!was_stuck && !receive())) return false;
  for (;;) {
    const progress_made how = carry_out(counted);
    if (how == progress_made::foreign || !send()) return false;
    if (client_.is_leaving) return is_stuck();
    if (is_stuck() || how == progress_made::all) return own_.in.view().size() < most_arrived;
  }
}

bool connection::progress(buffers& spare, counters& counted) {
  const bool lends_in = own_.in.empty(), lends_out = own_.out.pending().empty();
  if (lends_in) std::swap(own_.in, spare.in);
  if (lends_out) std::swap(own_.out, spare.out);
  const bool stays = exchange(counted);
  if (lends_in && own_.in.empty()) std::swap(own_.in, spare.in);
  if (lends_out && own_.out.pending().empty()) std::swap(own_.out, spare.out);
  return stays;
}

void connection::finish(buffers& spare, counters& counted) {
  constexpr int patience = 50, step = 100;  // milliseconds of one wait, and how many of them may be in vain
  for (int in_vain = 0; in_vain < patience;) {
    const bool was_stuck = is_stuck();
    if (!progress(spare, counted) || (!was_stuck && !is_stuck() && !has_received_)) break;
    pollfd ready = {descriptor_, POLLOUT, 0};
    if (is_stuck() && poll(&ready, 1, step) == 0) ++in_vain;
  }
  // What has arrived and is not read would have the kernel throw away what was just sent.
  shutdown(descriptor_, SHUT_WR);
  char ignored[4096];
  while (recv(descriptor_, ignored, sizeof ignored, 0) > 0) continue;
}

}  // namespace kv
