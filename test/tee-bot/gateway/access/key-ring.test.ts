import { readFileSync, statSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { AppError } from "../../../../shared/errors.ts";
import { openTestLedger, type TestLedger } from "../../support/ledger.ts";

let stack = new DisposableStack();
afterEach(() => {
  stack.dispose();
  stack = new DisposableStack();
});
const open = (): TestLedger => stack.use(openTestLedger());
const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return (error as AppError).code;
  }
  return "no error";
};

describe("the key ring", () => {
  it("has a key with all its limits again after a restart", () => {
    const ledger = open();
    const wish = {
      name: "Anna's laptop".replace("'", ""),
      expiresAt: ledger.clock.now() + 86_400_000,
      models: ["a", "b*"],
      requestsPerMinute: 1,
      tokensPerMinute: 2,
      tokensPerMonth: 3,
    };
    const { key, text } = ledger.keys.create(wish);
    expect(key).toMatchObject({ ...wish, createdAt: ledger.clock.now() });
    expect(key.id).toMatch(/^key_[\w-]{12}$/);
    const again = stack.use(ledger.reopen());
    expect(again.keys.find(text)?.key).toEqual(key);
    expect(again.keys.list()).toEqual([key]);
  });

  it("keeps no text of a key, in a file that only its owner reads", () => {
    const ledger = open();
    const { text } = ledger.keys.create({ name: "a" });
    for (const file of [ledger.path, `${ledger.path}-wal`]) {
      expect(readFileSync(file).includes(text.slice(10, 40))).toBe(false);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  it("revokes by id or name, for good, and tells of it once", () => {
    const ledger = open();
    const told: string[] = [];
    ledger.keys.onRevoked = ({ name }) => told.push(name);
    const { key, text } = ledger.keys.create({ name: "a" });
    ledger.keys.create({ name: "b" });
    expect(ledger.keys.revoke("b").name).toBe("b");
    expect(ledger.keys.revoke(key.id).revokedAt).toBe(ledger.clock.now());
    expect(ledger.keys.revoke(key.id).revokedAt).toBe(ledger.clock.now());
    expect(told).toEqual(["b", "a"]);
    expect(codeOf(() => ledger.keys.revoke("a"))).toBe("not-found");
    expect(stack.use(ledger.reopen()).keys.find(text)?.key.revokedAt).toBe(key.createdAt);
  });

  it("has one good key of a name at a time", () => {
    const ledger = open();
    ledger.keys.create({ name: "a" });
    expect(codeOf(() => ledger.keys.create({ name: "a" }))).toBe("name-taken");
    ledger.keys.revoke("a");
    ledger.keys.create({ name: "a", expiresAt: ledger.clock.now() + 10 });
    ledger.clock.advance(10);
    ledger.keys.create({ name: "a" });
    expect(ledger.keys.list()).toHaveLength(3);
    expect(codeOf(() => ledger.keys.create({ name: "b", expiresAt: ledger.clock.now() }))).toBe("bad-request");
  });

  it("forgets keys ninety days after they were good", () => {
    const ledger = open();
    const { text } = ledger.keys.create({ name: "a" });
    ledger.keys.revoke("a");
    ledger.clock.advance(90 * 86_400_000);
    ledger.keys.create({ name: "b" });
    expect(ledger.keys.find(text)).toBeDefined();
    ledger.clock.advance(1);
    ledger.keys.create({ name: "c" });
    expect(ledger.keys.find(text)).toBeUndefined();
    expect(
      stack
        .use(ledger.reopen())
        .keys.list()
        .map(({ name }) => name),
    ).toEqual(["b", "c"]);
  });

  it("knows when a key was used last, to the minute, over a restart", () => {
    const ledger = open();
    const { text, key } = ledger.keys.create({ name: "a" });
    const use = (): unknown => ledger.access.authenticate({ "x-api-key": text }, "public", "10.0.0.1");
    use();
    const usedAt = ledger.clock.now();
    ledger.clock.advance(59_999);
    use();
    expect(stack.use(ledger.reopen()).keys.get(key.id)?.key.lastUsedAt).toBe(usedAt);
  });
});
