// client PORT REQUEST EXPECTED CONNECTIONS EXCHANGES SECONDS keep|paced
// Prints one line of JSON. REQUEST and EXPECTED are files. With `paced` EXCHANGES are those in a second.
#include "client.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { MAX_EVENTS = 256, TURN_MS = 100 };
static const double stall_seconds = 20; // without a byte, the run has failed

static int64_t exchanges, begun, errors;
static samples whole, first, events;
static double last_progress;
static connection **idle; // while paced, a ring of those without an exchange: the longest idle is the next
static int idles, oldest;

void answer_began(const connection *c) {
  samples_add(&first, c->started_at);
}

void event_arrived(uint64_t sent_at_ns) {
  samples_add(&events, sent_at_ns / 1e9);
}

static void report_percentiles(const char *name, samples *of) {
  samples_sort(of);
  printf(",\"%s50Ms\":%.4f,\"%s99Ms\":%.4f", name, samples_percentile(of, 0.5), name, samples_percentile(of, 0.99));
}

static void report(double seconds) {
  printf("{\"exchanges\":%lld,\"events\":%d,\"errors\":%lld,\"failure\":\"%s\",\"seconds\":%.6f,\"cpuSeconds\":%.3f",
         (long long)exchanges, events.count, (long long)errors, failure, seconds, cpu_seconds());
  report_percentiles("p", &whole);
  report_percentiles("firstP", &first);
  report_percentiles("eventP", &events);
  printf("}\n");
}

static text read_file(const char *path) {
  text t = {.bytes = malloc(1 << 20)};
  FILE *file = fopen(path, "rb");
  if (!file) exit((perror(path), 2));
  t.length = fread(t.bytes, 1, 1 << 20, file);
  fclose(file);
  return t;
}

static void begin(connection *c, const load_options *o, double started_at, int epoll) {
  begun++;
  exchange_begin(c, started_at);
  if (exchange_advance(c, o, epoll) == FAILED) errors++;
}

static void go_on(connection *c, const load_options *o, int epoll) {
  exchanges++;
  samples_add(&whole, c->started_at);
  if (o->rate > 0) idle[(oldest + idles++) % o->connections] = c;
  else if (o->exchanges == 0 || begun < o->exchanges) begin(c, o, now_seconds(), epoll);
}

// Begins what is due. Answers the time until the next one.
static struct timespec keep_pace(const load_options *o, double started, int epoll) {
  static int64_t due; // exchanges so far
  double now = now_seconds(), next;
  while ((next = started + due / o->rate) <= now && idles > 0) {
    connection *c = idle[oldest];
    oldest = (oldest + 1) % o->connections, idles--, due++;
    begin(c, o, next, epoll);
  }
  double wait = next > now && next - now < TURN_MS / 1e3 ? next - now : TURN_MS / 1e3;
  return (struct timespec){.tv_nsec = (long)(wait * 1e9)};
}

static bool finished(const load_options *o, double now, double started) {
  if (errors > 0 || now - last_progress > stall_seconds) return true;
  return (o->seconds > 0 && now - started >= o->seconds) || (o->exchanges > 0 && exchanges >= o->exchanges);
}

int main(int count, char **given) {
  if (count != 8) return fprintf(stderr, "client PORT REQUEST EXPECTED CONNECTIONS EXCHANGES SECONDS MODE\n"), 2;
  load_options o = {.request = read_file(given[2]), .expected = read_file(given[3]), .connections = atoi(given[4]),
                    .exchanges = atoll(given[5]), .seconds = atof(given[6])};
  if (strcmp(given[7], "paced") == 0) o.rate = o.exchanges, o.exchanges = 0;
  o.address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(given[1])),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  whole = samples_create(), first = samples_create(), events = samples_create();
  idle = calloc(o.connections, sizeof *idle);
  connection *all = calloc(o.connections, sizeof *all);
  int epoll = epoll_create1(0);
  for (int i = 0; i < o.connections && errors == 0; i++)
    if (connection_open(&all[i], &o, epoll)) idle[idles++] = &all[i];
    else errors++;

  double started = last_progress = now_seconds(), now = started;
  for (int i = 0; o.rate == 0 && i < o.connections && errors == 0; i++) begin(&all[i], &o, started, epoll);
  while (!finished(&o, now, started)) {
    struct epoll_event ready[MAX_EVENTS];
    struct timespec wait = {.tv_nsec = TURN_MS * 1000000L};
    if (o.rate > 0) wait = keep_pace(&o, started, epoll);
    int events_ready = epoll_pwait2(epoll, ready, MAX_EVENTS, &wait, NULL);
    now = now_seconds();
    if (events_ready > 0) last_progress = now;
    for (int i = 0; i < events_ready; i++) {
      connection *c = ready[i].data.ptr;
      progress went = exchange_advance(c, &o, epoll);
      if (went == FAILED) errors++;
      else if (went == EXCHANGE_DONE) go_on(c, &o, epoll);
    }
  }
  if (errors == 0 && now - last_progress > stall_seconds) errors++, fail("nothing came for s", (long)stall_seconds);
  report(now_seconds() - started);
  return 0;
}
