/** Every transport between a relay and a node that is 200 ms away. */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import type { Transport } from "../../tee-bot/tunnel/transport.ts";
import type { Visitor } from "../../tee-bot/tunnel/tunnel.ts";
import { startDelayLine, type DelayLineOptions } from "../support/delay-line.ts";
import { startWorld, type RelayWorld } from "../support/relay-world.ts";
import { readBytes } from "../support/socket-events.ts";
import { greeting } from "../support/tunnel-child.ts";

const roundTripMs = 200;
const slackMs = 150; // for a machine that has other things to do
/** Four round trips are 800 ms; the rest is for the work of forty visitors at once. */
const burstMs = 5_000;
const floor = 4;
const environment = { RELAY_POOL_FLOOR: String(floor), RELAY_PING_MS: "2000" };

function greet({ socket }: Visitor): void {
  socket.on("error", () => {});
  socket.write(greeting);
}

async function startFarNode(
  transport: Transport,
  onVisitor: (visitor: Visitor) => void,
  line: Partial<DelayLineOptions> = {},
): Promise<{ world: RelayWorld; name: string } & AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await startWorld({ environment, transport }));
  const { port } = stack.use(await startDelayLine(world.endpoint.port, { roundTripMs, ...line }));
  const { name } = await world.addNode({ port, onVisitor });
  if (transport !== "http2") await vi.waitFor(async () => expect(await world.metric("pool_idle ")).toBe(floor), 5_000);
  return { world, name, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** From the visitor's hello to the first byte of the answer. */
async function visitMs(world: RelayWorld, name: string): Promise<number> {
  const startedAt = performance.now();
  await readBytes(await world.visit(name), greeting.length);
  return performance.now() - startedAt;
}

describe.each(["pool", "tls", "http2"] as const)("a node 200 ms away over %s", (transport) => {
  test("answers a visitor after one round trip", async () => {
    await using far = await startFarNode(transport, greet);
    const times: number[] = [];
    for (let visit = 0; visit < 5; visit++) times.push(await visitMs(far.world, far.name));
    const ms = Math.min(...times);
    expect(ms).toBeGreaterThanOrEqual(roundTripMs - 5);
    expect(ms).toBeLessThan(roundTripMs + slackMs);
  });

  test("serves a burst larger than what lies ready", async () => {
    await using far = await startFarNode(transport, greet);
    const times = await Promise.all(Array.from({ length: 10 * floor }, () => visitMs(far.world, far.name)));
    // The relay asks for connections, TCP and perhaps TLS shake hands, then the visitor's own bytes go there and back.
    expect(Math.max(...times)).toBeLessThan(burstMs);
  });

  test("keeps the cadence of a stream of tokens", async () => {
    const everyMs = 25;
    const tokens = 80;
    const token = Buffer.alloc(64, 1);
    await using far = await startFarNode(transport, ({ socket }) => {
      socket.on("error", () => {});
      let left = tokens;
      const timer = setInterval(() => {
        socket.write(token);
        if (--left === 0) clearInterval(timer);
      }, everyMs);
    });
    const visitor = await far.world.visit(far.name);
    const arrivals: number[] = [];
    let bytes = 0;
    visitor.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      arrivals.push(performance.now());
    });
    await vi.waitFor(() => expect(bytes).toBe(tokens * token.length), 10_000);
    const gaps = arrivals.slice(1).map((at, index) => at - (arrivals[index] ?? at));
    expect(arrivals.length).toBeGreaterThan(tokens / 2); // not gathered into few
    const typical = gaps.toSorted((a, b) => a - b)[Math.floor(0.9 * gaps.length)];
    expect(typical).toBeLessThan(roundTripMs / 2); // nothing waits for an answer from the other end
  });

  test("carries every byte over a line that loses one segment in a hundred", async () => {
    const sent = randomBytes(512 * 1024);
    const line = { loss: 0.01, bytesPerSecond: 2_000_000 };
    await using far = await startFarNode(
      transport,
      ({ socket }) => void socket.on("error", () => {}).write(sent),
      line,
    );
    const received = await readBytes(await far.world.visit(far.name), sent.length);
    expect(createHash("sha256").update(received).digest("hex")).toBe(createHash("sha256").update(sent).digest("hex"));
  });
});
