import { spawn } from "node:child_process";
import { once } from "node:events";
import { X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startPebble } from "../support/acme/pebble.ts";
import { getOverTls } from "../support/acme/tls-get.ts";
import { startZoneServer } from "../support/dns/zone-server.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";
import { startSession } from "./acme-session.ts";

const zone = "nodes.example.test";
const dayMs = 86_400_000;

test("Pebble issues, with a chain to its first root, for as long as it is told", async () => {
  const store = new ZoneStore(zone);
  await using dns = await startZoneServer(store);
  const options = { dnsServer: dns.address, validitySeconds: 6 * 86_400, chainLength: 2, alternateRoots: 1 };
  await using pebble = await startPebble({ ...options, strict: true, nonceReject: 5 });
  expect(pebble.output()).toContain("reject 5% of good nonces");
  const session = await startSession(pebble.directory, pebble.tls.root);
  const { chain } = await session.issue(`a.${zone}`, (name, content) => void store.add({ name, type: "TXT", content }));
  const [leaf, issuer, last, ...more] = chain.split(/(?<=-----END CERTIFICATE-----)\s+/).filter((pem) => pem !== "");
  const roots = (await pebble.roots()).map((pem) => new X509Certificate(pem));
  const [leafX509, issuerX509, lastX509] = [leaf, issuer, last].map((pem) => new X509Certificate(pem ?? ""));
  expect(more).toEqual([]);
  expect(roots).toHaveLength(2);
  expect(leafX509?.checkIssued(issuerX509 as X509Certificate)).toBe(true);
  expect(lastX509?.verify((roots[0] as X509Certificate).publicKey)).toBe(true);
  expect(leafX509?.validToDate.getTime()).toBeLessThan(Date.now() + 6 * dayMs);
  expect(dns.queries.map(({ type }) => type)).not.toContain("CAA"); // it does not look: the proxy does
});

test("Pebble demands a bound account, and loses it when it starts again at the same port", async () => {
  const store = new ZoneStore(zone);
  await using dns = await startZoneServer(store);
  const hmacKey = Buffer.alloc(32, 7).toString("base64url");
  await using pebble = await startPebble({ dnsServer: dns.address, externalAccounts: { "kid-1": hmacKey } });
  const { directory, tls, pid } = pebble;
  expect(JSON.parse((await getOverTls(directory, tls.root)).body)).toMatchObject({
    meta: { externalAccountRequired: true },
  });
  await expect(startSession(directory, tls.root)).rejects.toThrow(/externalAccountBinding/);
  const { client } = await startSession(directory, tls.root, { kid: "kid-1", hmacKey });
  await pebble.restart();
  expect(pebble.pid).not.toBe(pid);
  const order = client.createOrder({ identifiers: [{ type: "dns", value: `a.${zone}` }] });
  await expect(order).rejects.toThrow(/Account/i);
});

test("Pebble ends with the process that started it, even if that is killed", async () => {
  const program = `
    import { startPebble } from ${JSON.stringify(new URL("../support/acme/pebble.ts", import.meta.url).href)};
    const pebble = await startPebble({ dnsServer: "127.0.0.1:53" });
    console.log(JSON.stringify([pebble.pid, pebble.caPath]));`;
  const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", program]);
  onTestFinished(() => void parent.kill("SIGKILL"));
  const [line] = (await once(parent.stdout, "data", { signal: AbortSignal.timeout(15_000) })) as [Buffer];
  const [pid, caPath] = JSON.parse(line.toString()) as [number, string];
  expect(isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  const deadline = Date.now() + 5_000;
  while (isAlive(pid) && Date.now() < deadline) await sleep(20);
  const outlived = isAlive(pid);
  if (outlived) process.kill(pid, "SIGKILL");
  rmSync(dirname(caPath), { recursive: true });
  expect(outlived).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
