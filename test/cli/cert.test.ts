/** Transcripts of `postern cert` and `postern status`, against the real control API of a node that the test makes up. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { HistoryEntry } from "../../tee-bot/certificate/history.ts";
import { filesIn } from "../../tee-bot/config.ts";
import { startControl } from "../../tee-bot/control/control.ts";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { openTestLedger } from "../tee-bot/support/ledger.ts";
import { postern } from "./run.ts";

const day = (date: string): number => Date.parse(`${date}T08:00:00Z`);
const issued: HistoryEntry = {
  at: day("2026-03-01"),
  outcome: "issued",
  reason: "there is none yet",
  issuer: "Let's Encrypt E7",
  serial: "04AB",
  notAfter: day("2026-05-30"),
  words: "Issued by Let's Encrypt E7 for alice.example.net.",
  times: 1,
};
const failed: HistoryEntry = {
  ...issued,
  at: day("2026-04-30"),
  outcome: "failed",
  reason: "it was asked for",
  issuer: null,
  serial: null,
  notAfter: null,
  words: "No room. Wait.",
  times: 3,
};
const well: NodeStatus = {
  node: "ab".repeat(32),
  version: "1",
  tee: "none",
  epoch: 1,
  url: "https://alice.example.net",
  hostnames: ["alice.example.net", "own.example.net"],
  target: "gateway",
  gateway: "http://127.0.0.1:1",
  relays: [],
  paths: [],
  visitors: 0,
  certificate: {
    state: "valid",
    words: "Valid until 2026-05-30 08:00 UTC (60 days).",
    issuer: "Let's Encrypt E7",
    notBefore: day("2026-03-01"),
    notAfter: day("2026-05-30"),
    renewal: { at: day("2026-04-30"), source: "ari", from: day("2026-04-29"), to: day("2026-05-01") },
    trouble: null,
    last: issued,
  },
  troubles: [],
  health: {
    status: "healthy",
    hostnames: ["alice.example.net"],
    steps: [{ step: "certificate", ok: true, detail: "Valid until 2026-05-30 08:00 UTC (60 days)." }],
  },
};
const overridden = {
  detail: "Other CAs may issue for alice.example.net: its CAA records are overridden.",
  remedy: "Turn Universal SSL off for the zone.",
};

let stack: AsyncDisposableStack;
let state: string;
let status: NodeStatus;
let onRenew: () => void;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  state = stack.use(temporaryFolder()).path;
  status = well;
  onRenew = () => {};
  stack.use(
    await startControl({
      port: 0,
      path: filesIn(state).control,
      status: () => status,
      expose: () => {},
      renew: () => onRenew(),
      ledger: stack.use(openTestLedger()),
      tee: { tee: "none", reason: "." },
      clock: systemClock,
    }),
  );
});
afterEach(() => stack.disposeAsync());
const run = (...args: string[]) => postern(...args, "--state", state);
const withCertificate = (changes: Partial<NodeStatus["certificate"]>): NodeStatus => ({
  ...well,
  certificate: { ...well.certificate, ...changes },
});

describe("postern cert", () => {
  it("shows the certificate, its issuer and its renewal window", async () => {
    expect(await run("cert")).toEqual({
      code: 0,
      stderr: "",
      stdout: `valid  Valid until 2026-05-30 08:00 UTC (60 days).

  names        alice.example.net, own.example.net
  issuer       Let's Encrypt E7
  valid from   2026-03-01 08:00 UTC
  valid until  2026-05-30 08:00 UTC
  renewal      2026-04-30 08:00 UTC, in its CA's window 2026-04-29 08:00 UTC to 2026-05-01 08:00 UTC
  last order   issued 2026-03-01 08:00 UTC: there is none yet
`,
    });
  });

  it("shows what the first one waits for, and what has gone wrong, and ends with exit code 1", async () => {
    const trouble = { detail: "The token has no rights.", remedy: "Give it Zone → DNS → Edit." };
    const nothing = { issuer: null, notBefore: null, notAfter: null, renewal: null, last: null };
    const words = "Waiting for DNS: 1 of 2 resolvers see it, next look in 8 s.";
    status = { ...withCertificate({ ...nothing, state: "ordering", words, trouble }), troubles: [overridden] };
    expect(await run("cert")).toEqual({
      code: 1,
      stderr: "",
      stdout: `ordering  ${words}

  names        alice.example.net, own.example.net

  ! The token has no rights.
    → Give it Zone → DNS → Edit.
  ! Other CAs may issue for alice.example.net: its CAA records are overridden.
    → Turn Universal SSL off for the zone.
`,
    });
  });

  it("--json is the certificate with names and troubles", async () => {
    const { code, stdout } = await run("cert", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ ...well.certificate, hostnames: well.hostnames, troubles: [] });
  });
});

describe("postern cert renew", () => {
  /** The node goes through these states, one at each look. */
  function goThrough(...states: Partial<NodeStatus["certificate"]>[]): void {
    onRenew = () => {
      const timer = setInterval(() => {
        const next = states.shift();
        if (next) status = withCertificate(next);
        else clearInterval(timer);
      }, 700);
      stack.defer(() => clearInterval(timer));
    };
  }

  it("shows the words of the order until there is a new certificate", async () => {
    const last = { ...issued, at: Date.now() + 60_000 };
    goThrough({ state: "renewing", words: "Waiting for DNS." }, { last });
    expect(await run("cert", "renew")).toEqual({
      code: 0,
      stderr: "",
      stdout: `  Valid until 2026-05-30 08:00 UTC (60 days).
  Waiting for DNS.
Issued by Let's Encrypt E7 for alice.example.net.
  Valid until 2026-05-30 08:00 UTC (60 days).
`,
    });
  });

  it("says what went wrong and what to do, and ends with exit code 1", async () => {
    goThrough({
      last: { ...failed, at: Date.now() + 60_000 },
      trouble: { detail: "The CA refused.", remedy: "Mend the CAA record." },
    });
    const { code, stderr } = await run("cert", "renew");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "No new certificate was issued.\n  why:  The CA refused.\n  do:   Mend the CAA record.\n",
    });
  });

  it("--json is the certificate at the end, whatever the end was", async () => {
    goThrough({ last: { ...issued, at: Date.now() + 60_000 } });
    const good = await run("cert", "renew", "--json");
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(good.stdout)).toMatchObject({ state: "valid", last: { outcome: "issued" } });
    goThrough({ last: { ...failed, at: Date.now() + 60_000 } });
    status = well;
    const bad = await run("cert", "renew", "--json");
    expect(bad).toMatchObject({ code: 1, stderr: "" });
    expect(JSON.parse(bad.stdout)).toMatchObject({ last: { outcome: "failed" } });
  });

  it("says why nothing can be ordered", async () => {
    onRenew = () => {
      throw new AppError("not-registered", "This node has no name yet.");
    };
    const { code, stderr } = await run("cert", "renew");
    expect(code).toBe(1);
    expect(stderr).toContain("No new certificate was issued.\n  why:  This node has no name yet.\n");
  });
});

describe("postern cert history", () => {
  it("lists orders, newest last, whether the node runs or not", async () => {
    writeFileSync(join(state, "certificate-history.json"), JSON.stringify({ version: 1, entries: [issued, failed] }));
    expect(await run("cert", "history")).toEqual({
      code: 0,
      stderr: "",
      stdout: `2026-03-01 08:00 UTC  issued  (there is none yet)
  Issued by Let's Encrypt E7 for alice.example.net.
  serial 04AB, until 2026-05-30 08:00 UTC
2026-04-30 08:00 UTC  failed 3 times  (it was asked for)
  No room. Wait.
`,
    });
    expect(JSON.parse((await run("cert", "history", "--json")).stdout)).toEqual([issued, failed]);
  });

  it("says that there is none", async () => {
    expect(await run("cert", "history")).toEqual({ code: 0, stderr: "", stdout: "No order has ended yet.\n" });
    expect((await run("cert", "history", "--json")).stdout).toBe("[]\n");
  });
});

describe("postern status", () => {
  it("shows each trouble with its remedy, loudly, and ends with exit code 1", async () => {
    status = { ...well, troubles: [overridden], health: { ...well.health, status: "degraded" } };
    expect(await run("status")).toEqual({
      code: 1,
      stderr: "",
      stdout: `https://alice.example.net  degraded

  ✓ certificate   Valid until 2026-05-30 08:00 UTC (60 days).

  behind the name  gateway
  local gateway    http://127.0.0.1:1
  TEE              none: the keys are files
  also known as    own.example.net

  ! Other CAs may issue for alice.example.net: its CAA records are overridden.
    → Turn Universal SSL off for the zone.
`,
    });
  });

  it("ends with exit code 0 when all is well, and has no line of trouble", async () => {
    const { code, stdout } = await run("status");
    expect(code).toBe(0);
    expect(stdout).not.toContain("!");
  });
});
