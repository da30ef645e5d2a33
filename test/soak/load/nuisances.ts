/** Visitors that behave badly. Nothing is expected for them but that it ends, and that others do not notice. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { clientHelloOf } from "../../support/client-hello.ts";
import type { Visitor } from "./visitor.ts";

const maxGarbageBytes = 4_096;
/** A relay waits 5 s for the rest of what may become a hello. */
const patienceMs = 12_000;
const maxLingerMs = 100;

/** Comes, perhaps begins to say something, and is gone: in order or by a reset, at any point up to the answer. */
export async function vanish(visitor: Visitor): Promise<number> {
  const { random } = visitor;
  const point = random.pick(["connected", "half a hello", "a hello", "in the answer"] as const);
  if (point === "in the answer") {
    const response = await visitor.request(`/download?seed=1&bytes=${8 << 20}&framing=length`);
    response.on("error", () => {}); // it is this end that breaks off
    await once(response, "readable");
  } else {
    const socket = await visitor.connect();
    const hello = await clientHelloOf(visitor.hostname);
    if (point === "half a hello") socket.write(hello.subarray(0, 1 + random.below(hello.length - 1)));
    if (point === "a hello") socket.write(hello);
    await sleep(random.below(maxLingerMs));
    if (random.below(2) === 0) socket.resetAndDestroy();
  }
  visitor.leave();
  return 0;
}

/** Says what is no TLS, or no more than looks like it, and must be refused in time. */
export async function babble(visitor: Visitor): Promise<number> {
  const { random } = visitor;
  const socket = await visitor.connect();
  const bytes = Buffer.from(Array.from({ length: 1 + random.below(maxGarbageBytes) }, () => random.below(256)));
  bytes[0] = random.pick([0x16, 0x00, bytes[0] ?? 0]);
  const ended = new Promise<boolean>((resolve) => socket.once("close", () => resolve(true)));
  socket.resume();
  socket.write(bytes);
  const late = sleep(patienceMs, false, { signal: visitor.signal, ref: false });
  if (!(await Promise.race([ended, late]))) throw new Error(`garbage was not refused within ${patienceMs} ms`);
  return 0;
}
