// load PORT NAME PATH BODY_BYTES CONNECTIONS EXCHANGES SECONDS keep|new|hold|stall|tokens|paced
// Prints one line of JSON. `hold` and `stall` print it when all connections stand, and end when stdin does. With `paced`
// EXCHANGES are those in a second.
#include "load.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_EVENTS = 256, TURN_MS = 100, OPENING_AT_ONCE = 64 };
enum { MANY = 32, SMALL_BUFFER = 17 * 1024, LARGE_BUFFER = 256 * 1024 };
static const double stall_seconds = 20; // without an exchange or a byte, the run has failed

typedef struct {
  int64_t exchanges, errors;
  double last_progress;
  samples latencies;
  int opened, held;
  connection **idle; // while paced, those without an exchange
  int idles;
  double next_due; // when the next exchange begins; 0 until all connections stand
} totals;

static totals t;

void token_arrived(double sent_at) {
  t.last_progress = now_seconds();
  samples_add(&t.latencies, sent_at);
}

static void report(const load_options *o, double seconds) {
  samples_sort(&t.latencies);
  printf("{\"exchanges\":%lld,\"bytes\":%lld,\"errors\":%lld,\"failure\":\"%s\",\"seconds\":%.6f,\"cpuSeconds\":%.3f,"
         "\"p50Ms\":%.3f,\"p99Ms\":%.3f}\n",
         (long long)t.exchanges, (long long)(t.exchanges * o->body_bytes), (long long)t.errors, failure, seconds,
         cpu_seconds(), samples_percentile(&t.latencies, 0.5), samples_percentile(&t.latencies, 0.99));
  fflush(stdout);
}

// What a connection does after an exchange or a failure, and what came of it.
static progress go_on(connection *c, progress went, connection *all, const load_options *o, SSL_CTX *context,
                      int epoll) {
  if (went == FAILED) t.errors++;
  else {
    t.exchanges++;
    t.last_progress = now_seconds();
    if (!o->tokens) samples_add(&t.latencies, c->started_at);
  }
  if (went == EXCHANGE_DONE && o->hold) {
    c->state = HELD;
    t.held++;
    if (t.opened == o->connections) return WANTS_MORE;
    return connection_open(&all[t.opened++], o, context, epoll) ? WANTS_MORE : FAILED;
  }
  if (went == EXCHANGE_DONE && o->rate > 0) {
    c->state = HELD;
    t.idle[t.idles++] = c;
    return WANTS_MORE;
  }
  if (went == EXCHANGE_DONE && o->keep_alive) {
    if (o->exchanges > 0 && t.exchanges + o->connections > o->exchanges) return WANTS_MORE; // the others finish theirs
    connection_next_exchange(c);
    return connection_advance(c, o, epoll);
  }
  connection_close(c);
  if (!connection_open(c, o, context, epoll)) t.errors++;
  return WANTS_MORE;
}

static void hold_until_stdin_ends(connection *all, const load_options *o, int epoll) {
  struct pollfd in[2] = {{.fd = 0, .events = POLLIN}, {.fd = epoll, .events = POLLIN}};
  while (poll(in, 2, -1) > 0 && !in[0].revents) {
    struct epoll_event event;
    while (epoll_wait(epoll, &event, 1, 0) > 0) {
      if (connection_advance(event.data.ptr, o, epoll) == WANTS_MORE) continue;
      connection_close(event.data.ptr);
      t.held--;
    }
  }
  printf("{\"held\":%d}\n", t.held);
  for (int i = 0; i < o->connections; i++) connection_close(&all[i]);
}

static bool finished(const load_options *o, double now, double started) {
  if (o->rate > 0) return t.next_due > 0 && now - started >= o->seconds;
  if (o->hold) return t.held >= o->connections;
  return (o->seconds > 0 && now - started >= o->seconds) || (o->exchanges > 0 && t.exchanges >= o->exchanges);
}

// Begins what is due. Answers the time until the next one.
static struct timespec keep_pace(const load_options *o, double *started, int epoll) {
  double now = now_seconds();
  if (t.next_due == 0 && t.idles == o->connections) { // the first exchange of each was to open it
    t.latencies.count = t.exchanges = 0;
    t.next_due = *started = now;
  }
  for (; t.next_due > 0 && t.next_due <= now && t.idles > 0; t.next_due += 1 / o->rate) {
    connection *c = t.idle[--t.idles];
    connection_next_exchange(c);
    c->started_at = t.next_due;
    if (connection_advance(c, o, epoll) == FAILED) t.errors++;
  }
  double wait = t.next_due > now ? t.next_due - now : TURN_MS / 1e3;
  return (struct timespec){.tv_nsec = (long)(wait * 1e9)};
}

static const char *mode;

static bool is(const char *name) {
  return strcmp(mode, name) == 0;
}

int main(int count, char **given) {
  if (count != 9) return fprintf(stderr, "load PORT NAME PATH BODY CONNECTIONS EXCHANGES SECONDS MODE\n"), 2;
  mode = given[8];
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  load_options o = {.name = given[2], .path = given[3], .body_bytes = atoll(given[4]), .connections = atoi(given[5]),
                    .exchanges = atoll(given[6]), .seconds = atof(given[7]), .stall = is("stall"), .tokens = is("tokens"),
                    .keep_alive = is("keep") || is("tokens"), .hold = is("hold") || is("stall"),
                    .rate = is("paced") ? atof(given[6]) : 0};
  if (o.rate > 0) o.exchanges = 0;
  o.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(given[1])),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1); // else two system calls a record
  SSL_CTX_set_default_read_buffer_len(context, o.connections > MANY ? SMALL_BUFFER : LARGE_BUFFER);

  int epoll = epoll_create1(0);
  connection *all = calloc(o.connections, sizeof *all);
  t = (totals){.latencies = samples_create(),
               .last_progress = now_seconds(),
               .idle = calloc(o.connections, sizeof(connection *))};
  double started = now_seconds(), now = started;
  int opening = o.hold ? OPENING_AT_ONCE : o.connections; // a crowd that is let in, not a flood
  while (t.opened < o.connections && t.opened < opening)
    if (!connection_open(&all[t.opened++], &o, context, epoll)) t.errors++;

  while (!finished(&o, now, started) && now - t.last_progress < stall_seconds && t.errors <= o.connections) {
    struct epoll_event events[MAX_EVENTS];
    struct timespec wait = {.tv_nsec = TURN_MS * 1000000L};
    if (o.rate > 0) wait = keep_pace(&o, &started, epoll);
    int ready = epoll_pwait2(epoll, events, MAX_EVENTS, &wait, NULL);
    now = now_seconds();
    for (int i = 0; i < ready; i++) {
      connection *c = events[i].data.ptr;
      progress went = connection_advance(c, &o, epoll);
      if (went == WANTS_MORE && c->body_received > 0) t.last_progress = now;
      while (went != WANTS_MORE && t.errors <= o.connections) went = go_on(c, went, all, &o, context, epoll);
    }
  }
  report(&o, now_seconds() - started);
  if (o.hold) hold_until_stdin_ends(all, &o, epoll);
  return 0;
}
