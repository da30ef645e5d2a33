import { spawn } from "node:child_process";
import { once as onceOf } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { issue, others } from "../support/ct-certificates.ts";
import { startCtLog, type CtLog } from "../support/ct-log.ts";
import { startDohResolver } from "../support/dns/doh-resolver.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";
import { root } from "../support/postern.ts";
import { startWebhookReceiver } from "../support/webhook-receiver.ts";
import { startAttestedWorld, type AttestedWorld } from "../tee-bot/attestation/client/support/attested-world.ts";
import { postern } from "./run.ts";

const name = "alice.example.test";
let stack: AsyncDisposableStack;
let log: CtLog;
let state: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  log = stack.use(await startCtLog());
  state = stack.use(temporaryFolder()).path;
});
afterEach(() => stack.disposeAsync());

const watch = (...flags: string[]) => postern("watch", name, "--state", state, "--no-caa", "--no-ask", ...flags);
const once = (...flags: string[]) => watch("--once", "--log", `${log.url}/#${log.key}`, ...flags);
const lines = (text: string) =>
  text
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("postern watch --once", () => {
  it("ends with 0 and says nothing on stdout when every certificate has a key that is expected", async () => {
    const own = await issue([name]);
    log.add(own.precertificate, ...others(3));
    const { code, stdout, stderr } = await once("--from", "0", "--expect", own.spkiSha256.toUpperCase());
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(lines(stderr).map(({ event }) => event)).toEqual(["watch.started", "certificate.expected", "log.read"]);
  });

  it("ends with 1 and a line of JSON for each foreign certificate, of which it tells once", async () => {
    const [own, foreign] = [await issue([name]), await issue(["*.example.test"])];
    log.add(own.certificate, foreign.precertificate, foreign.certificate);
    const first = await once("--from", "0", "--expect", own.spkiSha256);
    expect(first.code).toBe(1);
    expect(lines(first.stdout)).toMatchObject([
      {
        level: "error",
        process: "watch",
        event: "certificate.foreign",
        name,
        index: 1,
        spkiSha256: foreign.spkiSha256,
      },
    ]);
    expect(await once("--expect", own.spkiSha256)).toMatchObject({ code: 1, stdout: "" });
    expect((await once("--expect", own.spkiSha256, "--expect", foreign.spkiSha256)).code).toBe(0);
  });

  it("ends with 2 when a log cannot be read", async () => {
    log.faults.inject("/checkpoint", { kind: "answer", answer: { status: 403, headers: {}, body: "" } });
    const { code, stdout, stderr } = await once("--expect", "ab".repeat(32));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(lines(stderr).at(-1)).toMatchObject({
      event: "log.unread",
      error: expect.stringContaining("status 403") as unknown,
    });
  });

  it("reads the logs of a list, and says when a key is missing", async () => {
    const list = join(state, "log_list.json");
    const tiled = [{ monitoring_url: `${log.url}/`, key: log.key, state: { usable: {} } }];
    writeFileSync(list, JSON.stringify({ operators: [{ tiled_logs: tiled }] }));
    const expected = ["--once", "--expect", "ab".repeat(32)];
    expect((await watch("--log-list", list, ...expected)).code).toBe(0);
    const { code, stderr } = await watch("--log", `${log.url}/`, ...expected);
    expect(code).toBe(0);
    expect(lines(stderr).map(({ event }) => event)).toEqual(["log.unsigned", "watch.started", "log.read"]);
  });

  it("looks at CAA records by the resolvers it is given", async () => {
    const zone = new ZoneStore("test");
    const resolver = stack.use(await startDohResolver(zone));
    zone.add({ name: "example.test", type: "CAA", content: '0 issue "other.example"' });
    const flags = ["--state", state, "--no-ask", "--log", `${log.url}/#${log.key}`, "--expect", "ab".repeat(32)];
    const caa = ["--resolver", resolver.url, "--account", "https://ca.example/acct/1"];
    const { code, stdout } = await postern("watch", name, "--once", ...flags, ...caa);
    expect(code).toBe(1);
    expect(lines(stdout)).toMatchObject([
      { event: "caa.open", openings: ["other.example may issue for any account."] },
    ]);
  });

  it("sends alerts to a webhook, whose secret comes by the environment and is nowhere shown", async () => {
    const receiver = stack.use(await startWebhookReceiver());
    log.add((await issue([name])).certificate);
    const before = process.env["POSTERN_WEBHOOK_SECRET"];
    process.env["POSTERN_WEBHOOK_SECRET"] = receiver.secret;
    try {
      const { code, stdout, stderr } = await once("--from", "0", "--webhook", receiver.url);
      expect(code).toBe(1);
      expect(receiver.deliveries).toMatchObject([{ authentic: true, body: { type: "certificate.foreign" } }]);
      expect(stdout + stderr).not.toContain(receiver.secret.slice("whsec_".length));
    } finally {
      if (before === undefined) delete process.env["POSTERN_WEBHOOK_SECRET"];
      else process.env["POSTERN_WEBHOOK_SECRET"] = before;
    }
  });
});

it("postern watch goes on until it is told to stop, and has kept then how far it came", async () => {
  log.add(...others(3));
  const flags = ["--no-caa", "--no-ask", "--state", state, "--log", `${log.url}/#${log.key}`];
  const child = spawn(process.execPath, [join(root, "tee-bot/cli/main.ts"), "watch", name, ...flags]);
  stack.defer(() => void child.kill("SIGKILL"));
  let said = "";
  child.stderr.on("data", (text) => (said += String(text)));
  const ended = onceOf(child, "exit");
  await expect.poll(() => said, { timeout: 15_000 }).toContain("log.read");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(readFileSync(join(state, "watch.json"), "utf8")).toContain('"next":3');
});

describe("postern watch of a node that attests", { timeout: 60_000 }, () => {
  const demo = "demo.postern.localhost";
  let flags: string[];
  let world: AttestedWorld;
  beforeEach(async () => {
    world = stack.use(await startAttestedWorld());
    const [ca, pki] = [join(state, "ca.pem"), join(state, "root.pem")];
    writeFileSync(ca, world.certificate.certificate);
    writeFileSync(pki, world.pki.rootPem);
    flags = ["--cacert", ca, "--simulator-root", pki, "--state", state];
    log.add({ der: world.certificate.leaf.raw });
  });
  const visit = (...more: string[]) =>
    postern("watch", demo, "--once", "--no-caa", "--from", "0", "--log", `${log.url}/#${log.key}`, ...more);
  const live = (...more: string[]) => visit("--connect", `127.0.0.1:${world.server.port}`, ...flags, ...more);

  it("takes the keys that it attests, once it is verified, and finds others foreign", async () => {
    const first = await live();
    expect(first).toMatchObject({ code: 0, stdout: "" });
    expect(lines(first.stderr)).toContainEqual(
      expect.objectContaining({ event: "key.attested", name: demo, simulated: true }),
    );
    log.add((await issue([demo])).certificate);
    const second = await live();
    expect(second.code).toBe(1);
    expect(lines(second.stdout)).toMatchObject([{ event: "certificate.foreign", name: demo, keysKnown: true }]);
  });

  it("takes nothing of a node that is refused", async () => {
    const { code, stdout, stderr } = await live("--policy", otherCode());
    expect(code).toBe(1);
    expect(lines(stdout)).toMatchObject([{ event: "certificate.foreign", keysKnown: false }]);
    expect(lines(stderr)).toContainEqual(expect.objectContaining({ event: "node.unverified", name: demo }));
  });

  it("takes the keys of a proof file, without asking", async () => {
    const proof = join(state, "proof.json");
    const url = `https://${demo}:${world.server.port}`;
    expect((await postern("verify", url, ...flags.slice(0, 4), "--save", proof)).code).toBe(0);
    expect(await visit("--no-ask", "--proof", proof, ...flags)).toMatchObject({ code: 0, stdout: "" });
    const other = await visit("--no-ask", "--proof", proof, "--state", state);
    expect(other).toMatchObject({ code: 2, stdout: "" });
    expect(other.stderr).toContain("What the node of demo.postern.localhost attests is not known");
  });

  function otherCode(): string {
    const path = join(state, "policy.yaml");
    writeFileSync(path, `compose: [${"0a".repeat(32)}]\n`);
    return path;
  }
});

describe("postern watch", () => {
  it("names everything that cannot be used", async () => {
    const wrong = ["--from", "then", "--expect", "abc", "--every", "soon", "--rate", "0", "--resolver", "x"];
    const { code, stdout, stderr } = await postern("watch", "localhost", "1.2.3.4", ...wrong);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "Nothing is watched.\n" +
        '  why:  "localhost" is no DNS name.\n' +
        '        "1.2.3.4" is no DNS name.\n' +
        "        --expect abc is no SHA-256.\n" +
        "        --resolver x is no URL.\n" +
        "        --every soon is no length of time.\n" +
        "        --from then is neither now nor a number.\n" +
        "        --rate 0 is no number from 1 to 100000.\n" +
        "  do:   postern watch --help tells what can be given.\n",
    });
  });

  it.each([
    [["--log", "http://log.example/"], "is no https:// URL of a log"],
    [["--bogus"], "unknown option"],
    [["--log", "https://log.example/#abc"], "The log's key is no base64"],
    [["--log-list", "/nowhere/log_list.json"], "cannot be read"],
    [["--log", "https://log.example/", "--webhook", "https://hooks.example/x"], "POSTERN_WEBHOOK_SECRET"],
    [[], "No log is named"],
  ])("%j is refused: %s", async (flags, words) => {
    const { code, stdout, stderr } = await watch(...flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(words);
  });
});
