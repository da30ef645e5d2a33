import { describe, expect, it } from "vitest";
import type { CaFailure } from "../../../shared/acme/ca.ts";
import { OrderWorld, sightings } from "./order-world.ts";
import type { Method } from "./scripted-ca.ts";

const hourMs = 3_600_000;
const unavailable: CaFailure = { kind: "unavailable", detail: "connection refused" };
const gone: CaFailure = { kind: "gone", status: 404, detail: "no such order" };
const lost: CaFailure = { kind: "account", type: "accountDoesNotExist", detail: "no such account" };
const limited = (retryAfterMs: number): CaFailure => ({
  kind: "rate-limited",
  type: "rateLimited",
  retryAfterMs,
  detail: "too many new orders",
});
const refusal = (type: string): CaFailure => ({ kind: "refused", type, detail: `because of ${type}` });

/** The CA's methods in the order in which an order first needs them. */
const methods: Method[] = [
  "createOrder",
  "readAuthorizations",
  "completeChallenge",
  "readOrder",
  "finalize",
  "download",
];

describe("an order whose CA fails", () => {
  it.each(methods)("is issued when %s was not answered several times", async (method) => {
    const world = new OrderWorld();
    world.ca.processingPolls = 1;
    world.ca.fail(method, unavailable, { times: 4 });
    expect(await world.run()).toMatchObject({ status: "valid" });
    expect(world.steps.some((step) => "trouble" in step && step.trouble?.detail.includes("connection refused"))).toBe(
      true,
    );
    expect(world.ca.issued).toBe(1);
  });

  it.each(["completeChallenge", "finalize", "createOrder"] as const)(
    "is issued once when %s was done, but the answer lost",
    async (method) => {
      const world = new OrderWorld();
      world.ca.fail(method, unavailable, { done: true, times: 2 });
      expect(await world.run()).toMatchObject({ status: "valid" });
      expect([world.ca.requests.length, world.ca.issued]).toEqual([1, 1]);
    },
  );

  it("waits longer from failure to failure, up to ten minutes", async () => {
    const world = new OrderWorld();
    world.random = () => 1;
    world.ca.fail("createOrder", unavailable, { times: 12 });
    await world.run();
    const waits = world.steps.flatMap((step) =>
      "trouble" in step && "retryAfterMs" in step ? [step.retryAfterMs] : [],
    );
    expect(waits.slice(0, 12)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600].map((s) => s * 1000));
  });

  it("waits little again once there was an answer", async () => {
    const world = new OrderWorld();
    world.random = () => 1;
    world.ca.fail("createOrder", unavailable, { times: 7 });
    world.ca.fail("finalize", unavailable, { times: 1 });
    await world.run();
    const waits = world.steps.flatMap((step) =>
      "trouble" in step && "retryAfterMs" in step ? [step.retryAfterMs] : [],
    );
    expect(waits.at(-1)).toBe(2_000);
  });

  it("is kept for a day, and then ends with the CA's failure", async () => {
    const world = new OrderWorld();
    world.ca.fail("createOrder", unavailable, { times: 1_000 });
    expect(await world.run()).toMatchObject({
      status: "invalid",
      trouble: { detail: "ca-1.example does not answer as it should: connection refused" },
    });
    expect(world.hours).toBeGreaterThan(24);
    expect(world.hours).toBeLessThan(25);
    expect(world.admissions.settled).toEqual(["order-1 failed"]);
  });

  it("waits as long as a limit says, and says until when", async () => {
    const world = new OrderWorld();
    world.ca.fail("finalize", limited(20 * 60_000));
    const step = await world.run((made) => made.status === "processing" && made.retryAfterMs > 1_000);
    expect(step).toMatchObject({
      retryAfterMs: 20 * 60_000,
      words: "waiting until 2026-11-21 12:20 UTC, when ca-1.example takes requests again",
    });
    expect(await world.run()).toMatchObject({ status: "valid" });
  });

  it.each([
    ["the order", gone],
    ["the account", lost],
  ])("begins anew at once when the CA has forgotten %s", async (_, failure) => {
    for (const method of methods.slice(1)) {
      const world = new OrderWorld();
      world.ca.processingPolls = 1;
      await world.run(() => world.ca.count(method) === 0 && upcoming(world) === method);
      world.ca.forget();
      world.ca.fail(method, failure);
      expect(await world.run(), method).toMatchObject({ status: "valid" });
      expect(world.ca.requests, method).toHaveLength(2);
      expect(world.hours * 3600, method).toBeLessThan(2);
      expect(world.records.size).toBe(0);
    }
  });

  it("begins anew five times at most", async () => {
    const world = new OrderWorld();
    world.ca.fail("readAuthorizations", gone, { times: 100 });
    expect(await world.run()).toMatchObject({
      status: "invalid",
      trouble: { detail: "ca-1.example does not know the order any more: no such order" },
    });
    expect(world.ca.count("readAuthorizations")).toBe(6);
  });

  it("tries again after 5, 15 and 60 minutes when a name is not validated, and then says why", async () => {
    const world = new OrderWorld();
    const at: number[] = [];
    world.ca.validates = (hostname) => {
      at.push(Math.round(world.hours * 60));
      return hostname.startsWith("bob") ? refusal("unauthorized") : undefined;
    };
    const end = await world.run();
    expect([...new Set(at)]).toEqual([0, 5, 20, 80]);
    expect(end).toMatchObject({
      status: "invalid",
      trouble: {
        detail: "ca-1.example refused: bob.nodes.example.test: because of unauthorized",
        remedy: expect.stringContaining("_acme-challenge") as string,
      },
    });
    expect(world.ca.requests).toHaveLength(4);
    expect(world.records.size).toBe(0);
    expect(world.admissions.settled).toEqual(["order-1 failed"]);
  });

  it("takes its records away while it waits for another attempt, and shows why it failed", async () => {
    const world = new OrderWorld();
    world.ca.validates = () => refusal("caa");
    await world.run((step) => step.status === "processing" && step.retryAfterMs > 60_000);
    expect(world.records.size).toBe(0);
    expect(world.steps.at(-1)).toMatchObject({
      words: "waiting for another attempt at 2026-11-21 12:05 UTC",
      trouble: { remedy: expect.stringContaining("CAA") as string },
    });
  });

  it.each(["badCSR", "rejectedIdentifier", "userActionRequired"])(
    "ends at once when it is refused as %s",
    async (type) => {
      for (const method of ["createOrder", "finalize"] as const) {
        const world = new OrderWorld();
        world.ca.fail(method, refusal(type));
        expect(await world.run()).toMatchObject({
          status: "invalid",
          trouble: { detail: `ca-1.example refused: because of ${type}` },
        });
        expect(world.hours).toBeLessThan(0.01);
        expect(world.records.size).toBe(0);
      }
    },
  );

  it("ends when the CA never issues what it has validated", async () => {
    const world = new OrderWorld();
    world.ca.processingPolls = Infinity;
    expect(await world.run()).toMatchObject({
      status: "invalid",
      trouble: { detail: expect.stringContaining("issues no certificate") as string },
    });
    expect(world.hours).toBeLessThan(48);
  });

  it("ends after two days of waiting, whatever it waits for", async () => {
    const world = new OrderWorld();
    world.ca.fail("readOrder", limited(5 * hourMs), { times: 1_000 });
    expect(await world.run()).toMatchObject({
      status: "invalid",
      trouble: { detail: expect.stringContaining("within 2 days. Last: ca-1.example limits") as string },
    });
  });

  it("polls no faster than the CA's Retry-After", async () => {
    const world = new OrderWorld();
    world.ca.processingPolls = 3;
    world.ca.retryAfterMs = 7_000;
    await world.run();
    const waits = world.steps.flatMap((step) => (step.status === "processing" ? step.retryAfterMs : []));
    expect(waits.filter((ms) => ms === 7_000)).toHaveLength(4);
  });
});

describe("an order with several CAs", () => {
  it("goes to the first whose budget has room", async () => {
    const world = new OrderWorld({ cas: 3 });
    const full = { admitted: false, place: 1, estimatedAt: Infinity, retryAfterMs: hourMs } as const;
    world.admissions.answer = () => full;
    expect(await world.run()).toMatchObject({ status: "valid", directory: "https://ca-2.example/directory" });
    expect(world.admissions.asked.map(({ queue }) => queue)).toEqual([false]);
    expect(world.issuing[2]?.admissions.asked).toEqual([]);
  });

  it("waits in the queue of the first, and gives its place up when another has room", async () => {
    const world = new OrderWorld({ cas: 2 });
    let full = true;
    for (const { admissions } of world.issuing)
      admissions.answer = () =>
        full || admissions === world.admissions
          ? { admitted: false, place: 12, estimatedAt: world.clock.now() + 3 * hourMs, retryAfterMs: 3 * hourMs }
          : { admitted: true };
    const step = await world.run((made) => made.status === "processing" && made.retryAfterMs > 0);
    expect(step).toMatchObject({
      retryAfterMs: 15 * 60_000,
      words: "waiting for room in the limits of ca-1.example: place 12, turn in about 3 h",
    });
    full = false;
    await world.run(() => world.stage === "open");
    expect(world.admissions.settled).toEqual(["order-1 failed"]);
    expect(await world.run()).toMatchObject({ status: "valid", directory: "https://ca-2.example/directory" });
    expect(world.admissions.settled).toEqual(["order-1 failed"]);
    expect(world.issuing[1]?.admissions.settled).toEqual(["order-1 issued"]);
  });

  it.each([
    ["is away", unavailable, 3],
    ["is away for long", unavailable, 1_000],
    ["limits it for hours", limited(5 * hourMs), 1],
    ["refuses the name", refusal("rejectedIdentifier"), 1],
    ["wants a customer's account", refusal("externalAccountRequired"), 1],
  ])("goes to the next when the first %s", async (_, failure, times) => {
    const world = new OrderWorld({ cas: 2 });
    world.ca.fail("createOrder", failure, { times: times + 1 });
    expect(await world.run()).toMatchObject({ status: "valid", directory: "https://ca-2.example/directory" });
    expect(world.hours).toBeLessThan(0.1);
    expect(world.admissions.settled).toEqual(["order-1 failed"]);
  });

  it("leaves one that falls silent in the middle, after half an hour", async () => {
    const world = new OrderWorld({ cas: 2 });
    world.ca.fail("finalize", unavailable, { times: 1_000 });
    expect(await world.run()).toMatchObject({ status: "valid", directory: "https://ca-2.example/directory" });
    expect(world.hours).toBeGreaterThan(0.5);
    expect(world.hours).toBeLessThan(1);
    expect(world.records.size).toBe(0);
  });

  it("ends with a refusal that all of them agree on", async () => {
    const world = new OrderWorld({ cas: 2 });
    for (const { ca } of world.issuing) ca.fail("createOrder", refusal("rejectedIdentifier"), { times: 10 });
    expect(await world.run()).toMatchObject({
      status: "invalid",
      trouble: { detail: expect.stringContaining("refused") as string },
    });
    expect(world.issuing.map(({ ca }) => ca.count("createOrder"))).toEqual([1, 1]);
  });
});

describe("an order that waits for room", () => {
  it("keeps its place for days, and then has all its time", async () => {
    const world = new OrderWorld();
    world.admissions.answer = () =>
      world.hours < 6 * 24
        ? { admitted: false, place: 3, estimatedAt: world.clock.now() + hourMs, retryAfterMs: hourMs }
        : { admitted: true };
    expect(await world.run()).toMatchObject({ status: "valid" });
    expect(world.admissions.asked.every(({ queue }) => queue)).toBe(true);
  });
});

/** The method of the CA that the next step will call. */
function upcoming(world: OrderWorld): Method | undefined {
  const by: Record<string, Method> = {
    open: "createOrder",
    authorize: "readAuthorizations",
    complete: "completeChallenge",
    validate: "readOrder",
    finalize: "finalize",
    download: "download",
  };
  return by[world.stage];
}

describe("an order whose records are not seen", () => {
  it("looks ever more seldom, and says how many resolvers see them", async () => {
    const world = new OrderWorld();
    world.random = () => 1;
    world.sees = () => (world.looks > 8 ? sightings("all", "all") : sightings("all", "not-all"));
    await world.run();
    const waits = world.steps.flatMap((step) =>
      step.status === "processing" && step.words.includes("next look") ? [step.retryAfterMs / 1000] : [],
    );
    expect(waits).toEqual([0.25, 0.5, 1, 2, 4, 8, 15, 15]);
    expect(world.steps).toContainEqual(
      expect.objectContaining({ words: "waiting for DNS: 1 of 2 resolvers see it, next look in 8 s" }),
    );
  });

  it("is kept when one resolver never agrees, names it with a remedy, and ends after a day", async () => {
    const world = new OrderWorld();
    world.sees = () => sightings("all", "not-all");
    const late = await world.run((step) => "trouble" in step);
    expect(world.hours * 60).toBeGreaterThan(1);
    expect(late).toMatchObject({
      trouble: {
        detail:
          "The challenge's TXT records were written 66 s ago, but resolver-2 does not see them (1 of 2 resolvers see it).",
        remedy: expect.stringContaining("DOH") as string,
      },
    });
    const slow = await world.run((step) => step.status === "processing" && step.retryAfterMs === 60_000);
    expect(slow).toMatchObject({ words: expect.stringContaining("next look in 60 s") as string });
    expect(world.hours * 60).toBeGreaterThan(10);
    expect(await world.run()).toMatchObject({ status: "invalid" });
    expect(world.hours).toBeGreaterThan(24);
    expect(world.hours).toBeLessThan(25);
    expect(world.records.size).toBe(0);
  });

  it("is issued when they agree after hours", async () => {
    const world = new OrderWorld();
    world.sees = () => (world.hours < 7 ? sightings("unreachable", "unreachable") : sightings("all", "all"));
    expect(await world.run()).toMatchObject({ status: "valid" });
  });
});

describe("an order whose records cannot be written", () => {
  const trouble = { detail: "The token has no right to write.", remedy: "Give it Zone → DNS → Edit." };
  const failing = { state: "pending", retryAfterMs: 20_000, trouble } as const;

  it("is kept, and says the zone's own trouble", async () => {
    const world = new OrderWorld();
    world.presents = () => (world.hours < 5 ? failing : { state: "written" });
    const step = await world.run((made) => "trouble" in made);
    expect(step).toMatchObject({ trouble, retryAfterMs: 20_000 });
    expect(await world.run()).toMatchObject({ status: "valid" });
  });

  it("is validated over TLS where that can be done, from the second failure on", async () => {
    const world = new OrderWorld();
    world.withAlpn();
    world.presents = () => failing;
    const answered: string[] = [];
    world.ca.validates = (hostname, method, response) => {
      answered.push(method);
      return world.alpn?.answers.get(hostname) === response ? undefined : refusal("unauthorized");
    };
    expect(await world.run()).toMatchObject({ status: "valid" });
    expect(answered).toEqual(["tls-alpn-01", "tls-alpn-01"]);
    expect(world.written.filter((line) => line.startsWith("pending"))).toHaveLength(2);
    expect(world.steps).toContainEqual(
      expect.objectContaining({ words: "DNS cannot be written: the CA is asked to validate over TLS", trouble }),
    );
    expect(world.alpn?.answers.size).toBe(0);
  });

  it("answers over TLS again in a process that starts in the middle", async () => {
    const world = new OrderWorld();
    world.withAlpn();
    world.presents = () => failing;
    world.ca.validates = (hostname) => (world.alpn?.answers.has(hostname) ? undefined : refusal("unauthorized"));
    await world.run(() => world.stage === "complete");
    world.withAlpn();
    expect(await world.run()).toMatchObject({ status: "valid" });
    expect(world.ca.requests).toHaveLength(1);
  });
});

describe("tidying up after an order", () => {
  it("never loses the certificate, whatever fails", async () => {
    const world = new OrderWorld();
    world.withdrawFails = 1_000;
    world.admissions.settleFails = 1_000;
    expect(await world.run()).toMatchObject({ status: "valid" });
    expect(world.hours * 3600).toBeLessThan(30);
  });

  it("is tried again when it fails once", async () => {
    const world = new OrderWorld();
    world.withdrawFails = 1;
    world.admissions.settleFails = 1;
    await world.run();
    expect(world.records.size).toBe(0);
    expect(world.admissions.settled).toEqual(["order-1 issued"]);
  });
});

describe("a clock that jumps", () => {
  it.each([
    ["a year ahead", 365 * 24],
    ["a year back", -365 * 24],
    ["three days ahead", 72],
  ])("%s in the middle of an order does not harm it", async (_, hours) => {
    for (let at = 1; at < 12; at++) {
      const world = new OrderWorld();
      world.ca.processingPolls = 2;
      world.sees = () => (world.looks > 2 ? sightings("all", "all") : sightings("not-all", "all"));
      for (let made = 0; made < at; made++) await world.step();
      world.clock.advance(hours * hourMs);
      const end = await world.run();
      expect(end.status).toBe("valid");
      expect(world.records.size).toBe(0);
    }
  });

  it("back does not make it wait for longer than it would have", async () => {
    const world = new OrderWorld();
    world.ca.validates = () => (world.ca.requests.length < 2 ? refusal("dns") : undefined);
    await world.run((step) => step.status === "processing" && step.words.startsWith("waiting for another attempt"));
    const before = world.clock.now();
    world.clock.advance(-400 * 24 * hourMs);
    await world.run();
    expect(world.clock.now() - (before - 400 * 24 * hourMs)).toBeLessThan(2 * hourMs);
  });
});
