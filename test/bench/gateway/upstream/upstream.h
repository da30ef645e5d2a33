// The provider behind every way that is compared: answers calls of the API with prepared bytes, from one thread.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  char *bytes;
  size_t length;
} text;

// Answers, as they go over the wire; answers.ts makes them.
typedef struct {
  text models, json, burst, unknown;
  text paced_head, paced_event, paced_end; // an event has a run of STAMP for the time of its sending
  int paced_events, paced_every_ms;
} answers;

enum { STAMP = 1, STAMP_DIGITS = 19 };

typedef struct client {
  int fd;
  char request[32 * 1024];
  size_t request_length;
  const char *unsent; // of an answer that the socket did not take whole
  size_t unsent_length;
  int events_left; // of a paced stream
  uint64_t next_event_ns;
  struct client *next_paced;
} client;

// answers.c
answers answers_read(const char *directory);
const text *answer_of(const answers *, const client *); // NULL: a paced stream
size_t request_size(const client *); // 0: not complete yet
