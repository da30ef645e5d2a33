// The load client of the gateway's benchmarks: one prepared call of the API over plain HTTP/1.1, on many connections in
// one thread, and every byte of every answer compared with what is expected.
#pragma once
#include "../../load/figures.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  char *bytes;
  size_t length;
} text;

typedef struct {
  struct sockaddr_in address;
  text request;   // with its head
  text expected;  // the body of each answer; see STAMP
  int connections; // open at once
  int64_t exchanges; // stop after so many, if > 0
  double seconds;    // stop after this time, if > 0
  double rate;       // exchanges a second over all connections, if > 0; samples begin when each was due
} load_options;

// In what is expected, a run of these is a number of as many digits: when the event was sent, in ns of CLOCK_MONOTONIC.
enum { STAMP = 1 };

typedef enum { IDLE, SENDING, HEAD, BODY } exchange_state;
typedef enum { WHOLE, SIZE, SIZE_END, DATA, DATA_END, LAST_END } framing;

typedef struct {
  exchange_state state;
  int fd;
  uint32_t watched; // epoll events
  size_t sent;
  char head[8192];
  size_t head_length;
  framing framing;
  uint64_t left;   // of this chunk, or of the whole
  size_t received; // of the body, without its framing
  uint64_t stamp;
  double started_at;
} connection;

typedef enum { WANTS_MORE, EXCHANGE_DONE, FAILED } progress;

// exchange.c
extern char failure[256]; // why the last exchange failed
bool connection_open(connection *, const load_options *, int epoll);
void exchange_begin(connection *, double started_at);
progress exchange_advance(connection *, const load_options *, int epoll);
progress fail(const char *why, long detail);

// answer.c
progress answer_take(connection *, const load_options *, const char *bytes, size_t length);

// main.c
void answer_began(const connection *);
void event_arrived(uint64_t sent_at_ns);
