import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  formatQuoteProof,
  judgeQuoteRecord,
  parseQuoteProof,
  type QuoteRecord,
} from "../../../../tee-bot/attestation/client/quote-proof.ts";
import type { Judgement } from "../../../../tee-bot/attestation/client/verify-node.ts";
import { simulatorRoot } from "../../../../tee-bot/attestation/simulator-root.ts";
import { startProvenName, type ProvenName } from "../support/proven-name.ts";

let name: ProvenName;
let record: QuoteRecord;
let trusting: Judgement;
const identity = { key: `05${"ab".repeat(32)}`, safetyNumber: "1".repeat(30) };
beforeAll(async () => {
  name = await startProvenName();
  name.proof.followSignal(identity);
  record = await name.proof.quoteNow("07".repeat(32), AbortSignal.timeout(20_000));
  trusting = { trust: simulatorRoot(name.files.directory, undefined) };
});
afterAll(() => name[Symbol.asyncDispose]());

const live = { isRecorded: false };
const recorded = { isRecorded: true };
const verdictOf = async (changed: QuoteRecord, judgement = trusting): Promise<string> =>
  (await judgeQuoteRecord(changed, judgement, recorded)).report.verdict;

describe("a quote without a connection", () => {
  it("is good for the nonce and the keyset that it carries, with the bot's Signal key in that", async () => {
    const { report, keyset } = await judgeQuoteRecord(record, trusting, live);
    expect(report.verdict).toBe("simulated");
    expect(report.required).toContain("nonce");
    expect(report.notProven[0]).toContain("Any connection");
    expect(keyset).toMatchObject({ signal_identity: identity.key, node_id: name.keys.identity.id });
  });

  it("is judged again out of its file, where a fresh nonce is somebody's word", async () => {
    const { report } = await judgeQuoteRecord(record, trusting, live);
    const read = parseQuoteProof(formatQuoteProof(record, report));
    expect(read).toBeDefined();
    if (!read) return;
    const again = await judgeQuoteRecord(read, trusting, recorded);
    expect(again.report.verdict).toBe("simulated");
    expect(again.report.checks.find(({ id }) => id === "nonce")).toMatchObject({ outcome: "skip" });
  });

  it("is refused with another nonce or keyset, whose members it then vouches for in nothing", async () => {
    expect(await verdictOf({ ...record, nonce: "08".repeat(32) })).toBe("refused");
    const changed = { ...record, keyset: { ...record.keyset, signal_identity: `05${"cd".repeat(32)}` } };
    expect(await verdictOf(changed)).toBe("refused");
    expect((await judgeQuoteRecord(changed, trusting, live)).keyset).toBeUndefined();
  });

  it("is refused after its keyset's end, and under any root but the one that was named", async () => {
    expect(await verdictOf(record, {})).toBe("refused");
    const late = { ...record, recorded_at: record.keyset.not_after + 1 };
    const { report } = await judgeQuoteRecord(late, trusting, recorded);
    expect(report.checks.find(({ id }) => id === "keyset")).toMatchObject({ outcome: "fail" });
  });

  it("is compared with a safety number, which is required where it is asked for", async () => {
    const compare = (value: string): Judgement => ({ ...trusting, signalIdentity: { kind: "half", value } });
    expect(await verdictOf(record, compare(identity.safetyNumber))).toBe("simulated");
    expect(await verdictOf(record, compare("2".repeat(30)))).toBe("refused");
  });

  it("is told from files of another kind, and from broken ones", () => {
    expect(parseQuoteProof(`{"version":"postern.proof/1"}`)).toBeUndefined();
    expect(parseQuoteProof("no json")).toBeUndefined();
    expect(() => parseQuoteProof(`{"version":"postern.quote-proof/1"}`)).toThrow("wrong at");
  });

  it("is not known without the vendor's word", async () => {
    const { collateral: _without, ...bare } = record;
    expect(await verdictOf(bare)).toBe("unknown");
  });
});
