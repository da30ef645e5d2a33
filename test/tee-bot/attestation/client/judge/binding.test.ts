import { describe, expect, it } from "vitest";
import type { Evidence } from "../../../../../shared/attestation/evidence.ts";
import { connectionReportData, type ConnectionStatement } from "../../../../../shared/attestation/report-data.ts";
import { judgeBinding } from "../../../../../tee-bot/attestation/client/judge/binding.ts";
import { bytesOf, evidenceFor, hexOf, someKeyset } from "../support/evidence.ts";

const at = 1_900_000_000;
const statement = { nonce: bytesOf(1), exporter: bytesOf(2), spkiSha256: bytesOf(3) };
const { evidence, own, reportData } = await evidenceFor(statement, someKeyset());
const other = bytesOf(9);

async function outcomes(changes: {
  own?: Partial<ConnectionStatement>;
  shown?: Evidence;
  quoted?: string | undefined;
  recorder?: string;
}): Promise<Record<string, string>> {
  const checks = await judgeBinding({
    own: { ...own, ...changes.own },
    shown: changes.shown ?? evidence,
    quoted: "quoted" in changes ? changes.quoted : reportData,
    recorder: changes.recorder,
    at,
  });
  return Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));
}

const all = (outcome: string): Record<string, string> => ({
  nonce: outcome,
  keyset: outcome,
  "connection-key": outcome,
  "connection-exporter": outcome,
});
const claiming = (connection: Partial<Evidence["connection"]>): Evidence => ({
  ...evidence,
  connection: { ...evidence.connection, ...connection },
});

describe("the binding of a connection", () => {
  it("holds where the quote's report data is what we compute ourselves", async () => {
    expect(await outcomes({})).toEqual(all("pass"));
  });

  it("names the part that is of another question, key, keyset or connection, and passes the rest", async () => {
    expect(await outcomes({ own: { nonce: other } })).toEqual({ ...all("pass"), nonce: "fail" });
    expect(await outcomes({ own: { exporter: other } })).toEqual({ ...all("pass"), "connection-exporter": "fail" });
    expect(await outcomes({ own: { keysetDigest: other } })).toEqual({ ...all("pass"), keyset: "fail" });
    expect(await outcomes({ own: { spkiSha256: other } })).toEqual({ ...all("pass"), "connection-key": "fail" });
  });

  it("is refused where somebody in between writes our own values over what was quoted", async () => {
    const shown = claiming({ exporter: hexOf(other) });
    expect(await outcomes({ own: { exporter: other }, shown })).toEqual({
      ...all("skip"),
      "connection-exporter": "fail",
    });
  });

  it("is refused where the quote was made for something else", async () => {
    const quoted = hexOf(await connectionReportData({ ...own, nonce: other }));
    expect(await outcomes({ quoted })).toEqual({ ...all("skip"), "connection-exporter": "fail" });
  });

  it("does not believe what the evidence says of its report data", async () => {
    const shown = { ...evidence, report_data: "00".repeat(64) };
    expect(await outcomes({ shown })).toEqual(all("pass"));
    expect(await outcomes({ quoted: "00".repeat(64) })).toMatchObject({ "connection-exporter": "fail" });
  });

  it("is not known where the quote cannot be read, and refused all the same where the claims differ", async () => {
    expect(await outcomes({ quoted: undefined })).toEqual(all("skip"));
    expect(await outcomes({ quoted: undefined, own: { nonce: other } })).toEqual({ ...all("skip"), nonce: "fail" });
  });

  it("is refused where the connection's key is not in the keyset, though the quote binds it", async () => {
    const made = await evidenceFor(statement, someKeyset({ tls_public_keys: [] }));
    const checks = { own: made.own, shown: made.evidence, quoted: made.reportData };
    expect(await outcomes(checks)).toEqual({ ...all("pass"), "connection-key": "fail" });
  });

  it("is refused where the keyset's time is over", async () => {
    const made = await evidenceFor(statement, someKeyset({ not_after: at - 1 }));
    const checks = { own: made.own, shown: made.evidence, quoted: made.reportData };
    expect(await outcomes(checks)).toEqual({ ...all("pass"), keyset: "fail" });
  });

  it("of a recording leaves to the recorder what only they can have seen", async () => {
    const skipped = { ...all("pass"), nonce: "skip", "connection-exporter": "skip" };
    expect(await outcomes({ recorder: "somebody" })).toEqual(skipped);
    expect(await outcomes({ recorder: "somebody", own: { exporter: other } })).toMatchObject({
      "connection-exporter": "fail",
    });
  });
});
