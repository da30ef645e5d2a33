import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Seal, decideBucket, maxSealedBytes, sealHeadBytes } from "../../../tee-bot/store/seal.ts";

const storageKey = randomBytes(32);
const seal = new Seal({ storageKey, schema: "test/v1" });
const tag = seal.tagOf("+15550100");
const content = Buffer.from("remember the milk");
const value = { epoch: 7, expiresAt: 2_000, content };
const now = 1_000;
const open = (bytes: Uint8Array, options: Partial<{ by: Seal; tag: string; newestEpoch: number; now: number }> = {}) =>
  (options.by ?? seal).open(options.tag ?? tag, bytes, { newestEpoch: 0, now, ...options });

describe("a seal", () => {
  it("gives back what was sealed, whatever it is", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(), (bytes, epoch) => {
        const opened = open(seal.seal(tag, { epoch, expiresAt: 2_000, content: bytes }));
        expect(opened).toEqual({ state: "open", epoch, expiresAt: 2_000, content: Buffer.from(bytes) });
      }),
      { numRuns: 200 },
    );
  });

  it("is broken by a change of any byte, and by any cut", () => {
    const sealed = seal.seal(tag, value);
    for (let index = 0; index < sealed.length; index++) {
      const changed = Uint8Array.from(sealed);
      changed[index]! ^= 1;
      expect(open(changed)).toEqual({ state: "forged" });
      expect(open(sealed.subarray(0, index))).toEqual({ state: "forged" });
    }
    expect(open(Buffer.concat([sealed, Buffer.alloc(1)]))).toEqual({ state: "forged" });
  });

  it.each([
    ["under another name", { tag: seal.tagOf("+15550101") }],
    ["under another schema", { by: new Seal({ storageKey, schema: "test/v2" }) }],
    ["with another key", { by: new Seal({ storageKey: randomBytes(32), schema: "test/v1" }) }],
  ])("opens nothing %s", (_, options) => {
    expect(open(seal.seal(tag, value), options)).toEqual({ state: "forged" });
  });

  it("cannot be given a newer epoch", () => {
    const sealed = Buffer.from(seal.seal(tag, value));
    sealed.writeBigUInt64BE(8n, 1);
    expect(open(sealed)).toEqual({ state: "forged" });
  });

  it("is refused when something newer was seen, not when it is the newest", () => {
    const sealed = seal.seal(tag, value);
    expect(open(sealed, { newestEpoch: 7 }).state).toBe("open");
    expect(open(sealed, { newestEpoch: 8 })).toEqual({ state: "rolled-back" });
  });

  it("keeps its expiry inside", () => {
    const sealed = seal.seal(tag, value);
    expect(open(sealed, { now: 1_999 }).state).toBe("open");
    expect(open(sealed, { now: 2_000 })).toEqual({ state: "expired" });
  });

  it("is never the same twice, from its first bytes on", () => {
    const heads = Array.from({ length: 200 }, () =>
      Buffer.from(seal.seal(tag, value).subarray(0, sealHeadBytes)).toString("hex"),
    );
    expect(new Set(heads).size).toBe(200);
  });

  it("shows no more of a length than its bucket, and nothing of name and content", () => {
    const lengths = [0, 1, 100, 244].map(
      (length) => seal.seal(tag, { ...value, content: Buffer.alloc(length) }).length,
    );
    expect(new Set(lengths).size).toBe(1);
    expect(seal.seal(tag, { ...value, content: Buffer.alloc(245) }).length).toBeGreaterThan(lengths[0]!);
    const [some, more] = [600, 900].map((length) => seal.seal(tag, { ...value, content: Buffer.alloc(length) }).length);
    expect(some).toBe(more);
    const sealed = Buffer.from(seal.seal(tag, value));
    expect(sealed.includes("milk")).toBe(false);
    expect(tag).not.toContain("5550100");
    expect(tag).toMatch(/^[\w-]{8}\.[\w-]{43}$/);
  });

  it("refuses more than it takes, and a key that is none", () => {
    expect(() => seal.seal(tag, { ...value, content: Buffer.alloc(maxSealedBytes + 1) })).toThrow(
      "more than the store",
    );
    expect(() => new Seal({ storageKey: randomBytes(16), schema: "test/v1" })).toThrow("32 bytes");
  });
});

describe("tags", () => {
  it("are the same for a name each time, others under another key, and begin alike", () => {
    expect(seal.tagOf("a")).toBe(new Seal({ storageKey, schema: "test/v1" }).tagOf("a"));
    expect(seal.tagOf("a")).not.toBe(seal.tagOf("b"));
    const other = new Seal({ storageKey: randomBytes(32), schema: "test/v1" });
    expect(other.tagBeginning).not.toBe(seal.tagBeginning);
    expect(seal.tagOf("a").startsWith(seal.tagBeginning)).toBe(true);
  });
});

describe("buckets", () => {
  it.each([
    [1, 256],
    [256, 256],
    [257, 512],
    [1_025, 2_048],
  ])("have room for %i bytes in %i", (bytes, bucket) => expect(decideBucket(bytes)).toBe(bucket));
});
