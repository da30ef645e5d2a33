// One connection: dial, full TLS handshake, request, and an answer whose every byte is counted.
#include "load.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024, READS_PER_TURN = 8, PATTERN_BYTES = 1 << 20 };

const char *failure = "";
static unsigned char buffer[READ_BYTES];

// The byte at an offset of the body; support/backend.ts fills its answers with the same.
static unsigned char pattern(int64_t offset) {
  uint32_t at = offset % PATTERN_BYTES;
  return (at * 31 + (at >> 8) * 7) & 0xff;
}

static progress fail(const char *why) {
  failure = why;
  return FAILED;
}

static void watch(connection *c, int epoll, uint32_t events) {
  if (c->watched == events) return;
  struct epoll_event event = {.events = events, .data.ptr = c};
  epoll_ctl(epoll, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &event);
  c->watched = events;
}

static progress wait_for(connection *c, int epoll, int result) {
  switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_WANT_READ: watch(c, epoll, EPOLLIN); return WANTS_MORE;
    case SSL_ERROR_WANT_WRITE: watch(c, epoll, EPOLLOUT); return WANTS_MORE;
    default: return fail(c->state == HANDSHAKING ? "handshake failed" : "connection broke");
  }
}

bool connection_open(connection *c, const load_options *o, SSL_CTX *context, int epoll) {
  memset(c, 0, sizeof *c);
  c->state = CONNECTING;
  c->body_received = -1;
  c->started_at = now_seconds();
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) return fail("no socket") != FAILED;
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(c->fd, (const struct sockaddr *)&o->address, sizeof o->address) < 0 && errno != EINPROGRESS)
    return fail("connect failed") != FAILED;
  c->ssl = SSL_new(context);
  SSL_set_fd(c->ssl, c->fd);
  SSL_set_tlsext_host_name(c->ssl, o->name);
  SSL_set_connect_state(c->ssl);
  watch(c, epoll, EPOLLOUT);
  return true;
}

void connection_close(connection *c) {
  if (c->ssl) SSL_free(c->ssl);
  if (c->fd >= 0) close(c->fd);
  c->ssl = NULL;
  c->fd = -1;
  c->state = CLOSED;
}

void connection_next_exchange(connection *c) {
  c->state = SENDING;
  c->head_length = 0;
  c->body_received = -1;
  c->started_at = now_seconds();
}

// A token begins with the monotonic time at which it was sent, in nanoseconds.
static progress take_tokens(connection *c, const load_options *o, const unsigned char *bytes, int64_t length) {
  for (int64_t i = 0; i < length; i++) {
    c->token[c->body_received++ % TOKEN_BYTES] = bytes[i];
    if (c->body_received % TOKEN_BYTES > 0) continue;
    uint64_t sent_at;
    memcpy(&sent_at, c->token, sizeof sent_at);
    token_arrived(sent_at / 1e9);
  }
  if (c->body_received > o->body_bytes) return fail("too many bytes");
  return c->body_received == o->body_bytes ? EXCHANGE_DONE : WANTS_MORE;
}

static progress take_body(connection *c, const load_options *o, const unsigned char *bytes, int64_t length) {
  if (o->tokens) return take_tokens(c, o, bytes, length);
  if (length > 0 && (bytes[0] != pattern(c->body_received) || bytes[length - 1] != pattern(c->body_received + length - 1)))
    return fail("wrong bytes");
  c->body_received += length;
  if (c->body_received > o->body_bytes) return fail("too many bytes");
  return c->body_received == o->body_bytes ? EXCHANGE_DONE : WANTS_MORE;
}

static progress take(connection *c, const load_options *o, const unsigned char *bytes, size_t length) {
  if (c->body_received >= 0) return take_body(c, o, bytes, length);
  size_t room = sizeof c->head - 1 - c->head_length, copied = length < room ? length : room;
  memcpy(c->head + c->head_length, bytes, copied);
  c->head[c->head_length + copied] = 0;
  char *end = strstr(c->head, "\r\n\r\n"), *size = strcasestr(c->head, "content-length:");
  if (!end) {
    c->head_length += copied;
    return copied < length ? fail("answer has too long a head") : WANTS_MORE;
  }
  if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) return fail("answer is not 200");
  if (!size || atoll(size + 15) != o->body_bytes) return fail("answer has another length");
  size_t of_head = end + 4 - c->head - c->head_length;
  c->body_received = 0;
  return take_body(c, o, bytes + of_head, length - of_head);
}

progress connection_advance(connection *c, const load_options *o, int epoll) {
  if (c->state == CONNECTING) c->state = HANDSHAKING; // a refused connection fails in the handshake
  if (c->state == HANDSHAKING) {
    int done = SSL_do_handshake(c->ssl);
    if (done != 1) return wait_for(c, epoll, done);
    if (SSL_session_reused(c->ssl)) return fail("session was resumed");
    c->state = SENDING;
  }
  if (c->state == SENDING) {
    char request[512];
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", o->path, o->name);
    int written = SSL_write(c->ssl, request, length);
    if (written != length) return wait_for(c, epoll, written);
    c->state = RECEIVING;
    if (o->stall) return watch(c, epoll, 0), EXCHANGE_DONE;
  }
  if (c->state == HELD && o->stall) return fail("a stalled connection was closed");
  if (c->state == HELD) {
    int length = SSL_read(c->ssl, buffer, sizeof buffer); // session tickets may come after the answer
    if (length > 0) return fail("a held connection spoke");
    progress went = wait_for(c, epoll, length);
    return went == FAILED ? fail("a held connection was closed") : went;
  }
  for (int i = 0; i < READS_PER_TURN; i++) {
    int length = SSL_read(c->ssl, buffer, sizeof buffer);
    if (length <= 0) return wait_for(c, epoll, length);
    progress taken = take(c, o, buffer, length);
    if (taken != WANTS_MORE) return taken;
  }
  watch(c, epoll, EPOLLIN);
  // OpenSSL may hold bytes that epoll knows nothing about: come again at once.
  return SSL_has_pending(c->ssl) ? connection_advance(c, o, epoll) : WANTS_MORE;
}
