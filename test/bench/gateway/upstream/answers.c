// Which request gets which answer: told by its model.
#include "upstream.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_BYTES = 1 << 20 };

static text read_file(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "rb");
  if (!file) exit((perror(path), 2));
  text t = {.bytes = malloc(MAX_BYTES)};
  t.length = fread(t.bytes, 1, MAX_BYTES, file);
  fclose(file);
  return t;
}

answers answers_read(const char *directory) {
  static char unknown[] = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
  return (answers){
      .models = read_file(directory, "models.answer"),
      .json = read_file(directory, "bench-json.answer"),
      .burst = read_file(directory, "bench-burst.answer"),
      .unknown = {unknown, sizeof unknown - 1},
      .paced_head = read_file(directory, "bench-paced.head"),
      .paced_event = read_file(directory, "bench-paced.event"),
      .paced_end = read_file(directory, "bench-paced.end"),
  };
}

size_t request_size(const client *c) {
  const char *end = memmem(c->request, c->request_length, "\r\n\r\n", 4);
  if (!end) return 0;
  size_t of_head = end + 4 - c->request, of_body = 0;
  for (const char *line = c->request; line < end; line = (const char *)memchr(line, '\n', end + 4 - line) + 1)
    if (strncasecmp(line, "content-length:", 15) == 0) of_body = strtoul(line + 15, NULL, 10);
  return of_head + of_body <= c->request_length ? of_head + of_body : 0;
}

const text *answer_of(const answers *a, const client *c) {
  if (strncmp(c->request, "GET /v1/models ", 15) == 0) return &a->models;
  if (strncmp(c->request, "POST /v1/chat/completions ", 26) != 0) return &a->unknown;
  const char *model = memmem(c->request, c->request_length, "\"model\":\"bench-", 15);
  if (!model) return &a->unknown;
  model += 15;
  if (strncmp(model, "json\"", 5) == 0) return &a->json;
  if (strncmp(model, "burst\"", 6) == 0) return &a->burst;
  return strncmp(model, "paced\"", 6) == 0 ? NULL : &a->unknown;
}
