import { createHash } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { describe, expect, it } from "vitest";
import { custodyStatement, verifyCustody } from "../../../shared/attestation/custody.ts";
import { custodySchema, type Custody } from "../../../shared/attestation/evidence.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const secret = (text: string): Uint8Array => createHash("sha256").update(text).digest();
const appId = "a1".repeat(20);
const [derived, app, root] = [secret("derived"), secret("app"), secret("root")];
const publicOf = (key: Uint8Array, compressed = true): string => hex(secp256k1.getPublicKey(key, compressed));

/** r ‖ s ‖ recovery id over the Keccak-256 of the message, as the key provider makes it. */
function recoverable(message: Uint8Array, key: Uint8Array): string {
  const signature = secp256k1.sign(keccak_256(message), key, { prehash: false, format: "recovered" });
  return hex(signature.subarray(1)) + hex(signature.subarray(0, 1));
}

interface Made {
  use?: string;
  purpose?: string;
  publicKey?: Uint8Array;
  statement?: Uint8Array;
  appId?: string;
  app?: Uint8Array;
  root?: Uint8Array;
}

function make(made: Made = {}): Custody {
  const { use = "identity", publicKey = new Uint8Array(32).fill(9), app: appKey = app, root: rootKey = root } = made;
  const purpose = made.purpose ?? `postern/${use}/v1`;
  const statement = made.statement ?? custodyStatement(use, "ed25519", publicKey);
  const issued = Buffer.concat([
    Buffer.from("dstack-kms-issued:"),
    Buffer.from(made.appId ?? appId, "hex"),
    secp256k1.getPublicKey(appKey),
  ]);
  return {
    key: use,
    algorithm: "ed25519",
    public_key: hex(publicKey),
    path: `postern/${use}/v1`,
    purpose,
    derived_key: publicOf(derived),
    signature: hex(secp256k1.sign(statement, derived)),
    signature_chain: [
      recoverable(Buffer.from(`${purpose}:${publicOf(derived)}`), appKey),
      recoverable(issued, rootKey),
    ],
  };
}

const verify = (custody: Custody, kmsRoots: string[] | undefined = [publicOf(root)]) =>
  verifyCustody(custody, { appId, kmsRoots });

describe("the custody of a key", () => {
  it("is proven up to a root that is trusted, in either form of its key", () => {
    const custody = custodySchema.parse(make());
    expect(verify(custody)).toEqual({ verdict: "proven", root: publicOf(root) });
    expect(verify(custody, [publicOf(secret("another")), publicOf(root, false)])).toMatchObject({ verdict: "proven" });
  });

  it("is unknown where no root is pinned, since any signature recovers to some key", () => {
    expect(verifyCustody(make(), { appId, kmsRoots: undefined })).toEqual({ verdict: "unknown", root: publicOf(root) });
    const forged = make({ root: secret("a root of one's own") });
    expect(verifyCustody(forged, { appId, kmsRoots: undefined })).toMatchObject({ verdict: "unknown" });
  });

  it("keeps the words that it is made of", () => {
    expect(Buffer.from(custodyStatement("tls", "p256", Uint8Array.of(1, 2))).toString("latin1")).toBe(
      "postern:key-custody:v1\0tls\0p256\0\x01\x02",
    );
  });

  const flipped = (text: string, at: number): string =>
    text.slice(0, at) + (text[at] === "0" ? "1" : "0") + text.slice(at + 1);
  const [first = "", second = ""] = make().signature_chain;
  const refused: [what: string, custody: Custody][] = [
    ["another public key", { ...make(), public_key: "00".repeat(32) }],
    ["another algorithm", { ...make(), algorithm: "x25519" }],
    ["another use", { ...make(), key: "receipt" }],
    ["another use all through, but in the statement", { ...make({ use: "tls" }), signature: make().signature }],
    ["another derived key", { ...make(), derived_key: publicOf(secret("x")) }],
    ["a derived key that is no point", { ...make(), derived_key: `02${"ff".repeat(32)}` }],
    [
      "a signature by another key",
      {
        ...make(),
        signature: hex(secp256k1.sign(custodyStatement("identity", "ed25519", new Uint8Array(32).fill(9)), app)),
      },
    ],
    ["a signature over the bare key", make({ statement: new Uint8Array(32).fill(9) })],
    ["a purpose of another's choice", make({ purpose: "app/control/key/secp256k1/x" })],
    ["another path", { ...make(), path: "app/control/key" }],
    ["a key of another application", make({ appId: "b2".repeat(20) })],
    ["another root", make({ root: secret("another root") })],
    [
      "the application's signature by another key",
      { ...make(), signature_chain: [make({ app: secret("y") }).signature_chain[0] ?? "", second] },
    ],
    ["links in the wrong order", { ...make(), signature_chain: [second, first] }],
    ["a flipped bit in the first link", { ...make(), signature_chain: [flipped(first, 20), second] }],
    ["a flipped bit in the second link", { ...make(), signature_chain: [first, flipped(second, 20)] }],
    ["a recovery id that there is not", { ...make(), signature_chain: [`${first.slice(0, -2)}1b`, second] }],
    ["zeros for a signature", { ...make(), signature_chain: ["00".repeat(65), second] }],
    ["no links", { ...make(), signature_chain: [] }],
  ];
  it.each(refused)("is refused with %s", (_, custody) => {
    expect(verify(custody)).toMatchObject({
      verdict: "refused",
      reason: expect.stringMatching(/^The custody .*\.$/) as string,
    });
  });

  it("is refused where the root that is pinned cannot be read", () => {
    expect(verify(make(), ["02"])).toMatchObject({ verdict: "refused" });
  });
});
