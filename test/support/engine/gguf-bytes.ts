/** GGUF headers, and the demo model with other words about itself, written for tests. */
import { readFileSync } from "node:fs";
import { demoModel } from "../../../tee-bot/engine/demo-model.ts";

export const [u32Type, stringType, arrayType] = [4, 8, 9];

export type GgufKey = readonly [key: string, type: number, value: Buffer];

export function ggufHeader(keys: readonly GgufKey[], { version = 3, count = keys.length, tensors = 0 } = {}): Buffer {
  return Buffer.concat([
    Buffer.from("GGUF"),
    u32(version),
    u64(tensors),
    u64(count),
    ...keys.flatMap(([key, type, value]) => [text(key), u32(type), value]),
  ]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

export function text(value: string): Buffer {
  return Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
}

const alignment = 32;
const countAt = 16;
const headerBytes = 24;

/** The demo model as a file that has one key more, such as a way to pool. */
export function demoModelWith(key: GgufKey): Buffer {
  const file = readFileSync(demoModel.path);
  const [name, type, value] = key;
  const added = Buffer.concat([text(name), u32(type), value]);
  // What stands behind is aligned, so what is added is made to fit by a key of padding.
  const overhead = Buffer.concat([text("test.padding"), u32(stringType), u64(0)]).length;
  const fill = (alignment - ((added.length + overhead) % alignment)) % alignment;
  const padding = Buffer.concat([text("test.padding"), u32(stringType), text("x".repeat(fill))]);
  const head = Buffer.from(file.subarray(0, headerBytes));
  head.writeBigUInt64LE(file.readBigUInt64LE(countAt) + 2n, countAt);
  return Buffer.concat([head, added, padding, file.subarray(headerBytes)]);
}
