#include "figures.h"
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { MAX_SAMPLES = 1 << 22 };

double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

double cpu_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

samples samples_create(void) {
  return (samples){.milliseconds = malloc(MAX_SAMPLES * sizeof(float))};
}

void samples_add(samples *s, double since_seconds) {
  if (s->count < MAX_SAMPLES) s->milliseconds[s->count++] = (float)((now_seconds() - since_seconds) * 1000);
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

void samples_sort(samples *s) {
  qsort(s->milliseconds, s->count, sizeof(float), compare);
}

double samples_percentile(const samples *s, double share) {
  return s->count == 0 ? 0 : s->milliseconds[(int)(share * (s->count - 1))];
}
