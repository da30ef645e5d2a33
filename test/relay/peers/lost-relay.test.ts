/** What a visitor sees when the relay that has its node dies or freezes: never an end that nobody meant. */
import type { Socket } from "node:net";
import { expect, test, vi } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import type { TunnelSocket } from "../../../shared/nodejs/tunnel-socket.ts";
import type { RelayEndpoint } from "../../../shared/registry/messages.ts";
import { startTunnel } from "../../../tee-bot/tunnel/tunnel.ts";
import { EdgeStandIn } from "../../support/edge-stand-in.ts";
import { startRelayProcess, type RelayProcess } from "../../support/relay-process.ts";
import { newIdentity, startWorld, zone, type RelayWorld } from "../../support/relay-world.ts";
import { readBytes, readEnd } from "../../support/socket-events.ts";

const pingMs = 1_000;
const mebibyte = 1024 * 1024;
const alert = Buffer.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 80); // internal_error

interface LostWorld extends AsyncDisposable {
  readonly entry: RelayWorld;
  readonly home: RelayProcess;
  readonly name: string;
  /** The visitors' sockets at the node, which has said "welcome" to each. */
  readonly atNode: TunnelSocket[];
}

async function start(): Promise<LostWorld> {
  const edge = await new EdgeStandIn(zone).start();
  edge.heartbeatMs = 500;
  const environment = { RELAY_PING_MS: String(pingMs) };
  const [entry, home] = await Promise.all([
    startWorld({ edge, environment, label: "entry" }),
    startRelayProcess(edge, "home", environment),
  ]);
  edge.homes = [home.endpoint.relay];
  await vi.waitFor(async () => expect((await entry.health()).body["others"]).toBe(1), 5_000);
  const identity = await newIdentity();
  const name = edge.register(identity.id, 1);
  const atNode: TunnelSocket[] = [];
  const tunnel = await connectNode(home.endpoint, identity, (socket) => {
    atNode.push(socket);
    socket.on("error", () => {}).write("welcome");
  });
  return {
    entry,
    home,
    name,
    atNode,
    async [Symbol.asyncDispose]() {
      await tunnel[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
      await entry[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}

function connectNode(
  relay: RelayEndpoint,
  identity: Awaited<ReturnType<typeof newIdentity>>,
  onSocket: (socket: TunnelSocket) => void,
): Promise<AsyncDisposable> {
  return new Promise((resolve) => {
    const tunnel = startTunnel({
      relay,
      identity,
      epoch: 1,
      version: "test",
      transport: "pool",
      clock: systemClock,
      log: silentLog,
      onVisitor: ({ socket }) => onSocket(socket),
      onState: (state) => state === "up" && setImmediate(() => resolve(tunnel)),
    });
  });
}

async function visit({ entry, name }: LostWorld): Promise<Socket> {
  const visitor = await entry.visit(name);
  await readBytes(visitor, 7);
  return visitor;
}

test("a relay that is killed resets its visitors, amid an answer and where all that was sent has come", async () => {
  await using world = await start();
  const busy = await visit(world);
  const quiet = await visit(world);
  world.atNode[0]?.write(Buffer.alloc(32 * mebibyte));
  await readBytes(busy, mebibyte);
  world.home.child.kill("SIGKILL");
  const ends = await Promise.all([readEnd(busy), readEnd(quiet)]);
  expect(ends.map(({ how }) => how)).toEqual(["reset", "reset"]);
  expect((await readEnd(await world.entry.visit(world.name))).bytes).toEqual(alert);
});

test("an end that the node meant is still one when its relay lives", async () => {
  await using world = await start();
  const visitor = await visit(world);
  world.atNode[0]?.end("that is all");
  expect(await readEnd(visitor)).toEqual({ how: "end", bytes: Buffer.from("that is all") });
});

test("a relay that is frozen resets its visitors within two and a half pings", async () => {
  await using world = await start();
  const visitor = await visit(world);
  const frozenAt = performance.now();
  world.home.child.kill("SIGSTOP");
  expect((await readEnd(visitor)).how).toBe("reset");
  expect(performance.now() - frozenAt).toBeLessThan(3 * pingMs);
  expect((await readEnd(await world.entry.visit(world.name))).bytes).toEqual(alert);
});
