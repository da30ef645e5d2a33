import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { aciReportData, aciStatement } from "../../../shared/attestation/aci-statement.ts";
import { keysetDigest } from "../../../shared/attestation/keyset.ts";
import { teeFixtures } from "../../tee-bot/attestation/support/fixtures.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const digest = "11".repeat(32);
const nonce = "22".repeat(32);

describe("the statement of an ACI report", () => {
  it("is its own canonical form, with and without a nonce", () => {
    expect(aciStatement(digest, nonce)).toBe(
      `{"keyset_digest":"sha256:${digest}","nonce":"${nonce}","purpose":"aci.report_data.v1"}`,
    );
    expect(aciStatement(digest, undefined)).toBe(
      `{"keyset_digest":"sha256:${digest}","nonce":null,"purpose":"aci.report_data.v1"}`,
    );
  });

  it("fills the quote's 64 bytes with its SHA-256 and zeros", async () => {
    const whole = hex(await aciReportData(digest, nonce));
    // printf '%s' '<the statement above>' | sha256sum
    expect(whole).toBe(`bd8490feb21effd75155ac37c6ee6e74df3f3303f83bc613d57add89be9032f8${"00".repeat(32)}`);
  });

  it.each([digest.toUpperCase().replaceAll("1", "A"), digest.slice(1), `${digest}0`, `${digest.slice(2)}",`, ""])(
    "is not made of «%s»",
    (text) => {
      expect(() => aciStatement(text, undefined)).toThrow(RangeError);
      expect(() => aciStatement(digest, text)).toThrow(RangeError);
    },
  );
});

/** Read from the published page, so that nothing of it is copied here. */
describe.skipIf(!teeFixtures)("ACI's published vectors (skipped without ../shared/fixtures/tee)", () => {
  const page = teeFixtures ? readFileSync(join(teeFixtures, "aci", "test-vectors.md"), "utf8") : "";
  const found = (form: RegExp): string => form.exec(page)?.[1] ?? `nothing like ${form}`;

  it("are reproduced: keyset, statement, report data", async () => {
    const keyset = JSON.parse(found(/^(\{"e2ee_public_keys".*\})$/m)) as unknown;
    const published = found(/^workload_keyset_digest = sha256:([0-9a-f]{64})$/m);
    expect(hex(await keysetDigest(keyset))).toBe(published);
    const known = Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString("hex");
    expect(page).toContain(aciStatement(published, known));
    expect(page).toContain(aciStatement(published, undefined));
    const [withNonce, without] = [await aciReportData(published, known), await aciReportData(published, undefined)];
    expect(hex(withNonce)).toBe(found(/^([0-9a-f]{64}0{64})$/m));
    expect(page).toContain(`report_data = ${hex(without).slice(0, 64)}`);
  });
});
