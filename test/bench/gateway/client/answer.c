// What an answer must be: 200, a body of known length or in chunks, and the expected bytes.
#include "client.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *find_header(const char *head, const char *name) {
  for (const char *at = strstr(head, "\r\n"); at && at[2]; at = strstr(at + 2, "\r\n"))
    if (strncasecmp(at + 2, name, strlen(name)) == 0) return at + 2 + strlen(name);
  return NULL;
}

static progress take_head(connection *c, const load_options *o) {
  const char *length = find_header(c->head, "content-length:"), *coding = find_header(c->head, "transfer-encoding:");
  if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) return fail("the answer's status is", atol(c->head + 9));
  if (coding && !strncasecmp(coding + strspn(coding, " "), "chunked\r", 8)) c->framing = SIZE;
  else if (length && (size_t)atoll(length) == o->expected.length) c->framing = WHOLE;
  else return fail("the answer has another length", length ? atol(length) : -1);
  c->left = c->framing == WHOLE ? o->expected.length : 0;
  c->state = BODY;
  return WANTS_MORE;
}

static progress take_stamp(connection *c, const text *expected, char digit) {
  if (!isdigit((unsigned char)digit)) return fail("no time of sending at", c->received);
  c->stamp = c->stamp * 10 + (digit - '0');
  c->received++;
  if (c->received == expected->length || expected->bytes[c->received] != STAMP) {
    event_arrived(c->stamp);
    c->stamp = 0;
  }
  return WANTS_MORE;
}

static progress take_body(connection *c, const load_options *o, const char *bytes, size_t length) {
  const text *expected = &o->expected;
  if (c->received == 0 && length > 0) answer_began(c);
  if (length > expected->length - c->received) return fail("too many bytes", c->received + length);
  while (length > 0) {
    const char *wanted = expected->bytes + c->received, *stamp = memchr(wanted, STAMP, length);
    size_t same = stamp ? (size_t)(stamp - wanted) : length;
    if (memcmp(bytes, wanted, same) != 0) return fail("wrong bytes from", c->received);
    c->received += same, bytes += same, length -= same;
    if (length == 0) break;
    if (take_stamp(c, expected, *bytes) == FAILED) return FAILED;
    bytes++, length--;
  }
  return WANTS_MORE;
}

// RFC 9112 §7.1. Neither extensions nor trailers are expected.
static progress take_framing(connection *c, char byte) {
  switch (c->framing) {
    case SIZE:
      if (byte == '\r') return c->framing = SIZE_END, WANTS_MORE;
      if (!isxdigit((unsigned char)byte)) return fail("no size of a chunk but byte", byte);
      c->left = c->left * 16 + (isdigit((unsigned char)byte) ? byte - '0' : (byte | 32) - 'a' + 10);
      return WANTS_MORE;
    case SIZE_END: c->framing = c->left > 0 ? DATA : LAST_END; return WANTS_MORE;
    case DATA_END: if (byte == '\n') c->framing = SIZE; return WANTS_MORE;
    case LAST_END: return byte == '\n' ? EXCHANGE_DONE : WANTS_MORE;
    default: return fail("a wrong state of the framing", c->framing);
  }
}

static progress complete(connection *c, const load_options *o, size_t rest) {
  if (c->received != o->expected.length) return fail("too few bytes", c->received);
  if (rest > 0) return fail("bytes after the answer", rest);
  c->state = IDLE;
  return EXCHANGE_DONE;
}

progress answer_take(connection *c, const load_options *o, const char *bytes, size_t length) {
  if (c->state == HEAD) {
    size_t room = sizeof c->head - 1 - c->head_length, copied = length < room ? length : room;
    memcpy(c->head + c->head_length, bytes, copied);
    c->head[c->head_length + copied] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) return c->head_length += copied, copied < length ? fail("too long a head", sizeof c->head) : WANTS_MORE;
    size_t of_head = end + 4 - c->head - c->head_length;
    end[2] = 0;
    if (take_head(c, o) == FAILED) return FAILED;
    bytes += of_head, length -= of_head;
  }
  while (length > 0) {
    bool data = c->framing == WHOLE || c->framing == DATA;
    size_t taken = !data ? 1 : length < c->left ? length : c->left;
    progress went = data ? take_body(c, o, bytes, taken) : take_framing(c, *bytes);
    if (went == FAILED) return FAILED;
    bytes += taken, length -= taken;
    if (data && (c->left -= taken) == 0) {
      if (c->framing == WHOLE) return complete(c, o, length);
      c->framing = DATA_END;
    }
    if (went == EXCHANGE_DONE) return complete(c, o, length);
  }
  return WANTS_MORE;
}
