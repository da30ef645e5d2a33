import { setFlagsFromString } from "node:v8";

/**
 * For a process that moves bytes. Node reads each chunk of a socket into a buffer of its own; V8 counts those as memory
 * outside its heap, and by default marks the whole heap for every 64 MB of them. With a small young generation they are
 * freed by scavenges of a fraction of a millisecond instead: 0.6 s of CPU for a GiB rather than 1.0 (Node 24.21, one
 * spliced download). To be called before anything is read.
 */
export function collectBuffersYoung(): void {
  setFlagsFromString("--scavenger-max-new-space-capacity-mb=1");
}
