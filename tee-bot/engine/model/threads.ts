const smallBytes = 64 * 1024 * 1024;

/** A small model is done before its threads have met: they would wait for each other at every layer. */
export function decideThreads(modelBytes: number, cores: number): number {
  return modelBytes < smallBytes ? 1 : Math.max(1, cores);
}
