/** Visitors that send: the service compares every byte and says how many there were. */
import { Corruption } from "../exchange.ts";
import { piecesOf } from "../pattern.ts";
import type { Visitor } from "./visitor.ts";

const maxBytes = 8 << 20;

export async function upload(visitor: Visitor): Promise<number> {
  const bytes = 1 + visitor.random.below(maxBytes);
  const seed = visitor.random.below(2 ** 31);
  const framed = visitor.random.below(2) === 0;
  const headers = { host: visitor.hostname, ...(framed && { "content-length": bytes }) };
  const body = piecesOf(seed, bytes);
  const answer = await visitor.text(`/upload?seed=${seed}`, { method: "POST", headers, body });
  const seen = JSON.parse(answer) as { bytes: number; differsAt?: number };
  if (seen.differsAt !== undefined) throw new Corruption(`byte ${seen.differsAt} of an upload arrived as another`);
  if (seen.bytes !== bytes) throw new Corruption(`${seen.bytes} bytes of an upload of ${bytes} arrived, and an end`);
  return bytes;
}
