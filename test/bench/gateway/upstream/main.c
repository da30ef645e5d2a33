// upstream DIRECTORY PACED_EVENTS PACED_EVERY_MS
// Listens on two free ports of 127.0.0.1, which it prints as one line of JSON, and ends when stdin does.
#include "upstream.h"
#include "../../load/figures.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DOORS = 2, BACKLOG = 4096, MAX_EVENTS = 256, IDLE_MS = 1000 };
static int epoll;
static client *paced; // streams under way

static void watch(int fd, void *what, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = what};
  epoll_ctl(epoll, operation, fd, &event);
}

// What the socket does not take is sent when it can take more; `bytes` have to stay until then.
static bool say(client *c, const char *bytes, size_t length) {
  ssize_t sent = send(c->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return false;
  if (sent < 0) sent = 0;
  c->unsent = bytes + sent;
  c->unsent_length = length - sent;
  if (c->unsent_length > 0) watch(c->fd, c, EPOLL_CTL_MOD, EPOLLOUT);
  return true;
}

static void leave_paced(client *c) {
  client **at = &paced;
  while (*at && *at != c) at = &(*at)->next_paced;
  if (*at) *at = c->next_paced;
}

static void drop(client *c) {
  leave_paced(c);
  close(c->fd);
  free(c);
}

static bool answer(client *c, const answers *a, size_t size) {
  const text *whole = answer_of(a, c);
  memmove(c->request, c->request + size, c->request_length -= size);
  if (whole) return say(c, whole->bytes, whole->length);
  c->events_left = a->paced_events;
  c->next_event_ns = now_seconds() * 1e9;
  c->next_paced = paced;
  paced = c;
  return say(c, a->paced_head.bytes, a->paced_head.length);
}

static bool hear(client *c, const answers *a) {
  if (c->unsent_length > 0) {
    if (!say(c, c->unsent, c->unsent_length)) return false;
    if (c->unsent_length == 0) watch(c->fd, c, EPOLL_CTL_MOD, EPOLLIN);
    return true;
  }
  ssize_t length = recv(c->fd, c->request + c->request_length, sizeof c->request - c->request_length, MSG_DONTWAIT);
  if (length < 0 && errno == EAGAIN) return true;
  if (length <= 0) return false;
  c->request_length += length;
  size_t size = request_size(c);
  return size > 0 ? answer(c, a, size) : c->request_length < sizeof c->request;
}

static bool say_event(client *c, const answers *a) {
  static char event[4096]; // small enough that a socket that takes any of it takes all
  char stamp[STAMP_DIGITS + 1];
  memcpy(event, a->paced_event.bytes, a->paced_event.length);
  snprintf(stamp, sizeof stamp, "%0*llu", STAMP_DIGITS, (unsigned long long)(now_seconds() * 1e9));
  memcpy(memchr(event, STAMP, a->paced_event.length), stamp, STAMP_DIGITS);
  return say(c, event, a->paced_event.length) && c->unsent_length == 0;
}

// Sends what is due. Answers the time until the next event of any stream.
static struct timespec keep_pace(const answers *a) {
  uint64_t now = now_seconds() * 1e9, soonest = now + IDLE_MS * 1000000LL;
  for (client *c = paced, *next; c; c = next) {
    next = c->next_paced;
    bool well = true;
    if (c->next_event_ns <= now && c->events_left > 0) {
      well = say_event(c, a);
      c->events_left--;
      c->next_event_ns += a->paced_every_ms * 1000000LL;
    }
    if (well && c->events_left == 0) {
      leave_paced(c);
      well = say(c, a->paced_end.bytes, a->paced_end.length);
    } else if (c->next_event_ns < soonest) soonest = c->next_event_ns;
    if (!well) drop(c);
  }
  uint64_t wait = soonest > now ? soonest - now : 0;
  return (struct timespec){.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
}

static void let_in(int door) {
  for (int fd; (fd = accept4(door, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    client *c = calloc(1, sizeof *c);
    c->fd = fd;
    watch(fd, c, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static int open_door(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(door, (struct sockaddr *)&address, size) < 0 || listen(door, BACKLOG) < 0) exit((perror("listen"), 1));
  getsockname(door, (struct sockaddr *)&address, &size);
  *port = ntohs(address.sin_port);
  return door;
}

int main(int count, char **given) {
  if (count != 4) return fprintf(stderr, "upstream DIRECTORY PACED_EVENTS PACED_EVERY_MS\n"), 2;
  signal(SIGPIPE, SIG_IGN);
  answers a = answers_read(given[1]);
  a.paced_events = atoi(given[2]), a.paced_every_ms = atoi(given[3]);
  int doors[DOORS], ports[DOORS], parent = 0;
  epoll = epoll_create1(0);
  for (int i = 0; i < DOORS; i++) {
    doors[i] = open_door(&ports[i]);
    watch(doors[i], &doors[i], EPOLL_CTL_ADD, EPOLLIN);
  }
  watch(parent, &parent, EPOLL_CTL_ADD, EPOLLIN);
  printf("{\"ports\":[%d,%d]}\n", ports[0], ports[1]);
  fflush(stdout);
  for (;;) {
    struct timespec wait = keep_pace(&a);
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_pwait2(epoll, events, MAX_EVENTS, &wait, NULL);
    for (int i = 0; i < ready; i++) {
      void *what = events[i].data.ptr;
      if (what == &parent) return 0;
      if (what == &doors[0] || what == &doors[1]) let_in(*(int *)what);
      else if (!hear(what, &a)) drop(what);
    }
  }
}
