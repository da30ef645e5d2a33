import { X509Certificate as NodeCertificate, createPrivateKey, createPublicKey, createHash } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { QuoteVerifier, Quote } from "@phala/dcap-qvl";
import { X509Certificate } from "@peculiar/x509";
import { ed25519 } from "@noble/curves/ed25519.js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { silentLog } from "../../../../shared/log.ts";
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../../../tee-bot/attestation/simulator/simulator.ts";
import { askAgent, callAgent } from "../../../support/agent-request.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("a simulated guest agent", () => {
  let state: string;
  let simulator: Simulator;

  const start = (options: Partial<SimulatorOptions> = {}): Promise<Simulator> =>
    startSimulator({ state, clock: systemClock, log: silentLog, quoteMs: 0, ...options });
  const restart = async (options: Partial<SimulatorOptions>): Promise<void> => {
    await simulator[Symbol.asyncDispose]();
    simulator = await start(options);
  };
  const call = (path: string, body?: unknown) => callAgent(simulator.socket, path, body);
  const ask = (path: string, body?: unknown) => askAgent(simulator.socket, path, body);

  beforeEach(async () => {
    state = mkdtempSync(join(tmpdir(), "postern-tee-"));
    simulator = await start();
  });
  afterEach(async () => {
    await simulator[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  it("says in every answer that it is none, refusals included", async () => {
    for (const path of ["/Info", "/Version", "/GetQuote?report_data=00", "/GpuInfo", "/GetKey?path=x", "/Nothing"]) {
      const { headers, text } = await ask(path);
      expect(JSON.parse(text)).toMatchObject({ simulated: true });
      expect(headers["x-simulated"]).toBe("true");
    }
  });

  it("gives a quote that verifies under its own root, with the caller's bytes filled with zeros", async () => {
    for (const answer of [await call("/GetQuote", { report_data: "1234" }), await call("/GetQuote?report_data=1234")]) {
      expect(answer["report_data"]).toBe(`1234${"00".repeat(62)}`);
      const quote = Buffer.from(String(answer["quote"]), "hex");
      const collateral = await simulator.pki.createCollateral({ now: Date.now() });
      const verifier = new QuoteVerifier(Buffer.from(simulator.pki.root));
      const { report } = verifier.verify(quote, collateral, Math.ceil(Date.now() / 1000));
      expect(hex(report.asTd10()?.reportData ?? Buffer.of())).toBe(answer["report_data"]);
      expect(Object.keys(answer)).toEqual(["quote", "event_log", "report_data", "vm_config", "simulated"]);
    }
  });

  it.each([
    ["/GetQuote", { report_data: "00".repeat(65) }, "Report data is too long"],
    ["/Attest", { report_data: "00".repeat(65) }, "Report data is too long"],
    ["/GetQuote", { report_data: "0" }, "invalid hex"],
    ["/GetQuote", '{"report_data"', "Failed to decode request"],
    ["/GetKey", { path: 7 }, "Failed to decode request"],
    ["/GetKey", { path: "x", algorithm: "rsa" }, "Unsupported algorithm"],
    ["/Sign", { algorithm: "", data: "00" }, "Unsupported algorithm"],
    ["/Sign", { algorithm: "secp256k1_prehashed", data: "00" }, "requires a 32-byte digest"],
    ["/Verify", { algorithm: "ed25519", data: "00", signature: "00", public_key: "00" }, "invalid public key"],
    ["/GetTlsKey", { subject: "x", not_before: 20, not_after: 10 }, "not_before must be earlier"],
    ["/EmitEvent", { event: "x", payload: "" }, "Service not found: EmitEvent"],
    ["/DeriveKey", { path: "x" }, "Service not found: DeriveKey"],
  ])("refuses %s of %j with status 400 and a text in several lines", async (path, body, reason) => {
    const { status, text } = await ask(path, body);
    expect(status).toBe(400);
    expect((JSON.parse(text) as { error: string }).error).toContain(reason);
    expect(text.split("\n").length).toBeGreaterThan(2);
  });

  it("does not know other paths and methods, without JSON", async () => {
    for (const [path, method] of [
      ["/prpc/Tappd.Info", "GET"],
      ["/", "GET"],
      ["/Info", "DELETE"],
    ] as const) {
      const { status, text } = await askAgent(simulator.socket, path, undefined, { method });
      expect([status, text.includes("{")]).toEqual([404, false]);
    }
  });

  it("wants to be spoken to in JSON", async () => {
    const plain = { headers: { "content-type": "text/plain" } };
    expect((await askAgent(simulator.socket, "/Info", "{}", plain)).status).toBe(400);
    expect((await askAgent(simulator.socket, "/Info?json", "{}", plain)).status).toBe(200);
  });

  it("takes bodies of 10 MiB and no more, and connections again and again", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const data = (bytes: number) => JSON.stringify({ algorithm: "ed25519", data: "00".repeat(bytes) });
    const sized = (body: string) =>
      askAgent(simulator.socket, "/Sign", body, { agent, headers: { "content-type": "application/json" } });
    expect((await sized(data(1_000_000))).status).toBe(200);
    const { status, text } = await sized(data(6_000_000));
    expect([status, text]).toEqual([400, expect.stringContaining("payload too large") as string]);
    agent.destroy();
  });

  it("tells of the machine what its quotes and its log have", async () => {
    const info = await call("/Info");
    const tcb = JSON.parse(String(info["tcb_info"])) as Record<string, string>;
    const { quote } = await call("/GetQuote", {});
    const td = Quote.parse(Buffer.from(String(quote), "hex")).report.asTd10();
    expect(tcb["rtmr3"]).toBe(hex(td?.rtMr3 ?? Buffer.of()));
    expect(tcb["mrtd"]).toBe(hex(td?.mrTd ?? Buffer.of()));
    expect(info["compose_hash"]).toBe(createHash("sha256").update(String(tcb["app_compose"])).digest("hex"));
    expect(info["compose_hash"]).toBe(simulator.composeHash);
    expect(info).toMatchObject({ app_name: "postern-simulated", simulated: true, cloud_vendor: "SIMULATOR" });
  });

  it("measures the user's own text, whatever it is written in", async () => {
    const compose = '{\n  "name": "café — 東京"\n}\n';
    await restart({ compose });
    const info = await call("/Info");
    expect(info["app_name"]).toBe("café — 東京");
    expect(info["compose_hash"]).toBe(createHash("sha256").update(compose).digest("hex"));
    expect((JSON.parse(String(info["tcb_info"])) as { app_compose: string }).app_compose).toBe(compose);
    await restart({ compose: "services: {}" });
    expect((await call("/Info"))["app_name"]).toBe("");
  });

  it("derives the same keys after each start, and others for another application", async () => {
    const key = async (): Promise<unknown> =>
      (await call("/GetKey", { path: "postern/identity", purpose: "x" }))["key"];
    const first = await key();
    const { root, keyProvider } = simulator;
    await restart({});
    expect(await key()).toBe(first);
    expect([simulator.root, simulator.keyProvider]).toEqual([root, keyProvider]);
    await restart({ compose: "other" });
    expect(await key()).not.toBe(first);
  });

  it.each(["ed25519", "secp256k1", "k256"])(
    "signs with one key for the whole application, and verifies: %s",
    async (algorithm) => {
      const signed = await call("/Sign", { algorithm, data: "abcd" });
      const { signature, public_key, signature_chain } = signed as {
        signature: string;
        public_key: string;
        signature_chain: string[];
      };
      expect(signature_chain).toHaveLength(3);
      expect(signature_chain[0]).toBe(signature);
      const verify = async (data: string) =>
        (await call("/Verify", { algorithm, data, signature, public_key }))["valid"];
      expect(await verify("abcd")).toBe(true);
      expect(await verify("abce")).toBe(false);
      const { key } = await call("/GetKey", { path: "vms", purpose: "signing", algorithm });
      if (algorithm === "ed25519") expect(hex(ed25519.getPublicKey(Buffer.from(String(key), "hex")))).toBe(public_key);
    },
  );

  it("makes a fresh TLS key on each call, with a certificate of its own CA", async () => {
    const request = { subject: "CN=odd, name", alt_names: ["a.test", "b.test"], usage_server_auth: true };
    const [one, two] = [await call("/GetTlsKey", request), await call("/GetTlsKey", request)] as {
      key: string;
      certificate_chain: [string, string];
    }[];
    if (!one || !two) throw new Error("unreachable");
    expect(one.key).not.toBe(two.key);
    const [leaf, ca] = one.certificate_chain.map((pem) => new NodeCertificate(pem));
    if (!leaf || !ca) throw new Error("unreachable");
    expect(leaf.verify(ca.publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(one.key))).toBe(true);
    expect(leaf.subject).toBe("CN=CN=odd\\, name");
    expect(leaf.subjectAltName).toBe("DNS:a.test, DNS:b.test");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(new X509Certificate(one.certificate_chain[0]).getExtension("1.3.6.1.4.1.62397.1.1")).toBeNull();
  });

  it("puts a quote over the key into a certificate for RA-TLS", async () => {
    const { key, certificate_chain } = (await call("/GetTlsKey", { subject: "x", usage_ra_tls: true })) as {
      key: string;
      certificate_chain: [string];
    };
    const extension = new X509Certificate(certificate_chain[0]).getExtension("1.3.6.1.4.1.62397.1.1");
    const value = new Uint8Array(extension?.value ?? new ArrayBuffer(0));
    const quote = Quote.parse(value.subarray(4)); // an OCTET STRING of two bytes of length
    const spki = createPublicKey(key).export({ type: "spki", format: "der" });
    const expected = createHash("sha512").update("ratls-cert:").update(spki).digest("hex");
    expect(hex(quote.report.asTd10()?.reportData ?? Buffer.of())).toBe(expected);
  });

  it("makes one quote at a time, as hardware does", async () => {
    await restart({ quoteMs: 30 });
    const startedAt = performance.now();
    await Promise.all([1, 2, 3, 4].map((n) => call("/GetQuote", { report_data: `0${n}` })));
    expect(performance.now() - startedAt).toBeGreaterThan(110);
  });

  it("of generation 0.5 extends RTMR3 with events, and knows nothing of GPUs", async () => {
    await restart({ generation: "0.5" });
    const before = JSON.parse(String((await call("/Info"))["tcb_info"])) as { rtmr3: string };
    const { status, text } = await ask("/EmitEvent", { event: "mine", payload: "c0ffee" });
    expect([status, text]).toEqual([200, ""]);
    const { quote, event_log } = await call("/GetQuote", {});
    expect((JSON.parse(String(event_log)) as object[]).at(-1)).toMatchObject({
      event: "mine",
      event_payload: "c0ffee",
    });
    expect(hex(Quote.parse(Buffer.from(String(quote), "hex")).report.asTd10()?.rtMr3 ?? Buffer.of())).not.toBe(
      before.rtmr3,
    );
    expect((await ask("/GpuInfo")).text).toContain("Service not found: GpuInfo");
    expect((await call("/Version"))["version"]).toBe("0.5.11");
  });

  it("speaks tappd's language on a socket of its own", async () => {
    const tappdSocket = join(state, "tappd.sock");
    await restart({ tappdSocket });
    const tappd = (name: string, body: unknown) => callAgent(tappdSocket, `/prpc/Tappd.${name}`, body);
    const reportDataOf = ({ quote }: Record<string, unknown>): string =>
      hex(Quote.parse(Buffer.from(String(quote), "hex")).report.asTd10()?.reportData ?? Buffer.of());
    const hashed = await tappd("TdxQuote", { report_data: "1234" });
    expect(hashed).toMatchObject({ hash_algorithm: "sha512", prefix: "app-data" });
    const content = Buffer.concat([Buffer.from("app-data:"), Buffer.from("1234", "hex")]);
    expect(reportDataOf(hashed)).toBe(createHash("sha512").update(content).digest("hex"));
    expect(reportDataOf(await tappd("RawQuote", { report_data: "07".repeat(64) }))).toBe("07".repeat(64));
    const short = await askAgent(tappdSocket, "/prpc/Tappd.RawQuote", { report_data: "07" });
    expect([short.status, short.text]).toEqual([400, expect.stringContaining("invalid content length") as string]);
    const k256 = await tappd("DeriveK256Key", { path: "a", purpose: "b" });
    expect(k256["k256_key"]).toBe((await call("/GetKey", { path: "a", purpose: "b" }))["key"]);
    const [one, same, random] = [
      await tappd("DeriveKey", { path: "a", subject: "x" }),
      await tappd("DeriveKey", { path: "a", subject: "x" }),
      await tappd("DeriveKey", { path: "a", subject: "x", random_seed: true }),
    ];
    expect(same["key"]).toBe(one["key"]);
    expect(random["key"]).not.toBe(one["key"]);
    expect((await askAgent(tappdSocket, "/Info")).status).toBe(404);
  });

  it("tells anybody who can reach the machine what the application allows, and nothing secret", async () => {
    await restart({ workerPort: 0 });
    const worker = async (name: string): Promise<Record<string, unknown>> =>
      (await (await fetch(`${simulator.worker}/prpc/Worker.${name}`)).json()) as Record<string, unknown>;
    const { public_key } = await call("/Sign", { algorithm: "ed25519", data: "" });
    const { report_data } = await worker("GetAttestationForAppKey?algorithm=ed25519");
    const told = Buffer.from(String(report_data), "hex").toString().replaceAll("\0", "");
    expect(told).toBe(`dip1::ed25519-pk:${Buffer.from(String(public_key), "hex").toString("base64url")}`);
    expect(await worker("Info")).toMatchObject({ tcb_info: expect.stringContaining("mrtd") as string });
    expect(await worker("GetKey?path=x")).toMatchObject({ error: "Service not found: GetKey" });
    await restart({ workerPort: 0, compose: '{"name":"shy","public_tcbinfo":false}' });
    expect(await worker("Info")).toMatchObject({ app_name: "shy", tcb_info: "", vm_config: "" });
    expect((await call("/Info"))["tcb_info"]).toContain("mrtd"); // the application itself sees it
  });

  it("answers nonsense with 400 or 404, and goes on", async () => {
    const bodies = ["null", "[]", "7", '"x"', "{".repeat(1_000), `{"report_data":${"[".repeat(10_000)}`, "\u0000"];
    for (const body of bodies) expect((await ask("/GetQuote", body)).status).toBe(400);
    for (const path of ["//", "/%ff", "/GetQuote?report_data=zz", "/GetTlsKey?not_after=1e15", "/Info/x", "/__proto__"])
      expect([path, [400, 404].includes((await ask(path)).status)]).toEqual([path, true]);
    expect((await ask("/GetTlsKey", { not_before: 1, not_after: 1e15 })).status).toBe(400);
    expect((await ask("/Info")).status).toBe(200);
  });

  it("keeps a log of limited length", async () => {
    await restart({ generation: "0.5" });
    const large = await ask("/EmitEvent", { event: "x", payload: "00".repeat(20_000) });
    expect([large.status, large.text]).toEqual([400, expect.stringContaining("too large") as string]);
  });

  it("fails in the ways that it is told to", async () => {
    simulator.faults.withoutQuotes = true;
    expect((await ask("/GetQuote", {})).text).toContain("Failed to get quote");
    simulator.faults.withoutQuotes = false;
    expect((await ask("/GetQuote", {})).status).toBe(200); // the queue goes on after a failure
    simulator.faults.broken = true;
    expect(await ask("/Info")).toMatchObject({ status: 500, text: expect.stringContaining("<h1>") as string });
    simulator.faults.broken = false;
    simulator.faults.delayMs = 80;
    const startedAt = performance.now();
    await call("/Info");
    expect(performance.now() - startedAt).toBeGreaterThan(75);
    simulator.faults.hangUp = true;
    await expect(ask("/Info")).rejects.toThrow(/aborted|hang up/);
  });

  it("opens its socket to its user alone, takes over a dead one, and leaves none behind", async () => {
    const { socket } = simulator;
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await expect(start()).rejects.toThrow(/A process listens at/);
    await simulator[Symbol.asyncDispose]();
    expect(existsSync(socket)).toBe(false);
    writeFileSync(socket, "");
    await expect(start()).rejects.toThrow(/no socket/);
    rmSync(socket);
    simulator = await start();
    await expect(start({ socket: `/tmp/${"x".repeat(120)}` })).rejects.toThrow(/too long/);
  });
});
