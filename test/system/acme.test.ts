/** `npm start -- --issuer acme …` against a real ACME server and a real name server; Cloudflare's API is a stand-in. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { acmeFault } from "../support/acme/acme-proxy.ts";
import { startCertificateWorld, type CertificateWorld } from "../support/acme/certificate-world.ts";
import { cloudflareFault } from "../support/dns/cloudflare-api.ts";
import { freePort, root, startPostern, until, type Postern } from "../support/postern.ts";
import { optionsFor, runProgram, visit } from "../support/visit.ts";
import { postern as cli } from "../cli/run.ts";

const launcher = join(root, "scripts/start.ts");
const issuingMs = 40_000;

describe.each(["edge", "node"] as const)("with the ACME account at the %s, the stack", (account) => {
  let world: CertificateWorld;
  let postern: Postern;
  let state: string;
  let name: string;

  beforeAll(async () => {
    const port = await freePort();
    world = await startCertificateWorld({ pebble: { tlsPort: port } });
    state = mkdtempSync(join(tmpdir(), "postern-acme-"));
    postern = await startPostern({
      state,
      port,
      args: [...world.args, "--acme-account", account, "--alias", "alice"],
      env: world.env,
      roots: async () => (await world.pebble.roots()).join("\n"),
    });
    name = `alice.${world.zone}`;
  });

  afterAll(async () => {
    await postern[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  const recordsOf = (type: string): string[] =>
    world.store
      .now()
      .at(name)
      .filter((record) => record.type === type)
      .map(({ content }) => content);

  it("is ready once it serves a certificate of that CA for all its names", async () => {
    expect(postern.run.zone).toBe(world.zone);
    expect(postern.run.node.hostnames[0]).toBe(name);
    expect((await visit(postern, "/healthz")).status).toBe(200);
    const certificate = await served(postern);
    for (const hostname of postern.run.node.hostnames) expect(certificate.subjectaltname).toContain(`DNS:${hostname}`);
    expect(world.proxy.orders.filter(({ finalized }) => finalized)).toHaveLength(1);
  });

  it("shows on the way what it waits for", () => {
    expect(postern.stderr()).toMatch(/DNS|CA|order/);
  });

  it("writes a file with which curl trusts the name", async () => {
    const { host, port } = postern.run.relay;
    const url = `https://${name}:${port}/healthz`;
    const trust = ["--cacert", postern.caPath, "--resolve", `${name}:${port}:${host}`];
    const { code, stderr } = await runProgram("curl", ["-sS", "--fail", ...trust, url]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  it("has its relay's address in DNS, CAA records for its account alone, and no challenge left", async () => {
    expect(recordsOf("A")).toEqual(["127.0.0.1"]);
    await until(() => recordsOf("CAA").length > 0, 10_000, "the CAA record is written");
    const methods = account === "node" ? "dns-01,tls-alpn-01" : "dns-01";
    for (const content of recordsOf("CAA"))
      expect(content).toMatch(
        new RegExp(`^0 issue "ca\\.example\\.test; accounturi=https://[^\\s;]+; validationmethods=${methods}"$`),
      );
    await until(
      () => world.store.now().at(`_acme-challenge.${name}`).length === 0,
      10_000,
      "the TXT record is taken away",
    );
  });

  it("is described by postern status and postern cert history", async () => {
    const flags = ["--state", join(state, "node")];
    const status = await cli("status", ...flags);
    expect(status.stdout).toContain(`https://${name}`);
    expect(status.stdout).toMatch(/[Rr]enew/);
    const history = await cli("cert", "history", ...flags);
    expect(history.code).toBe(0);
    expect(history.stdout).toContain("issued");
  });

  it("renews when it is asked to, and an open connection stays", async () => {
    const before = await served(postern);
    const open = await dial(postern);
    const { code, stdout, stderr } = await cli("cert", "renew", "--state", join(state, "node"));
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).not.toBe("");
    const after = await served(postern);
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(open.getPeerCertificate().serialNumber).toBe(before.serialNumber);
    open.write(`GET /healthz HTTP/1.1\r\nhost: ${name}\r\nconnection: close\r\n\r\n`);
    expect(await textOf(open)).toContain("200");
  });

  it.runIf(account === "node")(
    "renews through the relay when DNS cannot be written",
    { timeout: 150_000 },
    async () => {
      const before = await served(postern);
      world.api.faults.inject("POST /dns_records/batch", cloudflareFault(503), { times: 1_000 });
      const args = [join(root, "tee-bot/cli/main.ts"), "cert", "renew", "--state", join(state, "node")];
      const { code } = await runProgram(process.execPath, args, { timeout: 140_000 });
      world.api.faults.clear();
      expect(code).toBe(0);
      expect((await served(postern)).serialNumber).not.toBe(before.serialNumber);
      expect((await visit(postern, "/healthz")).status).toBe(200);
    },
  );

  it("serves on after everything was started again, without a new certificate", async () => {
    const before = await served(postern);
    await postern.stop();
    const orders = world.proxy.orders.length;
    postern = await startPostern({
      state,
      args: [...world.args, "--acme-account", account, "--alias", "alice"],
      env: world.env,
      roots: async () => (await world.pebble.roots()).join("\n"),
    });
    expect((await served(postern)).serialNumber).toBe(before.serialNumber);
    expect(world.proxy.orders.length).toBe(orders);
  });

  it("keeps secrets out of its logs", () => {
    for (const log of ["edge", "relay", "node"]) {
      const text = readFileSync(join(state, "log", `${log}.log`), "utf8");
      expect(text).not.toContain(world.token);
      expect(text).not.toContain("PRIVATE KEY");
    }
  });
});

describe("a start that cannot work", () => {
  it.each([
    [["--issuer", "acme", "--dns", "cloudflare", "--zone", "nodes.example.test"], "CLOUDFLARE_API_TOKEN and ZONE_ID"],
    [["--issuer", "acme", "--zone", "nodes.example.test"], "--dns cloudflare"],
  ])("%j says what is missing", async (args, named) => {
    const env = { ...process.env, CLOUDFLARE_API_TOKEN: "", ZONE_ID: "" };
    const { code, stderr } = await runProgram(process.execPath, [launcher, ...args, "--json"], { env });
    expect(code).toBe(2);
    expect(stderr).toContain(named);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

it(
  "a first certificate survives a CA that is away, and an edge that is killed meanwhile",
  { timeout: 120_000 },
  async () => {
    await using world = await startCertificateWorld();
    world.proxy.faults.inject("/*", acmeFault("serverInternal", 503, { retryAfter: "1" }), { times: 1_000 });
    const starting = startPostern({
      args: [...world.args],
      env: world.env,
      roots: async () => (await world.pebble.roots()).join("\n"),
    });
    await until(() => world.proxy.faults.count("/*") > 1, issuingMs, "the CA is asked in vain");
    world.proxy.faults.clear();
    await using postern = await starting;
    expect((await visit(postern, "/healthz")).status).toBe(200);
  },
);

function dial(postern: Postern): Promise<TLSSocket> {
  const { host, port, servername, ca } = optionsFor(postern) as Record<string, string>;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), servername, ca }, () => resolve(socket));
    socket.once("error", reject);
  });
}

async function served(postern: Postern): Promise<PeerCertificate> {
  const socket = await dial(postern);
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

async function textOf(socket: TLSSocket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}
