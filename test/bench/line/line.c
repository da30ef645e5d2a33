/*
 * A long line between two network namespaces: packets of the kernel's own TCP arrive later, at no more than the line's
 * rate, and are dropped when its queue is full. What `tc netem` does, for kernels that have none.
 *
 *   line <namespace file> <address> <namespace file> <address> <one-way delay, us> <bit/s> <queue, bytes>
 *
 * Each end gets an interface `line0` with its address, the other end's as its peer; "ready" is said when both are up.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { packet_bytes = 2048, slots = 1 << 16 };

struct packet {
  uint64_t at; /* when it arrives, in ns */
  uint16_t length;
  unsigned char bytes[packet_bytes];
};

/* One direction: a ring of packets in the order of their arrival. */
struct way {
  struct packet *ring;
  uint32_t head, tail;
  uint64_t free_at;
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int open_end(const char *namespace, const char *address, const char *peer) {
  int file = open(namespace, O_RDONLY);
  if (file < 0 || setns(file, CLONE_NEWNET) < 0) die(namespace);
  close(file);
  int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strcpy(request.ifr_name, "line0");
  if (tun < 0 || ioctl(tun, TUNSETIFF, &request) < 0) die("/dev/net/tun");
  char command[256];
  snprintf(command, sizeof command,
           "ip address add %s peer %s dev line0 && ip link set line0 txqueuelen 10000 mtu 1500 up", address, peer);
  if (system(command) != 0) die("ip");
  return tun;
}

int main(int count, char **words) {
  if (count != 8) return 2;
  const uint64_t delay = strtoull(words[5], NULL, 10) * 1000;
  const double ns_per_byte = 8e9 / strtod(words[6], NULL);
  const uint64_t queue = (uint64_t)(strtod(words[7], NULL) * ns_per_byte);
  const int ends[2] = {open_end(words[1], words[2], words[4]), open_end(words[3], words[4], words[2])};
  struct way ways[2] = {0};
  for (int at = 0; at < 2; at++)
    if (!(ways[at].ring = malloc(sizeof(struct packet) * slots))) die("malloc");
  setpriority(PRIO_PROCESS, 0, -15); /* a wire does not wait for a core */
  puts("ready");
  fflush(stdout);

  for (;;) {
    uint64_t next = UINT64_MAX;
    for (int at = 0; at < 2; at++)
      if (ways[at].head != ways[at].tail && ways[at].ring[ways[at].head % slots].at < next)
        next = ways[at].ring[ways[at].head % slots].at;
    const uint64_t before = now();
    const uint64_t wait = next <= before ? 0 : next - before;
    const struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000u), .tv_nsec = (long)(wait % 1000000000u)};
    struct pollfd files[3] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    if (ppoll(files, 3, next == UINT64_MAX ? NULL : &timeout, NULL) < 0) die("poll");
    if (files[2].revents) return 0; /* whoever started it is gone */

    for (int at = 0; at < 2; at++) {
      struct way *way = &ways[at];
      for (;;) {
        struct packet *packet = &way->ring[way->tail % slots];
        static unsigned char lost[packet_bytes];
        const int is_full = way->tail - way->head == slots;
        const ssize_t length = read(ends[at], is_full ? lost : packet->bytes, packet_bytes);
        if (length <= 0) break;
        const uint64_t time = now();
        if (way->free_at < time) way->free_at = time;
        if (is_full || way->free_at - time > queue) continue; /* no room: lost */
        way->free_at += (uint64_t)((double)length * ns_per_byte);
        packet->at = way->free_at + delay;
        packet->length = (uint16_t)length;
        way->tail++;
      }
      const uint64_t time = now();
      while (way->head != way->tail && way->ring[way->head % slots].at <= time) {
        struct packet *packet = &way->ring[way->head++ % slots];
        if (write(ends[1 - at], packet->bytes, packet->length) < 0) continue; /* the interface is down: lost */
      }
    }
  }
}
