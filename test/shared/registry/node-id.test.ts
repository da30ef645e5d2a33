import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isNodeId,
  keyOfNodeId,
  labelOfNodeId,
  nodeIdOfKey,
  nodeIdOfLabel,
  parseNodeId,
} from "../../../shared/registry/node-id.ts";
import { refusalOf } from "../refusal.ts";

/** Keys (the first three are those of RFC 8032 §7.1) and their base32 as Python's `base64.b32encode` writes it. */
const known = [
  [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkena",
  ],
  [
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "hvabpq7iioevvevxbktu2g36xsojqlgpf3cjndgazvk7ckxumyga",
  ],
  [
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    "quqpacmjgctvi5elpxolipxxlig36oqney4bv5hlusuy5ku3jzva",
  ],
  [
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff3f",
    "777777777777777777777777777777777777777777777777747q",
  ],
  [
    "0000000000000000000000000000000000000000000000000000000000000002",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaba",
  ],
] as const;

/** As libsodium's list in `ge25519_has_small_order`, sign bit clear: the orders are 4, 1, 8, 8, 2, 4 and 1. */
const smallOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((raw) => isNodeId(Buffer.from(raw).toString("hex")));

describe("a node id", () => {
  it.each(known)("%s has the label that Python computes", (hex, label) => {
    expect(labelOfNodeId(parseNodeId(hex))).toBe(label);
    expect(nodeIdOfLabel(label)).toBe(hex);
  });

  it("comes back from its key and from its label", () => {
    fc.assert(
      fc.property(key, (raw) => {
        const id = nodeIdOfKey(raw);
        expect(id).toBe(Buffer.from(raw).toString("hex"));
        expect(Buffer.from(keyOfNodeId(id))).toEqual(Buffer.from(raw));
        expect(labelOfNodeId(id)).toMatch(/^[a-z2-7]{52}$/);
        expect(nodeIdOfLabel(labelOfNodeId(id))).toBe(id);
      }),
    );
  });

  it("has one label only: no other last character spells it", () => {
    const [hex, label] = known[0];
    const others = Array.from("abcdefghijklmnopqrstuvwxyz234567", (last) => label.slice(0, -1) + last);
    expect(others.filter((other) => nodeIdOfLabel(other) === hex)).toEqual([label]);
    expect(others.filter((other) => nodeIdOfLabel(other) !== undefined)).toHaveLength(2); // the other has the last bit set
  });

  it("is read in capitals, and is written in lower case", () => {
    const [hex] = known[0];
    expect(parseNodeId(hex.toUpperCase())).toBe(hex);
    expect(isNodeId(hex.toUpperCase())).toBe(false);
  });

  it.each(["", "ab", "g".repeat(64), `${known[0][0]}0`, `${known[0][0]}\n`, ` ${known[0][0]}`, "٣".repeat(64)])(
    "is not read from %j",
    (text) => {
      expect(refusalOf(() => parseNodeId(text))).toBe("bad-request");
      expect(isNodeId(text)).toBe(false);
    },
  );

  it.each([
    ["nothing", ""],
    ["51 characters", known[0][1].slice(1)],
    ["53 characters", `${known[0][1]}a`],
    ["capitals", known[0][1].toUpperCase()],
    ["padding", `${known[0][1]}====`],
    ["a digit outside the alphabet", known[0][1].replace("2", "1")],
    ["a line break", `${known[0][1]}\n`],
  ])("is not read from a label with %s", (_, label) => {
    expect(nodeIdOfLabel(label)).toBeUndefined();
  });
});

describe("a key of small order", () => {
  const spellings = smallOrder.flatMap((hex) => {
    const raw = Buffer.from(hex, "hex");
    raw[31] = (raw[31] ?? 0) | 0x80;
    return [hex, raw.toString("hex")];
  });

  it.each(smallOrder)("%s is one indeed", (hex) => {
    const p = 2n ** 255n - 19n;
    const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
    const y = BigInt(`0x${Buffer.from(Buffer.from(hex, "hex").toReversed()).toString("hex")}`) % p;
    // On -x² + y² = 1 + d x² y² the orders 1, 2 and 4 have y = 1, -1 and 0; order 8 doubles to y = 0, so x² = -y².
    const order8 = (d * y ** 4n + 2n * y ** 2n - 1n) % p;
    expect([0n, 1n, p - 1n].includes(y) || order8 === 0n).toBe(true);
  });

  it.each(spellings)("%s is refused in every form", (hex) => {
    expect(refusalOf(() => parseNodeId(hex))).toBe("key-weak");
    expect(refusalOf(() => nodeIdOfKey(Buffer.from(hex, "hex")))).toBe("key-weak");
    expect(isNodeId(hex)).toBe(false);
    expect(nodeIdOfLabel(labelOfNodeId(hex as ReturnType<typeof parseNodeId>))).toBeUndefined();
  });
});
