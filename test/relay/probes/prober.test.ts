import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Prober } from "../../../relay/probes/prober.ts";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import type { FleetRelay, Observation } from "../../../shared/registry/messages.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { encodeAlert } from "../../../shared/tls/alert.ts";
import { createTestCertificate, type TestCertificate } from "../../support/certificate.ts";
import { until } from "../../support/postern.ts";
import { newIdentity } from "../../support/relay-world.ts";

const name = "alice.zone.test";
/** Time goes faster here: waits of minutes are over within seconds. */
const speed = 20;
const clock: Clock = {
  now: () => Date.now() * speed,
  sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
};

let certificate: TestCertificate;
let key: string;
let self: NodeId;
let other: NodeId;
let node: NodeId;
let stack: AsyncDisposableStack;
let observations: Observation[];
let outcomes: string[];
/** What DNS answers for names. */
let named: string[] | undefined;
/** Where the node has tunnels, and what visitors meet at the other relay. */
let relays: NodeId[];
let treat: "serve" | "refuse" | "reset" | "swallow";
let draining: boolean;
let names: string[];
let open: number;
let mostOpen: number;

beforeAll(async () => {
  certificate = await createTestCertificate({ hostnames: [name] });
  const spki = certificate.leaf.publicKey.export({ type: "spki", format: "der" });
  key = createHash("sha256").update(spki).digest("hex");
  const identities = await Promise.all([newIdentity(), newIdentity(), newIdentity()]);
  [self, other, node] = identities.map(({ id }) => id) as [NodeId, NodeId, NodeId];
});

beforeEach(() => {
  stack = new AsyncDisposableStack();
  observations = [];
  outcomes = [];
  named = ["127.0.0.1"];
  relays = [other];
  treat = "serve";
  draining = false;
  names = [name];
  [open, mostOpen] = [0, 0];
});
afterEach(() => stack.disposeAsync());

async function startOther(): Promise<number> {
  const tls = createTlsServer({ cert: certificate.certificate, key: certificate.key });
  tls.on("tlsClientError", () => {});
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    mostOpen = Math.max(mostOpen, ++open);
    socket.once("close", () => open--);
    if (treat === "serve") tls.emit("connection", socket);
    else if (treat === "reset") socket.once("data", () => socket.resetAndDestroy());
    else if (treat === "refuse") socket.once("data", () => socket.end(encodeAlert("internal_error")));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function start(): Promise<Prober> {
  const port = await startOther();
  const fleet = (): FleetRelay[] => [
    { relay: other, host: "127.0.0.1", port, name: "relay.zone.test", addresses: [], draining },
  ];
  const prober = new Prober({
    self: { relay: self, host: "127.0.0.2", port: 1, addresses: [] },
    routing: {
      get names() {
        return names;
      },
      find: (asked) => (names.includes(asked) ? { node, key } : undefined),
      relaysOf: () => relays,
    },
    fleet,
    resolve: () => Promise.resolve(named),
    everyMs: 4_000,
    retryMs: 2_000,
    perSecond: 20,
    onObservation: (observation) => observations.push(observation),
    onProbe: (outcome) => outcomes.push(outcome),
    clock,
    random: Math.random,
    log: silentLog,
  });
  stack.use(prober);
  return prober;
}

const told = (count: number, what: string) => until(() => observations.length >= count, 8_000, what);
const looked = (count: number) => until(() => outcomes.length >= count, 8_000, `${count} looks`);

describe("a relay that looks at names from outside", () => {
  it("tells once that visitors get through, and soon when they do not any more, and why", async () => {
    await start();
    await told(1, "the path is up");
    expect(observations[0]).toMatchObject({ node, hostname: name, relay: other, state: "up" });
    await looked(4);
    expect(observations).toHaveLength(1);
    treat = "refuse";
    await told(2, "the path is down");
    expect(outcomes.filter((outcome) => outcome === "refused")).toHaveLength(2);
    expect(observations[1]).toMatchObject({ relay: other, state: "down", detail: "refused: internal_error" });
    treat = "serve";
    await told(3, "the path is up again");
    expect(observations[2]).toMatchObject({ state: "up" });
    expect(observations[2]).not.toHaveProperty("detail");
  });

  it("goes on with what it found down though DNS leads past it, until that is up", async () => {
    treat = "reset";
    await start();
    await told(1, "the path is down");
    expect(observations[0]).toMatchObject({
      state: "down",
      detail: "the connection was cut during the TLS handshake",
    });
    named = ["127.0.0.2"];
    relays = [self];
    treat = "serve";
    await told(2, "the path is up again");
    expect(observations[1]).toMatchObject({ relay: other, state: "up" });
  });

  it("leaves what it found down when the relay answers, and the node is led elsewhere", async () => {
    treat = "refuse";
    await start();
    await told(1, "the path is down");
    relays = [self];
    const before = outcomes.length;
    await looked(before + 1);
    await systemClock.sleep(500);
    expect(outcomes).toHaveLength(before + 1);
  });

  it("says what DNS has wrong", async () => {
    named = ["127.0.0.7"];
    await start();
    await told(1, "a foreign address");
    expect(observations[0]).toMatchObject({
      state: "down",
      detail: "DNS names 127.0.0.7, which is no relay of this fleet",
    });
    named = [];
    await told(2, "no address");
    expect(observations[1]).toMatchObject({ state: "down", detail: "DNS names no address" });
  });

  it("says nothing of names that its resolver does not answer for, and of relays that drain", async () => {
    named = undefined;
    await start();
    await looked(2);
    draining = true;
    named = ["127.0.0.1"];
    treat = "refuse";
    await systemClock.sleep(1_000);
    expect(observations).toEqual([]);
  });

  it("learns of new names, and forgets those that are gone", async () => {
    const prober = await start();
    await told(1, "the first");
    names = ["bob.zone.test"];
    prober.touch(names);
    await told(2, "the second");
    expect(observations[1]).toMatchObject({ hostname: "bob.zone.test", state: "up" });
    treat = "refuse";
    await told(3, "the second is down");
    expect(observations.slice(2).every(({ hostname }) => hostname === "bob.zone.test")).toBe(true);
  });

  it("has no more than eight handshakes under way", async () => {
    treat = "swallow";
    names = Array.from({ length: 40 }, (_, at) => `n${at}.zone.test`);
    await start();
    await until(() => open === 8, 5_000, "eight");
    await systemClock.sleep(1_000);
    expect(mostOpen).toBe(8);
  });
});
