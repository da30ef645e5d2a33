/** Visitors that read: fast or slowly, an answer with a length, in chunks, or one that only its end ends. */
import { Corruption, ShortAnswer } from "../exchange.ts";
import { differsAt } from "../pattern.ts";
import type { IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Visitor } from "./visitor.ts";

const maxBulkBytes = 24 << 20;
const slowBytes = 6 << 20;
const slowPauses = 16;
const slowPauseMs = 500;

/** Resolves to the bytes that were compared. */
export async function download(visitor: Visitor): Promise<number> {
  const bytes = 1 + visitor.random.below(maxBulkBytes);
  const seed = visitor.random.below(2 ** 31);
  const framing = visitor.random.pick(["length", "chunks"]);
  const response = await visitor.request(`/download?seed=${seed}&bytes=${bytes}&framing=${framing}`);
  const read = await readChecked(response, seed);
  if (read !== bytes) throw new Corruption(`${read} bytes of ${bytes}, and an end in order, framed by ${framing}`);
  return read;
}

/** Only where TLS goes through to the service: others frame such an answer anew. */
export async function downloadUntilEnd(visitor: Visitor): Promise<number> {
  const bytes = 1 + visitor.random.below(maxBulkBytes / 4);
  const seed = visitor.random.below(2 ** 31);
  const response = await visitor.request(`/until-end?seed=${seed}&bytes=${bytes}`);
  if (response.headers["content-length"] ?? response.headers["transfer-encoding"])
    throw new Error("the answer was framed on the way");
  const read = await readChecked(response, seed);
  if (read > bytes) throw new Corruption(`${read} bytes of ${bytes}`);
  if (read < bytes) throw new ShortAnswer(`${read} bytes of ${bytes}, then an end in order`);
  return read;
}

/** Reads little and seldom, then all the rest. */
export async function downloadSlowly(visitor: Visitor): Promise<number> {
  const seed = visitor.random.below(2 ** 31);
  const response = await visitor.request(`/download?seed=${seed}&bytes=${slowBytes}&framing=length`);
  const read = await readChecked(response, seed, async (chunks) => {
    if (chunks <= slowPauses) await sleep(slowPauseMs, undefined, { signal: visitor.signal });
  });
  if (read !== slowBytes) throw new Corruption(`${read} bytes of ${slowBytes}, and an end in order`);
  return read;
}

async function readChecked(
  response: IncomingMessage,
  seed: number,
  pause?: (chunks: number) => Promise<void>,
): Promise<number> {
  let read = 0;
  let chunks = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const difference = differsAt(seed, read, chunk);
    if (difference !== undefined) throw new Corruption(`byte ${difference} is not the one that was sent`);
    read += chunk.length;
    await pause?.(++chunks);
  }
  return read;
}
