import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ReceiptKey } from "../../../../tee-bot/attestation/evidence/listed-keys.ts";
import { signReceipt, type ReceiptDocument } from "../../../../tee-bot/gateway/receipts/receipt.ts";
import { teeFixtures } from "../../attestation/support/fixtures.ts";

/** Read from the published page, so that nothing of it is copied here. */
describe.skipIf(!teeFixtures)("ACI's published receipt (skipped without ../shared/fixtures/tee)", () => {
  const page = teeFixtures ? readFileSync(join(teeFixtures, "aci", "test-vectors.md"), "utf8") : "";

  it("is signed as published", () => {
    const served = JSON.parse(/^(\{"api_version".*"signature".*\})$/m.exec(page)?.[1] ?? "{}") as { signature: string };
    const { signature, ...document } = served;
    const key = new ReceiptKey(new Uint8Array(32).fill(2));
    expect(page).toContain(key.listed.public_key);
    const signed = signReceipt(document as unknown as ReceiptDocument, (bytes) => key.sign(bytes));
    expect(signed).toEqual(served);
    expect(signed.signature).toBe(signature);
  });
});
