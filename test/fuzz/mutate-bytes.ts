import { Buffer } from "node:buffer";
import type { Random } from "./random.ts";

const maxChanges = 6;
const maxInputBytes = 200_000; // beyond the most that the reader takes
/** Values at which lengths, types and versions change their meaning. */
const edges = [0x00, 0x01, 0x02, 0x03, 0x10, 0x16, 0x20, 0x40, 0x7f, 0x80, 0xff];

type Mutation = (bytes: Buffer, random: Random, corpus: readonly Buffer[]) => Buffer;

const mutations: readonly Mutation[] = [
  function changeByte(bytes, random) {
    bytes[random.below(bytes.length)] = random.below(256);
    return bytes;
  },
  function changeByteToEdge(bytes, random) {
    bytes[random.below(bytes.length)] = random.pick(edges);
    return bytes;
  },
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  },
  function cutEnd(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function cutOut(bytes, random) {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(8))]);
  },
  function repeatPart(bytes, random) {
    const at = random.below(bytes.length);
    const part = bytes.subarray(at, at + 1 + random.below(200));
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
  },
  function insertNoise(bytes, random) {
    const at = random.below(bytes.length);
    const noise = Buffer.from(Array.from({ length: 1 + random.below(16) }, () => random.below(256)));
    return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
  },
  function joinWithOther(bytes, random, corpus) {
    const other = random.pick(corpus);
    return Buffer.concat([bytes.subarray(0, random.below(bytes.length)), other.subarray(random.below(other.length))]);
  },
  function growTail(bytes, random) {
    return Buffer.concat([
      bytes,
      Buffer.alloc(random.below(random.pick([10, 10, 100, 100, 1000, 100_000])), random.pick(edges)),
    ]);
  },
];

/** With one to six changes of any kind; parts of others of the corpus may get into it. */
export function mutateBytes(origin: Buffer, corpus: readonly Buffer[], random: Random): Buffer {
  let changed: Buffer = Buffer.from(origin);
  for (let left = 1 + random.below(maxChanges); left > 0 && changed.length > 0; left--)
    changed = random.pick(mutations)(changed, random, corpus);
  return changed.subarray(0, maxInputBytes);
}
