// One connection: dial, send the request, read until the answer is complete.
#include "client.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

char failure[256] = "";
static char buffer[READ_BYTES];

progress fail(const char *why, long detail) {
  snprintf(failure, sizeof failure, "%s (%ld)", why, detail);
  return FAILED;
}

static void watch(connection *c, int epoll, uint32_t events) {
  if (c->watched == events) return;
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(epoll, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event);
  c->watched = events;
}

bool connection_open(connection *c, const load_options *o, int epoll) {
  *c = (connection){.state = IDLE, .fd = socket(AF_INET, SOCK_STREAM, 0)};
  int on = 1;
  if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&o->address, sizeof o->address) < 0)
    return fail("cannot connect", errno) != FAILED;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watch(c, epoll, EPOLLIN);
  return true;
}

void exchange_begin(connection *c, double started_at) {
  c->state = SENDING;
  c->sent = c->head_length = c->received = 0;
  c->started_at = started_at;
}

progress exchange_advance(connection *c, const load_options *o, int epoll) {
  if (c->state == SENDING) {
    ssize_t sent = send(c->fd, o->request.bytes + c->sent, o->request.length - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return fail("the request could not be sent", errno);
    if (sent > 0) c->sent += sent;
    if (c->sent < o->request.length) return watch(c, epoll, EPOLLOUT), WANTS_MORE;
    watch(c, epoll, EPOLLIN);
    c->state = HEAD;
    return WANTS_MORE;
  }
  ssize_t length = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return WANTS_MORE;
  if (length < 0) return fail("the connection broke", errno);
  if (length == 0) return fail("the connection was closed after so many bytes of the body", c->received);
  if (c->state == IDLE) return fail("more bytes than the answer has", length);
  return answer_take(c, o, buffer, length);
}
