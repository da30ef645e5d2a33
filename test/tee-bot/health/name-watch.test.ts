import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RelayEndpoint } from "../../../shared/registry/messages.ts";
import { parseNodeId } from "../../../shared/registry/node-id.ts";
import { localProxyHeader } from "../../../shared/tunnel/proxy-header.ts";
import { checkLoopback, fetchServedKey } from "../../../tee-bot/health/loopback.ts";
import { NameWatch, type NameWatchSubject } from "../../../tee-bot/health/name-watch.ts";
import { parseCertificate } from "../../../tee-bot/certificate/certificate.ts";
import { decideTrust } from "../../../tee-bot/certificate/trust.ts";
import { createTestCertificate, type TestCertificate } from "../../support/certificate.ts";
import { freePort } from "../../support/postern.ts";
import { issueUnderIntermediate, leafOf, newTlsKey } from "../support/issue.ts";
import { recordingLog } from "../support/log.ts";
import { ManualClock } from "../support/manual-clock.ts";

const serverName = "alice.test";
const relayId = parseNodeId("ab".repeat(32));
const own = await createTestCertificate({ hostnames: [serverName] });
const other = await createTestCertificate({ hostnames: [serverName] });
const spkiOf = ({ leaf }: TestCertificate): Buffer => leaf.publicKey.export({ type: "spki", format: "der" });

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

async function listen(server: Server, port = 0): Promise<RelayEndpoint> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => sockets.push(socket.on("error", () => {})));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return endpoint((server.address() as AddressInfo).port);
}
const endpoint = (port: number): RelayEndpoint => ({
  relay: relayId,
  host: "127.0.0.1",
  port,
  name: "relay.test",
});
const serving = ({ certificate: cert, key }: TestCertificate): Server =>
  createTlsServer({ cert, key }, (socket) => socket.on("error", () => {}));

const wanted = { serverName, roots: [own.certificate], spki: spkiOf(own), chain: true };

describe("the loopback check", () => {
  it("is satisfied by our key under a trusted chain", async () => {
    expect(await checkLoopback(await listen(serving(own)), wanted)).toBeUndefined();
  });

  it("tells another key, whatever its chain", async () => {
    const relay = await listen(serving(other));
    const problem = `through relay.test another key answers for ${serverName}`;
    expect(await checkLoopback(relay, { ...wanted, roots: [other.certificate] })).toBe(problem);
  });

  it("tells a chain that is not trusted, unless TLS is another's to end", async () => {
    const relay = await listen(serving(own));
    expect(await checkLoopback(relay, { ...wanted, roots: [] })).toMatch(/not trusted: .*SELF_SIGNED/);
    expect(await checkLoopback(relay, { ...wanted, roots: [], chain: false })).toBeUndefined();
  });

  it("believes a chain without a known root when it ends in what the CA sent, and no other", async () => {
    const key = newTlsKey();
    const chain = await issueUnderIntermediate(key, [serverName]);
    const another = await issueUnderIntermediate(key, [serverName]);
    const pem = key.export({ type: "pkcs8", format: "pem" }).toString();
    const relay = await listen(serving({ certificate: chain, key: pem, leaf: leafOf(chain) }));
    const spki = leafOf(chain).publicKey.export({ type: "spki", format: "der" });
    const trusting = (of: string) => {
      const { roots, partial } = decideTrust({ trust: "private", roots: [] }, parseCertificate(of));
      return { serverName, roots, partial, spki, chain: true };
    };
    expect(await checkLoopback(relay, trusting(chain))).toBeUndefined();
    expect(await checkLoopback(relay, trusting(another))).toContain("not trusted");
    expect(await checkLoopback(relay, { ...trusting(chain), partial: false })).toContain("not trusted");
  });

  it("tells that nobody answers: a closed port, an end at once, an answer that is not TLS", async () => {
    const nothing = new RegExp(`^through relay.test nothing answers for ${serverName}: `);
    expect(await checkLoopback(endpoint(await freePort()), wanted)).toMatch(nothing);
    expect(await checkLoopback(await listen(createTcpServer((socket) => void socket.end())), wanted)).toMatch(nothing);
    const garbage = createTcpServer((socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await checkLoopback(await listen(garbage), wanted)).toMatch(nothing);
  });

  it("greets a server that wants a PROXY v2 header with one, and says when such a server is not there", async () => {
    const tls = serving(own);
    const behindHeader = createTcpServer((socket) => {
      socket.once("readable", () => {
        const bytes = socket.read() as Buffer;
        if (!bytes.subarray(0, localProxyHeader.length).equals(localProxyHeader)) return socket.destroy();
        socket.unshift(bytes.subarray(localProxyHeader.length));
        tls.emit("connection", socket);
      });
    });
    const { host, port } = await listen(behindHeader);
    const asked = { host, serverName, roots: [own.certificate] };
    expect((await fetchServedKey({ ...asked, port, proxy: true })).spki).toEqual(wanted.spki);
    await expect(fetchServedKey({ ...asked, port })).rejects.toThrow("upstream-unavailable");
    await expect(fetchServedKey({ ...asked, port: await freePort(), proxy: true })).rejects.toThrow("ECONNREFUSED");
  });

  it("gives up after five seconds on one that is silent, or says a byte now and then", async () => {
    const silent = await listen(createTcpServer((socket) => void socket.resume()));
    const slow = await listen(
      createTcpServer((socket) => {
        socket.resume();
        socket.write(Buffer.from([0x16, 3, 3, 0x3f, 0xff]));
        const drip = setInterval(() => socket.write("\u0000"), 1_000);
        socket.once("close", () => clearInterval(drip));
      }),
    );
    const startedAt = performance.now();
    for (const problem of await Promise.all([checkLoopback(silent, wanted), checkLoopback(slow, wanted)]))
      expect(problem).toContain("longer than 5 s");
    expect(performance.now() - startedAt).toBeLessThan(6_500);
  });
});

describe("the watch over the name", () => {
  const healthyMs = 30_000;
  const unhealthyMs = 1_000;
  let clock: ManualClock;
  let changes: number;

  function watch(subject: () => NameWatchSubject | undefined): NameWatch {
    clock = new ManualClock();
    changes = 0;
    const watched = new NameWatch({ subject, clock, log: recordingLog(), onChange: () => changes++ });
    const stop = new AbortController();
    const ended = watched.run(stop.signal);
    stack.defer(async () => {
      stop.abort();
      await ended;
    });
    return watched;
  }
  const subjectAt = (relay: RelayEndpoint): NameWatchSubject => ({
    hostnames: [serverName],
    relays: [relay],
    roots: [own.certificate],
    spki: spkiOf(own),
    target: { kind: "gateway" },
  });

  it("looks often until the name answers, at leisure then, and at once when told", async () => {
    let subject: NameWatchSubject | undefined;
    const watched = watch(() => subject);
    expect(watched.problem).toBe("not checked yet");
    await clock.untilSleeping((ms) => ms === unhealthyMs);
    expect(watched.problem).toContain("no certificate or no tunnel");
    subject = subjectAt(await listen(serving(own)));
    clock.advance(unhealthyMs);
    await clock.untilSleeping((ms) => ms === healthyMs);
    expect(watched).toMatchObject({ problem: undefined, wasHealthy: true });
    expect(changes).toBe(2);

    subject = subjectAt(endpoint(await freePort()));
    watched.check();
    await clock.untilSleeping((ms) => ms === unhealthyMs);
    expect(watched.problem).toContain("nothing answers");
    expect(watched.wasHealthy).toBe(true);
    expect(changes).toBe(3);

    subject = subjectAt(await listen(serving(own)));
    clock.advance(unhealthyMs);
    await clock.untilSleeping((ms) => ms === healthyMs);
    expect(watched.problem).toBeUndefined();
    expect(changes).toBe(4);
  });

  it("wants every name through every relay", async () => {
    const good = await listen(serving(own));
    const bad = await listen(serving(other));
    const watched = watch(() => ({ ...subjectAt(good), relays: [good, bad] }));
    await clock.untilSleeping((ms) => ms === unhealthyMs);
    expect(watched.problem).toContain("another key answers");
  });

  it("expects of an exposed TLS server the key that it shows when asked directly", async () => {
    const server = await listen(serving(other));
    const target = { kind: "tls", host: "127.0.0.1", port: server.port, proxy: false } as const;
    const watched = watch(() => ({ ...subjectAt(server), target }));
    await clock.untilSleeping((ms) => ms === healthyMs);
    expect(watched.problem).toBeUndefined();
  });

  it("says when the exposed TLS server itself does not answer", async () => {
    const relay = await listen(serving(own));
    const target = { kind: "tls", host: "127.0.0.1", port: await freePort(), proxy: false } as const;
    const watched = watch(() => ({ ...subjectAt(relay), target }));
    await clock.untilSleeping((ms) => ms === unhealthyMs);
    expect(watched.problem).toContain("the exposed TLS server does not answer");
  });
});
