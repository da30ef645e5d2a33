import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { letPass } from "../support/controls.ts";
import { scriptedCa, type ScriptedCa } from "../support/scripted-ca.ts";
import type { CaFailure } from "../../../shared/acme/ca.ts";
import { acmeAccount, type EdgeAccount } from "../../../workers/acme/account-stub.ts";

const hour = 3_600_000;
let directories = 0;

interface World {
  readonly account: EdgeAccount;
  readonly ca: ScriptedCa;
  /** As if the machine had been taken away. */
  evict(): Promise<void>;
}

/** A CA of its own for each test. */
function freshAccount(): World {
  const directory = `https://ca${++directories}.example/directory`;
  const object = () => env.ACCOUNTS.get(env.ACCOUNTS.idFromName(directory));
  return {
    get account() {
      return acmeAccount(env, directory);
    },
    ca: scriptedCa(directory),
    evict: () => evictDurableObject(object()),
  };
}

const order = (id: string, ...hostnames: string[]) => ({
  order: id,
  hostnames: hostnames.length > 0 ? hostnames : [`${id}.example`],
});

const limited = (detail: string, retryAfterMs = 60_000): CaFailure => ({
  kind: "rate-limited",
  type: "rateLimited",
  status: 429,
  retryAfterMs,
  detail,
});

describe("the account's key", () => {
  test("is made once, whoever comes first, and stays over an eviction", async () => {
    const world = freshAccount();
    await Promise.all([world.account.describe(), world.account.createOrder(order("a")), world.account.recall()]);
    await world.evict();
    await world.account.describe();
    expect(world.ca.made).toHaveLength(2);
    const [first, second] = world.ca.made;
    expect(first?.accountKey).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(second?.accountKey).toBe(first?.accountKey);
    expect(second?.accountUri).toBe(world.ca.accountUri);
  });

  test("is in no answer", async () => {
    const { account, ca } = freshAccount();
    const answers = [await account.describe(), await account.createOrder(order("a")), await account.recall()];
    expect(ca.made[0]?.accountKey).toBeDefined();
    expect(JSON.stringify(answers)).not.toMatch(/PRIVATE|MIG/);
  });
});

describe("an account that the CA has forgotten", () => {
  test("is registered again, also after an eviction", async () => {
    const world = freshAccount();
    await world.account.describe();
    world.ca.failures.push({ kind: "account", type: "accountDoesNotExist", status: 400, detail: "no such account" });
    expect(await world.account.createOrder(order("a"))).toMatchObject({ ok: false, failure: { kind: "account" } });
    world.ca.accountUri = "https://ca.example/account/2";
    await world.evict();
    expect(await world.account.recall()).toMatchObject({ ok: true, value: { accountUri: world.ca.accountUri } });
  });
});

describe("what the CA says of itself", () => {
  test("is asked for once a day", async () => {
    const world = freshAccount();
    await world.account.recall();
    await world.evict();
    await world.account.recall();
    expect(world.ca.calls).toEqual(["describe"]);
    letPass(25 * hour);
    await world.account.recall();
    expect(world.ca.calls).toEqual(["describe", "describe"]);
  });

  test("is remembered while the CA is away", async () => {
    const { account, ca } = freshAccount();
    await account.recall();
    letPass(25 * hour);
    ca.failures.push({ kind: "unavailable", detail: "no answer" });
    expect(await account.recall()).toMatchObject({ ok: true, value: { accountUri: ca.accountUri } });
  });

  test("is not known before the CA has answered", async () => {
    const { account, ca } = freshAccount();
    ca.failures.push({ kind: "unavailable", detail: "no answer" });
    expect(await account.recall()).toMatchObject({ ok: false, failure: { kind: "unavailable" } });
  });
});

describe("a CA that wants to be left alone", () => {
  test("is asked for nothing until then, by no order, and then again", async () => {
    const world = freshAccount();
    world.ca.failures.push(limited("slow down", 60_000));
    expect(await world.account.createOrder(order("a"))).toMatchObject({ ok: false });
    letPass(20_000);
    await world.evict();
    for (const answer of [
      await world.account.createOrder(order("b")),
      await world.account.readOrder("https://ca.example/order/1"),
      await world.account.describe(),
    ]) {
      expect(answer).toMatchObject({ ok: false, failure: { kind: "rate-limited", detail: "slow down" } });
      const { retryAfterMs = 0 } = answer.ok ? {} : answer.failure;
      expect(retryAfterMs, "what is left of the time, and half of the spread").toBeGreaterThan(35_000 * 1.05);
      expect(retryAfterMs).toBeLessThanOrEqual(40_000 * 1.05);
    }
    expect(world.ca.calls).toHaveLength(1);
    letPass(40_000);
    expect(await world.account.createOrder(order("b"))).toMatchObject({ ok: true });
  });

  test("may say so with 503", async () => {
    const { account, ca } = freshAccount();
    ca.failures.push({ kind: "unavailable", status: 503, retryAfterMs: 5_000, detail: "maintenance" });
    await account.readOrder("https://ca.example/order/1");
    expect(await account.describe()).toMatchObject({ ok: false, failure: { kind: "rate-limited", status: 503 } });
    expect(ca.calls).toHaveLength(1);
  });

  test("is left alone for a while even when it does not say how long", async () => {
    const { account, ca } = freshAccount();
    ca.failures.push({ kind: "rate-limited", status: 429, detail: "too many" });
    await account.describe();
    expect(await account.describe()).toMatchObject({ ok: false });
    expect(ca.calls).toHaveLength(1);
    letPass(30_000);
    expect(await account.describe()).toMatchObject({ ok: true });
  });

  test("is asked again after six hours, whatever it said", async () => {
    const { account, ca } = freshAccount();
    ca.failures.push(limited("come back in a month", 30 * 24 * hour));
    await account.describe();
    letPass(6 * hour - 5_000);
    expect(await account.describe()).toMatchObject({ ok: false });
    letPass(5_000);
    expect(await account.describe()).toMatchObject({ ok: true });
  });

  test("does not hold up anything once the clock has gone back", async () => {
    const { account, ca } = freshAccount();
    ca.failures.push(limited("slow down", hour));
    await account.describe();
    letPass(-30 * 24 * hour);
    try {
      expect(await account.describe()).toMatchObject({ ok: true });
    } finally {
      letPass(30 * 24 * hour);
    }
  });

  test.for([
    "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s",
    'too many failed authorizations (5) for "a.example" in the last 1h0m0s',
  ])("because of one set of names holds up no other: %s", async (detail) => {
    const { account, ca } = freshAccount();
    ca.failures.push(limited(detail));
    await account.createOrder(order("first", "a.example", "b.example"));
    expect(await account.createOrder(order("again", "B.example", "a.example"))).toMatchObject({ ok: false });
    expect(await account.createOrder(order("other", "a.example"))).toMatchObject({ ok: true });
    expect(await account.readOrder("https://ca.example/order/1")).toMatchObject({ ok: true });
    expect(ca.calls).toHaveLength(3);
  });

  test("because of its limit for new orders goes on with those it has, and with renewals", async () => {
    const { account, ca } = freshAccount();
    ca.failures.push(limited('too many certificates (50) already issued for "example" in the last 168h0m0s'));
    await account.createOrder(order("a"));
    expect(await account.createOrder(order("b"))).toMatchObject({ ok: false });
    expect(await account.createOrder({ ...order("c"), replaces: "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE" })).toMatchObject(
      {
        ok: true,
      },
    );
    expect(await account.readOrder("https://ca.example/order/1")).toMatchObject({ ok: true });
    expect(ca.calls).toHaveLength(3);
  });

  test("is not held up by what it refuses", async () => {
    const { account, ca } = freshAccount();
    ca.failures.push({ kind: "refused", type: "rejectedIdentifier", status: 400, detail: "not that name" });
    await account.createOrder(order("a"));
    expect(await account.createOrder(order("b"))).toMatchObject({ ok: true });
  });
});

describe("an order", () => {
  test("asked for twice is opened once, at the same time or after an eviction", async () => {
    const world = freshAccount();
    const { account } = world;
    let open = (): void => {};
    world.ca.opening = new Promise((resolve) => (open = resolve));
    const both = [account.createOrder(order("a")), account.createOrder(order("a"))];
    await account.readOrder("https://ca.example/order/0"); // has come after them
    open();
    const [first, second] = await Promise.all(both);
    expect(second).toEqual(first);
    await world.evict();
    expect(await world.account.createOrder(order("a"))).toEqual(first);
    expect(world.ca.orders).toBe(1);
  });

  test("is forgotten after a week", async () => {
    const { account, ca } = freshAccount();
    await account.createOrder(order("a"));
    letPass(7 * 24 * hour);
    await account.createOrder(order("b"));
    await account.createOrder(order("a"));
    expect(ca.orders).toBe(3);
  });
});

test("a call that nobody foresaw the end of is an answer, not an exception", async () => {
  const { account, ca } = freshAccount();
  ca.gate = Promise.reject(new Error("unforeseen"));
  ca.gate.catch(() => {});
  expect(await account.describe()).toMatchObject({ ok: false, failure: { kind: "unavailable" } });
});

test("a renewal is exempt from the budget only where the CA can see that it is one", async () => {
  const { account, ca } = freshAccount();
  const ask = (id: string) =>
    account.admit({ order: id, node: "n", hostnames: ["a.example"], exempt: true }, { queue: false });
  for (let nth = 0; nth < 6; nth++) expect(await ask(`early ${nth}`)).toEqual({ admitted: true });
  ca.renewalInfo = false;
  await account.describe();
  for (let nth = 0; nth < 5; nth++) expect(await ask(`late ${nth}`)).toEqual({ admitted: true });
  expect(await ask("one too many")).toMatchObject({ admitted: false });
});

test("the budget survives an eviction", async () => {
  const world = freshAccount();
  const ask = (id: string) =>
    world.account.admit({ order: id, node: "n", hostnames: ["a.example"], exempt: false }, { queue: true });
  for (let nth = 0; nth < 6; nth++) await ask(`order ${nth}`);
  await world.evict();
  expect(await ask("order 6")).toMatchObject({ admitted: false, place: 2 });
  expect(await ask("order 5")).toMatchObject({ admitted: false, place: 1 });
});
