import { once } from "node:events";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { SiblingMessage } from "../../../relay/threads/messages.ts";
import { Sibling } from "../../../relay/threads/sibling.ts";
import type { PartOptions, TunnelKeeper } from "../../../relay/tunnel/tunnel-keeper.ts";
import type { ControlLink } from "../../../relay/tunnel/tunnel-part.ts";

type Asks = Extract<SiblingMessage, { type: "told" }>["asks"];

/** A thread that has a part of one tunnel, and the end at which the thread that holds the tunnel hears it. */
async function startPart(): Promise<{ sibling: Sibling; control: ControlLink; holder: MessagePort }> {
  const { port1: port, port2: holder } = new MessageChannel();
  const made = Promise.withResolvers<PartOptions>();
  // Stands in for the thread's tunnels: what it is asked for is the part alone.
  const keeper = {
    controls: new Map(),
    addPart(options: PartOptions) {
      made.resolve(options);
      return { state: { idle: 0, waiting: 0, arrivalsPerSecond: 0, busy: 1, closed: false }, close() {} };
    },
  } as unknown as TunnelKeeper;
  const sibling = new Sibling({ port, hopPort: 1, hopSecret: new Uint8Array(16), keeper });
  await once(holder, "message"); // it has joined
  const opened: SiblingMessage = { type: "opened", id: 7, node: "n".repeat(64) as never, epoch: 1, hops: false };
  holder.postMessage(opened);
  const { control } = await made.promise;
  return { sibling, control, holder };
}

async function nextAsks(holder: MessagePort): Promise<Asks> {
  const [message] = (await once(holder, "message", { signal: AbortSignal.timeout(2_000) })) as [SiblingMessage];
  return message.type === "told" ? message.asks : [];
}

describe("another thread of the relay", () => {
  test("is asked once whether a node lives, for all visitors who end within a moment", async () => {
    const { sibling, control, holder } = await startPart();
    const proofs = Promise.all([control.proveAlive(), control.proveAlive(), control.proveAlive()]);
    const asks = await nextAsks(holder);
    expect(asks).toEqual([[7, expect.any(Number)]]);
    holder.postMessage({ type: "proof", ask: asks[0]?.[1] ?? 0, alive: true } satisfies SiblingMessage);
    expect(await proofs).toEqual([true, true, true]);
    sibling.end();
  });

  test("is asked again by who wants to know after the question was put", async () => {
    const { sibling, control, holder } = await startPart();
    const first = control.proveAlive();
    const [[, asked] = []] = await nextAsks(holder);
    const second = control.proveAlive();
    const [[, askedAgain] = []] = await nextAsks(holder);
    expect(askedAgain).not.toBe(asked);
    holder.postMessage({ type: "proof", ask: asked ?? 0, alive: true } satisfies SiblingMessage);
    expect(await first).toBe(true);
    sibling.end();
    expect(await second).toBe(false);
  });

  test("proves nothing once it has ended, whether it was asked already or not", async () => {
    const { sibling, control, holder } = await startPart();
    const asked = control.proveAlive();
    await nextAsks(holder);
    const wanted = control.proveAlive();
    sibling.end();
    expect(await Promise.all([asked, wanted, control.proveAlive()])).toEqual([false, false, false]);
  });
});
