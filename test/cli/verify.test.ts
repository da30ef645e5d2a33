/** Transcripts of `postern verify`, against a node on a simulated machine, and against what is none. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { checkTitles } from "../../shared/attestation/check.ts";
import { problemContentType, problemOf } from "../../shared/problem.ts";
import { version } from "../../shared/version.ts";
import { startAttestedServer } from "../tee-bot/attestation/client/support/attested-server.ts";
import { startAttestedWorld } from "../tee-bot/attestation/client/support/attested-world.ts";
import { startMiddle } from "../tee-bot/attestation/client/support/middle.ts";
import { someNode } from "../tee-bot/attestation/client/support/evidence.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { freePort } from "../support/postern.ts";
import type { Output } from "../support/visit.ts";
import { postern } from "./run.ts";

const world = await startAttestedWorld();
const { server } = world;
const folder = temporaryFolder();
const file = (name: string, content?: string): string => {
  const path = join(folder.path, name);
  if (content !== undefined) writeFileSync(path, content);
  return path;
};
const ca = file("ca.pem", world.certificate.certificate);
const root = file("root.pem", world.pki.rootPem);
const url = `https://demo.postern.localhost:${server.port}`;
const trusting = ["--cacert", ca, "--simulator-root", root];

afterEach(() => {
  server.tamper = (document) => document;
  server.respond = () => false;
});
afterAll(async () => {
  folder[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
});

/** Digests, times and ports are others each time. */
const steady = (text: string): string =>
  text
    .replaceAll(/[0-9a-f]{16,}/g, "#")
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z| UTC)/g, "<time>")
    .replaceAll(/:\d{4,5}\b/g, ":<port>");
const headOf = ({ code, stdout }: Output): { code: number; head: string[] } => ({
  code,
  head: steady(stdout).split("\n").slice(0, 2),
});

describe("postern verify", () => {
  it("says the verdict first, then why, each check, what runs there and what is open", async () => {
    const { code, stdout, stderr } = await postern("verify", url, ...trusting);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = steady(stdout);
    expect(text).toContain(`SIMULATED  https://demo.postern.localhost:<port>
Every required check passed under the root of a simulator that you named. It proves nothing: no hardware has signed.

  PASS  The evidence answers this very question
        The quote binds the nonce #… that was drawn for this question.
`);
    expect(text).toContain(`  PASS  This very TLS connection ends in the TEE
        The quote binds the secret of this very TLS connection, so nobody ends it before the TEE.
`);
    expect(text).toContain(`  SKIP  Real hardware has signed, not a simulator
        A SIMULATOR has signed, under a root that the caller named: this proves nothing.
`);
    expect(text).toContain(`What runs there:
  compose      sha256:#
  application  #
  image        node: registry.example/node@sha256:#
`);
    expect(text).toContain(`Not proven by this:
  - That it is the code you want: no policy names its compose hash, so any would pass.
`);
  });

  it("could not check a Signal identity of a node that names none, and says what may be compared", async () => {
    const { code, stdout } = await postern("verify", url, ...trusting, "--signal-identity", "12345 ".repeat(12));
    expect(code).toBe(2);
    expect(stdout).toContain("The quote names no Signal key");
    const wrong = await postern("verify", url, ...trusting, "--signal-identity", "+15550000001");
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("Give the 60 digits of the safety number");
  });

  it("refuses a simulator whose root was not named, and says how to name it", async () => {
    const { code, stdout } = await postern("verify", url, "--cacert", ca);
    expect(code).toBe(1);
    expect(steady(stdout)).toContain(`REFUSED  https://demo.postern.localhost:<port>
The quote's certificate chain does not end in the pinned root.
  → The node says itself that it runs beside a simulator. If that is yours, name its root: --simulator-root FILE
`);
    expect(stdout).not.toContain("What runs there");
  });

  it("refuses a relay that ends TLS in the middle with the stolen key", async () => {
    await using middle = await startMiddle(server.port, world.certificate);
    const answer = await postern("verify", url, ...trusting, "--connect", `127.0.0.1:${middle.port}`);
    expect(headOf(answer)).toEqual({
      code: 1,
      head: [
        "REFUSED  https://demo.postern.localhost:<port>",
        "The evidence was made for another TLS connection than this one: somebody ends TLS in between, even if with the same key.",
      ],
    });
  });

  it("could not check what is not there, what does not speak TLS 1.3, or whose name nobody vouches for", async () => {
    const nobody = await postern("verify", `https://demo.postern.localhost:${await freePort()}`);
    expect(headOf(nobody)).toEqual({
      code: 2,
      head: [
        "COULD NOT CHECK  https://demo.postern.localhost:<port>",
        "demo.postern.localhost:<port> cannot be reached: nothing listens there.",
      ],
    });
    const { certificate, quote } = world;
    const tls = { maxVersion: "TLSv1.2" } as const;
    await using old = await startAttestedServer({ certificate, domain: "demo.postern.localhost", quote, tls });
    const outdated = await postern("verify", `https://demo.postern.localhost:${old.port}`, ...trusting);
    expect(outdated).toMatchObject({ code: 2, stdout: expect.stringContaining("TLS 1.3 does not come about") });
    const untrusted = await postern("verify", url, "--simulator-root", root);
    expect(untrusted.code).toBe(2);
    expect(steady(untrusted.stdout)).toContain(`COULD NOT CHECK  https://demo.postern.localhost:<port>
Not known: The name belongs to the node that answers. The certificate is not trusted here: it is self-signed. So nobody vouches that demo.postern.localhost is this node's name.
  → If the node's certificate comes from a CA of your own, name it: --cacert FILE
`);
  });

  it("refuses a node outside a TEE, with its reason", async () => {
    server.respond = (_, response) => {
      const problem = problemOf("tee-absent", "No guest agent listens at /var/run/dstack.sock.");
      response.writeHead(503, { "content-type": problemContentType }).end(JSON.stringify(problem));
      return true;
    };
    expect(await postern("verify", url, ...trusting)).toEqual({
      code: 1,
      stderr: "",
      stdout: `REFUSED  ${url}\nThe node shows no evidence: No guest agent listens at /var/run/dstack.sock.\n`,
    });
  });

  it("lets nothing that a node says steer the terminal", async () => {
    const escape = String.fromCharCode(27);
    server.respond = (_, response) => {
      const problem = problemOf("tee-absent", `${escape}[2J${escape}[1;1HVERIFIED\r\nreally`);
      response.writeHead(503, { "content-type": problemContentType }).end(JSON.stringify(problem));
      return true;
    };
    for (const flags of [[], ["--json"]]) {
      const { code, stdout } = await postern("verify", url, ...trusting, ...flags);
      expect(code).toBe(1);
      expect(stdout).not.toContain(escape);
      expect(stdout).not.toMatch(/^VERIFIED|^really/m);
    }
  });

  it.each([[[]], [["name", "--bogus"]], [["http://demo.postern.localhost"]], [["name", "--connect", "nowhere"]]])(
    "%j is a mistake, which is not to be taken for a refusal",
    async (args) => {
      const { code, stdout, stderr } = await postern("verify", ...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).not.toBe("");
    },
  );

  it("--require makes a check count; one that does not exist is named with all that do", async () => {
    const gpu = await postern("verify", url, ...trusting, "--require", "gpu,images");
    expect(gpu.code).toBe(2);
    expect(gpu.stdout).toContain("SKIP  The GPU's own evidence is good  (required)");
    const wrong = await postern("verify", url, "--require", "gpus");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain(`"gpus" is no check. There are ${Object.keys(checkTitles).join(", ")}.`);
  });
});

describe("postern verify --policy", () => {
  it("refuses code that the policy does not name", async () => {
    const other = file("other.yaml", `compose: [${"0a".repeat(32)}]\n`);
    const refused = await postern("verify", url, ...trusting, "--policy", other);
    expect(headOf(refused)).toEqual({
      code: 1,
      head: [
        "REFUSED  https://demo.postern.localhost:<port>",
        "The measured compose text is #, which the policy does not name.",
      ],
    });
    const own = file("own.yaml", `compose: [${world.machine.composeHash.toString("hex")}]\nnode: ${someNode}\n`);
    const good = await postern("verify", url, ...trusting, "--policy", own);
    expect(good.code).toBe(0);
    expect(good.stdout).not.toContain("no policy names its compose hash");
  });

  it("tells mistakes by their place, before anything is asked", async () => {
    const policy = file("policy.yaml", "compse: []\ntcb: [Fine]\n");
    const { code, stdout, stderr } = await postern("verify", "https://nobody.example.invalid", "--policy", policy);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("policy.yaml:1:1 compse: there is no such setting · did you mean compose?");
    expect(stderr).toContain("policy.yaml:2:7 tcb[0]: not a value it can have · give one of UpToDate");
  });

  it("that is not there, and other files that are none, are told as such", async () => {
    const missing = await postern("verify", url, "--policy", file("missing.yaml"));
    expect(missing).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("missing.yaml cannot be read"),
    });
    const pem = await postern("verify", url, "--cacert", file("no.pem", "hello"));
    expect(pem).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("no.pem holds no certificate") });
    const proof = await postern("verify", file("missing.json"));
    expect(proof).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("There is no file") });
  });
});

describe("postern verify --json", () => {
  it("is the report in a stable form", async () => {
    const { code, stdout } = await postern("verify", url, ...trusting, "--json");
    const report = JSON.parse(stdout) as Record<string, unknown> & { checks: { id: string; title: string }[] };
    expect(code).toBe(0);
    expect(Object.keys(report)).toEqual([
      "version",
      "tool",
      "subject",
      "verdict",
      "exit_code",
      "reason",
      "recorded",
      "address",
      "checked_at",
      "clock",
      "required",
      "checks",
      "measured",
      "node_id",
      "keyset",
      "images",
      "not_proven",
    ]);
    expect(report).toMatchObject({
      version: "postern.verification/1",
      tool: `postern ${version}`,
      subject: url,
      verdict: "simulated",
      exit_code: 0,
      recorded: false,
      address: `127.0.0.1:${server.port}`,
      node_id: someNode,
    });
    for (const { id, title } of report.checks) expect(title).toBe(checkTitles[id as keyof typeof checkTitles]);
  });

  it("has a report, too, where nothing could be checked", async () => {
    const { code, stdout } = await postern("verify", `https://demo.postern.localhost:${await freePort()}`, "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "unknown", exit_code: 2, checks: [], address: null });
  });
});

describe("postern verify --save", () => {
  const proof = file("proof.json");
  let saved: Output;
  beforeAll(async () => {
    saved = await postern("verify", url, ...trusting, "--save", proof);
  });

  it("writes a proof and says how to check it again", () => {
    expect(saved.code).toBe(0);
    expect(saved.stdout).toContain(`  → The proof is in ${proof}. Check it again with: postern verify ${proof}\n`);
    expect(JSON.parse(readFileSync(proof, "utf8"))).toMatchObject({ version: "postern.proof/1", url });
  });

  it("says what kept it from being written, after the report, and does not end well then", async () => {
    const { code, stdout, stderr } = await postern("verify", url, ...trusting, "--save", file("no/such/folder.json"));
    expect({ code, stdout }).toEqual({ code: 2, stdout: expect.stringMatching(/^SIMULATED /) });
    expect(stderr).toMatch(/^The proof was not written\.\n {2}why: {2}ENOENT/);
    expect(await postern("verify", proof, "--save", file("copy.json"))).toMatchObject({ code: 2, stdout: "" });
  });

  it("whose file is checked again without the node, and says whose word the rest is", async () => {
    const { code, stdout } = await postern("verify", proof, ...trusting);
    expect(code).toBe(0);
    expect(steady(stdout)).toContain("SIMULATED  https://demo.postern.localhost:<port> as recorded in proof.json\n");
    expect(stdout).toContain(
      "The quote binds the recorded value; that it was the value of their own connection is the word of",
    );
    expect(stdout).toContain("  - Time, nonce and connection: they are the word of whoever recorded it.\n");
    expect((await postern("verify", proof, "--cacert", ca)).code).toBe(1);
  });

  it("whose file is refused once a byte of it is changed, or it is none", async () => {
    const changed = readFileSync(proof, "utf8").replace(
      /("exporter": ")(..)/,
      (_, before, byte) => `${before}${byte === "00" ? "01" : "00"}`,
    );
    const refused = await postern("verify", file("changed.json", changed), ...trusting);
    expect(refused.code).toBe(1);
    const none = await postern("verify", file("none.json", "{}"), ...trusting);
    expect(none).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("It is no proof file") });
  });
});
