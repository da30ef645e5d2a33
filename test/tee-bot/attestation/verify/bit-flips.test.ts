import { beforeAll, describe, expect, it } from "vitest";
import type { CheckId } from "../../../../shared/attestation/check.ts";
import { parseQuote } from "../../../../shared/attestation/dcap/quote.ts";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import { verifyPlatform } from "../../../../shared/attestation/dcap/verify-platform.ts";
import { createVerificationWorld, flipBit, worldNow, type VerificationWorld } from "../support/verification-world.ts";

const allBits = [0, 1, 2, 3, 4, 5, 6, 7];
const together = 32;

/**
 * No bit of a quote may be changed by anybody: there is no list of exceptions. (What libraries leave free, we do not: the
 * types of certification data, the PEM's own bytes, zeros after the end.)
 */
describe("a quote with one bit changed", () => {
  let world: VerificationWorld;
  let quote: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    world = await createVerificationWorld();
    quote = new Uint8Array([...world.pki.signQuote({ reportData: Buffer.alloc(64, 7) }), ...Buffer.alloc(70)]);
  });

  const refusal = async (changed: Uint8Array<ArrayBuffer>): Promise<string | undefined> =>
    (await attempt(() => verifyPlatform(parseQuote(changed), world.pki.root, worldNow / 1000))).fault;

  it("is as it was signed, before", async () => {
    expect(await refusal(quote)).toBeUndefined();
  });

  it("is refused by our own reading, whichever bit it is", { timeout: 400_000 }, async () => {
    const everyBit = process.env["SLOW"] === "1";
    const flips = Array.from(quote, (_, at) => (everyBit ? allBits : [at % 8]).map((bit) => [at, bit] as const)).flat();
    const accepted: string[] = [];
    for (let start = 0; start < flips.length; start += together)
      await Promise.all(
        flips.slice(start, start + together).map(async ([at, bit]) => {
          if ((await refusal(Uint8Array.from(flipBit(quote, at, bit)))) === undefined) accepted.push(`${at}.${bit}`);
        }),
      );
    expect(flips.length).toBeGreaterThan(4000);
    expect(accepted).toEqual([]);
  });

  it.each<[where: string, at: number, check: CheckId]>([
    ["version", 0, "quote-format"],
    ["TEE type", 4, "quote-format"],
    ["user data", 40, "quote-signature"],
    ["MRTD", 48 + 136, "quote-signature"],
    ["RTMR3", 48 + 472, "quote-signature"],
    ["report data", 48 + 520, "nonce"],
    ["length of the signature", 632, "quote-format"],
    ["signature", 636, "quote-signature"],
    ["attestation key", 700, "quote-signature"],
    ["type of certification data", 764, "quote-format"],
    ["QE report", 770 + 64, "quote-signature"],
    ["QE report's signature", 770 + 384, "quote-signature"],
    ["authentication data", 770 + 450, "quote-signature"],
    ["certificate chain", 1400, "quote-signature"],
  ])("in its %s is refused with a name", async (_, at, check) => {
    const told = await world.verify({ bytes: (signed) => flipBit(signed, at, 0) });
    expect(told.outcome(check), JSON.stringify(told.checks)).toBe("fail");
    expect(told.verdict).toBe("refused");
  });
});
