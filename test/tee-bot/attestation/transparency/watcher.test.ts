import { randomBytes, randomInt } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { decideVerdict } from "../../../../tee-bot/attestation/transparency/watcher.ts";
import { issue, others, type IssuedCertificate } from "../../../support/ct-certificates.ts";
import { garbage, htmlPage, type Answer, type Fault } from "../../../support/faults.ts";
import type { CtLog } from "../../../support/ct-log.ts";
import { account, name, startWatchWorld, type WatchWorld } from "../../support/watch-world.ts";

const never = new AbortController().signal;
const bound = `0 issue "ca.example; accounturi=${account}"`;
let world: WatchWorld;
let log: CtLog;
let own: IssuedCertificate;
beforeEach(async () => {
  world = await startWatchWorld();
  [log] = world.logs as [CtLog];
  own = await issue([name]);
  world.attested = { spkiSha256: [own.spkiSha256], acmeAccounts: undefined, simulated: false };
});
afterEach(() => world[Symbol.asyncDispose]());

const once = (options?: Parameters<WatchWorld["start"]>[0]) => world.start(options).once(never);
const told = () => world.alerts.map(({ event }) => event);

describe("a watcher", () => {
  it("is content with certificates whose key the node attests, as certificate and as precertificate", async () => {
    log.add(...others(3), own.precertificate, own.certificate, ...others(300));
    expect(await once({ from: 0 })).toBe(0);
    expect(told()).toEqual([]);
    expect(world.said.filter(({ event }) => event === "certificate.expected")).toHaveLength(2);
    expect(world.said.find(({ event }) => event === "log.read")?.fields).toMatchObject({ entries: 305, next: 305 });
  });

  it.each([[[name]], [["ALICE.example.test"]], [["*.example.test"]], [["bob.example.org", name]]])(
    "tells of a foreign certificate for %j: on its output, to the webhook, by its verdict",
    async (names) => {
      const foreign = await issue(names);
      const index = log.add(...others(299), foreign.precertificate) + 299;
      expect(await once({ from: 0 })).toBe(1);
      const facts = {
        name,
        log: log.url,
        index,
        kind: "precertificate",
        spkiSha256: foreign.spkiSha256,
        issuer: "CN=Test CA, O=Stand-in",
        names,
        keysKnown: true,
      };
      expect(world.alerts).toMatchObject([{ level: "error", event: "certificate.foreign", fields: facts }]);
      expect(world.receiver.deliveries).toMatchObject([
        { authentic: true, body: { type: "certificate.foreign", data: facts } },
      ]);
    },
  );

  it("does not mind certificates for other names", async () => {
    for (const names of [["bob.example.test"], ["a.alice.example.test"], ["alice.example.test.evil.org"]])
      log.add((await issue(names)).certificate);
    expect(await once({ from: 0 })).toBe(0);
  });

  it("tells once of one certificate: as precertificate, as certificate, in the next run; the verdict stays", async () => {
    const foreign = await issue([name]);
    log.add(foreign.precertificate, foreign.certificate);
    expect(await once({ from: 0 })).toBe(1);
    log.add(foreign.certificate);
    expect(await once()).toBe(1);
    expect(told()).toEqual(["certificate.foreign"]);
    expect(world.receiver.deliveries).toHaveLength(1);
    expect(await once({ expected: [foreign.spkiSha256] })).toBe(0);
    expect(told()).toEqual(["certificate.foreign", "certificate.explained"]);
  });

  it("asks the node again before it calls a key foreign: it may be a new one", async () => {
    expect(await once()).toBe(0);
    const next = await issue([name]);
    world.attested = { spkiSha256: [next.spkiSha256], acmeAccounts: undefined, simulated: false };
    log.add(next.certificate, own.certificate);
    expect(await once()).toBe(0); // the key before is known from the first run
    expect(told()).toEqual([]);
  });

  it("asks the node again also while it reads, when that is a minute ago", async () => {
    const next = await issue([name]);
    log.add(next.certificate);
    log.faults.inject("/checkpoint", { kind: "delay", ms: 200 }); // 200 s of the watcher's clock
    const verdict = once({ from: 0 });
    while (world.asked === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    world.attested = { spkiSha256: [next.spkiSha256], acmeAccounts: undefined, simulated: false };
    expect(await verdict).toBe(0);
    expect(world.asked).toBe(2);
  });

  it("takes back what the node explains later", async () => {
    const next = await issue([name]);
    log.add(next.certificate);
    expect(await once({ from: 0 })).toBe(1);
    world.attested = { spkiSha256: [next.spkiSha256], acmeAccounts: undefined, simulated: false };
    expect(await once()).toBe(0);
    expect(told()).toEqual(["certificate.foreign", "certificate.explained"]);
  });

  it("does not take a simulator's word unless it is told to, in this run or a later one", async () => {
    world.attested = { spkiSha256: [own.spkiSha256], acmeAccounts: undefined, simulated: true };
    log.add(own.certificate);
    expect(await once({ from: 0, simulated: true })).toBe(0);
    log.add(own.certificate);
    expect(await once()).toBe(1);
    expect(world.alerts).toMatchObject([{ event: "certificate.foreign", fields: { keysKnown: false } }]);
  });

  it("without any key that is known calls all foreign, and nothing checked", async () => {
    world.attested = undefined;
    expect(await once()).toBe(2);
    log.add(own.certificate);
    expect(await once()).toBe(1);
    expect(world.alerts[0]?.fields).toMatchObject({ keysKnown: false });
  });

  it("tells of an entry that mentions a name and cannot be read; others that cannot be read are nobody's", async () => {
    const index = log.add(...others(2), { der: Buffer.from(`garbage for ${name} and nobody else`) }) + 2;
    expect(await once({ from: 0 })).toBe(1);
    expect(world.alerts).toMatchObject([{ event: "certificate.unreadable", fields: { log: log.url, index } }]);
  });

  it("begins at the present end of a log, and afterwards where it left off", async () => {
    const foreign = await issue([name]);
    log.add(foreign.certificate, ...others(300));
    expect(await once()).toBe(0);
    expect(log.faults.count("/tile/data/000")).toBe(0);
    log.add(...others(10));
    expect(await once()).toBe(0);
    expect(log.faults.count("/tile/data/000")).toBe(0);
    expect(world.said.filter(({ event }) => event === "log.read").map(({ fields }) => fields["entries"])).toEqual([
      0, 10,
    ]);
  });

  it("that was interrupted goes on with what it had not read", async () => {
    log.add(...others(700), (await issue([name])).certificate);
    log.faults.inject("/tile/data/001", { kind: "drop", when: "before" }, { times: 4 });
    expect(await once({ from: 0 })).toBe(2);
    expect(await once()).toBe(1);
    expect(log.faults.count("/tile/data/000")).toBe(1);
  });

  it("cannot read a log from beyond its end", async () => {
    log.add(...others(5));
    expect(await once({ from: 6 })).toBe(2);
    expect(world.said.find(({ event }) => event === "log.unread")?.fields["error"]).toContain("The log has 5 entries");
  });
});

describe("a log that cannot be believed", () => {
  beforeEach(async () => {
    log.add(...others(300));
    expect(await once()).toBe(0);
  });

  it("with another history is told of, by its output and the webhook, and nothing of it is taken over", async () => {
    log.rewind(100);
    log.add(...others(300));
    expect(await once()).toBe(2);
    expect(world.alerts).toMatchObject([{ event: "log.refused", fields: { log: log.url } }]);
    expect(String(world.alerts[0]?.fields["detail"])).toContain("another history");
    expect(world.receiver.deliveries).toHaveLength(1);
    expect(await once()).toBe(2);
  });

  it("whose head somebody else has signed is told of", async () => {
    log.signWith();
    expect(await once()).toBe(2);
    expect(told()).toEqual(["log.refused"]);
  });

  it("that gives an entry which is not in its tree is told of when it does so twice", async () => {
    const swap = (body: Buffer | string): Buffer => Buffer.concat([Buffer.from(body).fill(1, 20, 30)]);
    const fault = {
      kind: "rewrite",
      rewrite: (answer: { body: Buffer | string }) => ({ ...answer, body: swap(answer.body) }),
    } as never;
    log.gzip = false;
    log.add(...others(10));
    log.faults.inject("/tile/data/*/*", fault, { times: 1 });
    expect(await once()).toBe(0);
    expect(told()).toEqual([]);
    log.add(...others(10));
    log.faults.inject("/tile/data/*/*", fault, { times: 2 });
    expect(await once()).toBe(2);
    expect(told()).toEqual(["log.refused"]);
    expect(await once()).toBe(0);
  });

  it("that shows an old head, or a smaller one, cannot be checked", async () => {
    log.skewMs = -25 * 3_600_000;
    expect(await once()).toBe(2);
    log.skewMs = 0;
    log.rewind(200);
    expect(await once()).toBe(2);
    expect(world.said.filter(({ event }) => event === "log.unread").map(({ fields }) => fields["error"])).toEqual([
      expect.stringContaining("The log's head is 25 hours old"),
      expect.stringContaining("The log shows a head of 200 entries, and had 300 before."),
    ]);
    expect(told()).toEqual([]);
  });
});

describe("whatever a log answers", () => {
  const noise = (answer: Answer): Answer => ({ ...answer, headers: {}, body: randomBytes(3_000) });
  const bits = (answer: Answer): Answer => {
    const body = Buffer.from(answer.body);
    for (let at = 0; at < 8; at++) body[randomInt(body.length)]! ^= 1 << randomInt(8);
    return { ...answer, body };
  };
  const faults: readonly (readonly [string, Fault])[] = [
    ["a page", htmlPage(200)],
    ["nothing", garbage("")],
    ["noise", { kind: "rewrite", rewrite: noise }],
    ["other bits", { kind: "rewrite", rewrite: bits }],
    ["half of it", { kind: "truncate" }],
    ["an error", htmlPage(500)],
    [
      "packing that is none",
      { kind: "rewrite", rewrite: (answer) => ({ ...answer, headers: { "content-encoding": "gzip" } }) },
    ],
  ];
  const paths = ["/checkpoint", "/tile/0/*", "/tile/0/*/*", "/tile/1/*/*", "/tile/data/*", "/tile/data/*/*"];

  it.each(paths.flatMap((path) => faults.map(([what, fault]) => [path, what, fault] as const)))(
    "at %s, such as %s, it finds what is there or cannot check, and checks when the log is well again",
    async (path, _, fault) => {
      log.gzip = false;
      log.add(...others(300), own.certificate);
      const injected = log.faults.inject(path, fault, { times: 99 });
      expect([0, 2]).toContain(await once({ from: 0 }));
      injected.remove();
      expect(await once({ from: 0 })).toBe(0);
      expect(told().every((event) => event === "log.refused")).toBe(true);
      expect(world.said.some(({ event }) => event === "certificate.expected")).toBe(true);
    },
  );
});

describe("CAA records", () => {
  beforeEach(() => {
    world.attested = { spkiSha256: [own.spkiSha256], acmeAccounts: [account], simulated: false };
    world.zone.add({ name: "example.test", type: "CAA", content: bound });
  });

  it("that name the attested account alone are well, and may come back", async () => {
    expect(await once()).toBe(0);
    expect(await once()).toBe(0);
    expect(told()).toEqual([]);
  });

  it("that let others in are told of once, as an opening and as a change; the verdict stays until they are gone", async () => {
    expect(await once()).toBe(0);
    const added = world.zone.add({ name, type: "CAA", content: '0 issue "other.example"' });
    expect(await once()).toBe(1);
    expect(await once()).toBe(1);
    expect(told()).toEqual(["caa.open", "caa.changed"]);
    expect(world.alerts[0]?.fields).toMatchObject({ name, openings: ["other.example may issue for any account."] });
    expect(world.alerts[1]?.fields).toMatchObject({ before: [bound], after: ['0 issue "other.example"'] });
    world.zone.remove(added.id);
    expect(await once()).toBe(0);
    expect(told()).toEqual(["caa.open", "caa.changed", "caa.changed"]);
  });

  it("that one resolver alone sees as an opening are an opening; a resolver that lags is no change", async () => {
    expect(await once()).toBe(0);
    world.resolvers[1]!.lag = "never";
    world.zone.add({ name, type: "CAA", content: '0 issue "other.example"' });
    expect(await once()).toBe(1);
    expect(told()).toEqual(["caa.open"]);
  });

  it("are seen while any resolver answers, and not when none does", async () => {
    world.resolvers[0]!.mode = "refused";
    expect(await once()).toBe(0);
    world.resolvers[1]!.mode = "servfail";
    expect(await once()).toBe(2);
  });

  it("of a node that attests no account are only watched for changes", async () => {
    world.attested = { spkiSha256: [own.spkiSha256], acmeAccounts: undefined, simulated: false };
    world.zone.add({ name, type: "CAA", content: '0 issue "other.example"' });
    expect(await once()).toBe(0);
    world.zone.add({ name, type: "CAA", content: '0 issue "third.example"' });
    expect(await once()).toBe(0);
    expect(told()).toEqual(["caa.changed"]);
  });
});

describe("a watcher that goes on", () => {
  it("tells of what comes later, in whichever log, and stops when it is told to", async () => {
    await using many = await startWatchWorld({ logs: 3 });
    many.attested = { spkiSha256: [own.spkiSha256], acmeAccounts: undefined, simulated: false };
    const stop = new AbortController();
    const ended = many.start({ everyMs: 20_000 }).always(stop.signal);
    const until = async (done: () => boolean): Promise<void> => {
      while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await until(() => many.said.filter(({ event }) => event === "log.read").length >= 3);
    many.logs[0]!.faults.inject("/checkpoint", { kind: "silence", when: "before" }); // holds up no other
    many.logs[2]!.add(...others(3), (await issue([name])).certificate);
    await until(() => many.alerts.length > 0 && many.receiver.deliveries.length > 0);
    expect(many.alerts).toMatchObject([{ event: "certificate.foreign", fields: { log: many.logs[2]!.url } }]);
    stop.abort(new Error("stopped"));
    await ended;
  });

  it("reads no more entries a second than it may", async () => {
    log.add(...others(2_560));
    const before = performance.now();
    await once({ from: 0, entriesPerSecond: 2 }); // on a clock of a thousand seconds a second
    expect(performance.now() - before).toBeGreaterThan(1_200);
  });
});

it("a watcher of a log with the older API finds the same", async () => {
  await using older = await startWatchWorld({ kind: "rfc6962" });
  older.attested = { spkiSha256: [own.spkiSha256], acmeAccounts: undefined, simulated: false };
  const watch = () => older.start({ from: 0 }).once(never);
  older.logs[0]!.add(...others(300), own.certificate);
  expect(await watch()).toBe(0);
  const foreign = await issue([name]);
  older.logs[0]!.add(...others(10), foreign.precertificate);
  expect(await watch()).toBe(1);
  expect(older.alerts).toMatchObject([{ event: "certificate.foreign", fields: { index: 311 } }]);
  older.logs[0]!.rewind(200);
  older.logs[0]!.add(...others(200));
  expect(await watch()).toBe(1);
  expect(older.alerts.at(-1)).toMatchObject({ event: "log.refused" });
});

describe("the verdict", () => {
  const nothing = { memory: { told: [], caa: {} }, names: [name], caa: true, unreadable: 0, now: 1_000, checked: true };
  const foreign = { name, issuer: "i", serial: "1", spkiSha256: "ab", notAfter: 2_000, explained: false };

  it.each([
    ["nothing", {}, 0],
    ["something that could not be looked at", { checked: false }, 2],
    ["a foreign certificate", { memory: { told: [foreign], caa: {} } }, 1],
    ["a foreign certificate, and something not looked at", { memory: { told: [foreign], caa: {} }, checked: false }, 1],
    ["one that is over", { memory: { told: [{ ...foreign, notAfter: 999 }], caa: {} } }, 0],
    ["one that was explained", { memory: { told: [{ ...foreign, explained: true }], caa: {} } }, 0],
    ["one for a name that is not watched now", { memory: { told: [{ ...foreign, name: "b.c" }], caa: {} } }, 0],
    ["CAA that is open", { memory: { told: [], caa: { [name]: { records: [], openings: ["x"] } } } }, 1],
    [
      "CAA that is open and not watched",
      { memory: { told: [], caa: { [name]: { records: [], openings: ["x"] } } }, caa: false },
      0,
    ],
    ["an entry that could not be read", { unreadable: 1 }, 1],
  ])("of %s", (_, findings, verdict) => {
    expect(decideVerdict({ ...nothing, ...findings })).toBe(verdict);
  });
});
