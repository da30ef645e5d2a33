// Times and percentiles, for all load clients.
#pragma once

typedef struct {
  float *milliseconds;
  int count;
} samples;

double now_seconds(void); // CLOCK_MONOTONIC
double cpu_seconds(void); // of this process
samples samples_create(void);
void samples_add(samples *, double since_seconds); // until now
void samples_sort(samples *);
double samples_percentile(const samples *, double share); // of sorted ones; 0 when there are none
