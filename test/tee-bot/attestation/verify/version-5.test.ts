import { sign } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createVerificationWorld, type VerificationWorld } from "../support/verification-world.ts";

const headerBytes = 48;
const td10Bytes = 584;

/** The simulator signs quotes of version 4; these are made from them, and signed anew with its attestation key. */
describe("a quote of version 5", () => {
  let world: VerificationWorld;

  beforeAll(async () => {
    world = await createVerificationWorld();
  });

  const asVersion5 = (quote: Uint8Array, more: Uint8Array): Uint8Array => {
    const header = Buffer.from(quote.subarray(0, headerBytes));
    header.writeUInt16LE(5);
    const body = Buffer.concat([quote.subarray(headerBytes, headerBytes + td10Bytes), more]);
    const description = Buffer.alloc(6);
    description.writeUInt16LE(more.length > 0 ? 3 : 2);
    description.writeUInt32LE(body.length, 2);
    const signed = Buffer.concat([header, description, body]);
    const signature = sign("sha256", signed, { key: world.pki.material.attestationKey, dsaEncoding: "ieee-p1363" });
    const authentication = Buffer.from(quote.subarray(headerBytes + td10Bytes));
    signature.copy(authentication, 4);
    return Buffer.concat([signed, authentication]);
  };

  it.each([
    ["TDX 1.0", 0],
    ["TDX 1.5", 64],
  ])("with a body of %s is accepted by our own reading and the library that can read it", async (_, moreBytes) => {
    const told = await world.verify({ bytes: (quote) => asVersion5(quote, new Uint8Array(moreBytes)) });
    expect(told.verdict, JSON.stringify(told.checks)).toBe("simulated");
    expect(told.detail("quote-format")).toMatch(/version 5/);
    expect(told.detail("quote-signature")).toMatch(
      /@phala\/dcap-qvl-web was not asked: it reads no quotes of version 5/,
    );
  });

  it("of a TD that a service TD may migrate is refused", async () => {
    const more = new Uint8Array(64).fill(1, 16);
    const told = await world.verify({ bytes: (quote) => asVersion5(quote, more) });
    expect(told.outcome("td-attributes")).toBe("fail");
    expect(told.detail("td-attributes")).toMatch(/service TD/);
  });

  it("whose signature was changed is refused", async () => {
    const bytes = (quote: Uint8Array): Uint8Array => {
      const changed = Buffer.from(asVersion5(quote, new Uint8Array(64)));
      changed.writeUInt8(changed.readUInt8(headerBytes + 6 + 648 + 4) ^ 1, headerBytes + 6 + 648 + 4);
      return changed;
    };
    expect((await world.verify({ bytes })).outcome("quote-signature")).toBe("fail");
  });
});
