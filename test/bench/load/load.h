// The load client of the benchmarks: HTTP/1.1 over TLS 1.3 on many connections in one thread.
#pragma once
#include "figures.h"
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  struct sockaddr_in address;
  const char *name;      // SNI and Host
  const char *path;
  int64_t body_bytes;    // what an answer must have
  int connections;       // open at once
  int64_t exchanges;     // stop after so many, if > 0
  double seconds;        // stop after this time, if > 0
  bool keep_alive;       // one connection for all its exchanges; else one exchange a connection
  bool hold;             // after one exchange a connection stays open, until stdin ends
  bool stall;            // the same, but what it asked for is never read
  bool tokens;           // the body is tokens that say when they were sent; samples are how long they took
  double rate;           // exchanges a second over all connections, if > 0; samples begin when each was due
} load_options;

typedef enum { CONNECTING, HANDSHAKING, SENDING, RECEIVING, HELD, CLOSED } connection_state;

enum { TOKEN_BYTES = 64 };

typedef struct {
  connection_state state;
  int fd;
  SSL *ssl;
  uint32_t watched;      // epoll events
  char head[2048];       // of the answer
  size_t head_length;
  int64_t body_received; // -1 while the head is being read
  unsigned char token[TOKEN_BYTES];
  double started_at;
} connection;

typedef enum { WANTS_MORE, EXCHANGE_DONE, FAILED } progress;

// connection.c
extern const char *failure; // why the last connection failed
bool connection_open(connection *, const load_options *, SSL_CTX *, int epoll);
progress connection_advance(connection *, const load_options *, int epoll);
void connection_next_exchange(connection *);
void connection_close(connection *);

// main.c
void token_arrived(double sent_at);
