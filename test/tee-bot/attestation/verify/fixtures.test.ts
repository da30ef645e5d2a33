/**
 * Over real quotes and what was made of them, which others have published and this repository does not contain: skipped,
 * saying so, where they are not.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { CheckId } from "../../../../shared/attestation/check.ts";
import type { Collateral } from "../../../../shared/attestation/collateral.ts";
import { intelRoot } from "../../../../shared/attestation/dcap/intel-root.ts";
import { defaultRequired, policySchema, type PolicyInput } from "../../../../shared/attestation/policy.ts";
import { quoteVerifiers } from "../../../../tee-bot/attestation/verify/quote-verifiers.ts";
import { verifyQuote } from "../../../../tee-bot/attestation/verify/verify-quote.ts";
import type { QuoteSubject } from "../../../../tee-bot/attestation/verify/verification.ts";
import { teeFixtures } from "../support/fixtures.ts";
import { tell, type Told } from "../support/verification-world.ts";

const bytesOf = (file: string): Buffer => readFileSync(join(teeFixtures ?? "", file));
const textOf = (file: string): string => bytesOf(file).toString();
const jsonOf = (file: string): unknown => JSON.parse(textOf(file));
const collateralOf = (file: string): Collateral => jsonOf(file) as Collateral;
const subjectOf = (file: string): Subject => jsonOf(file) as Subject;
const hexOf = (file: string): string => bytesOf(file).toString("hex");

const time = (text: string): number => Date.parse(text) / 1000;
const nearTime = 1_786_622_400;

interface Subject extends Partial<QuoteSubject["evidence"]> {
  readonly quote: string;
  readonly collateral?: Collateral | undefined;
  readonly seconds?: number;
  readonly policy?: PolicyInput;
}

async function verify({ collateral, seconds = nearTime, policy = {}, ...evidence }: Subject): Promise<Told> {
  const subject: QuoteSubject = {
    evidence: { event_log: "[]", ...evidence },
    collateral,
    reportData: undefined,
    at: { seconds, clock: "the fixtures' README" },
  };
  return tell(await verifyQuote(subject, policySchema.parse(policy), { root: intelRoot, simulated: false }), false);
}

const near = (): Required<Pick<Subject, "quote" | "collateral" | "event_log" | "app_compose">> => {
  const { event_log, app_compose } = jsonOf("near-mpc/tcb_info.json") as { event_log: unknown; app_compose: string };
  return {
    quote: Buffer.from(jsonOf("near-mpc/quote.json") as number[]).toString("hex"),
    collateral: collateralOf("near-mpc/collateral.json"),
    event_log: JSON.stringify(event_log),
    app_compose,
  };
};

const outcomes = (told: Told, ids: readonly CheckId[]): string => ids.map((id) => told.outcome(id)).join(" ");

describe.skipIf(!teeFixtures)("real quotes (skipped without ../shared/fixtures/tee)", () => {
  it("a whole node passes every check that its evidence can answer", async () => {
    const told = await verify(near());
    const ids = defaultRequired.filter((id) => told.outcome(id) !== undefined);
    expect(outcomes(told, ids)).toBe(ids.map(() => "pass").join(" "));
    expect([told.outcome("hardware"), told.outcome("images")]).toEqual(["pass", "pass"]);
    expect(told.detail("quote-signature")).toMatch(
      /Our own reading and @phala\/dcap-qvl and @phala\/dcap-qvl-web accept/,
    );
    expect(told.detail("compose")).toMatch(/MRCONFIGID says the same/);
  });

  it("a quote is UpToDate with its own collateral, and OutOfDate with a year's newer one", async () => {
    const quote = hexOf("dcap-qvl/tdx_quote");
    const own = collateralOf("dcap-qvl/tdx_quote_collateral.json");
    const then = await verify({ quote, collateral: own, seconds: time("2025-06-25T00:00:00Z") });
    expect([then.outcome("quote-signature"), then.outcome("tcb-status")]).toEqual(["pass", "pass"]);

    const newer = near().collateral;
    const now = await verify({ quote, collateral: newer });
    expect([now.outcome("quote-signature"), now.outcome("tcb-status")]).toEqual(["pass", "fail"]);
    expect(now.detail("tcb-status")).toMatch(/OutOfDate.*SA-01192, INTEL-SA-01245, INTEL-SA-01312, INTEL-SA-01313/);
    const advisories = ["INTEL-SA-01192", "INTEL-SA-01245", "INTEL-SA-01312", "INTEL-SA-01313"];
    const lenient = await verify({ quote, collateral: newer, policy: { tcb: ["OutOfDate"], advisories } });
    expect(lenient.outcome("tcb-status")).toBe("pass");
  });

  it("a quote of version 5 is read, and refused for a platform older than any that Intel lists", async () => {
    const told = await verify({
      quote: hexOf("dcap-qvl/tdx_quote_outdated"),
      collateral: collateralOf("dcap-qvl/tdx_quote_outdated_collateral.json"),
      seconds: time("2026-03-01T00:00:00Z"),
    });
    const ids = ["quote-format", "collateral", "td-attributes", "tdx-module", "quote-signature", "tcb-status"] as const;
    expect(outcomes(told, ids)).toBe("pass pass pass pass fail fail");
    expect(told.detail("quote-signature")).toMatch(/@phala\/dcap-qvl refuses: No matching TCB level/);
  });

  it("an SGX quote is refused where one of TDX is due", async () => {
    const told = await verify({
      quote: hexOf("dcap-qvl/sgx_quote"),
      collateral: collateralOf("dcap-qvl/sgx_quote_collateral.json"),
      seconds: time("2025-06-20T12:00:00Z"),
    });
    expect(told.detail("quote-format")).toMatch(/SGX/);
    expect(told.verdict).toBe("refused");
  });

  it("a guest agent's answer, whose log has numbers as text and an event of the application, passes", async () => {
    const told = await verify({
      ...subjectOf("dstack/quote-report.json"),
      collateral: collateralOf("dcap-qvl/tdx_quote_outdated_collateral.json"),
      seconds: time("2026-03-01T00:00:00Z"),
    });
    expect(outcomes(told, ["quote-signature", "tcb-status", "event-log", "compose"])).toBe("pass pass pass skip");
  });

  it("the quote that the official simulator replays is Intel's, and its compose text not the measured one", async () => {
    const recorded = bytesOf("dstack/simulator-attestation.bin");
    const told = await verify({
      quote: recorded.subarray(4, 4 + 5006).toString("hex"),
      collateral: near().collateral,
      seconds: time("2026-08-14T00:00:00Z"),
    });
    expect(outcomes(told, ["quote-signature", "tcb-status"])).toBe("pass pass");
  });

  it("a system of the kind lite is known by its image's hash alone, and its digests are computed anew", async () => {
    const lite = jsonOf("dstack/tdx-lite-getquote.json") as Subject & { vm_config: string };
    const { os_image_hash } = JSON.parse(lite.vm_config) as { os_image_hash: string };
    const known = await verify({ ...lite, policy: { osImage: [os_image_hash] } });
    expect(outcomes(known, ["event-log", "os-image"])).toBe("pass pass");
    expect((await verify({ ...lite })).outcome("os-image")).toBe("skip");
    expect((await verify({ ...lite, policy: { osImage: ["0".repeat(64)] } })).outcome("os-image")).toBe("fail");
    const other = await verify({ ...near(), vm_config: lite.vm_config });
    expect(other.detail("os-image")).toMatch(/not those of the image/);
  });

  it("an old system's log replays, its compose text is the measured one, and an image goes by a tag", async () => {
    const told = await verify({
      ...subjectOf("dstack-examples/report.json"),
      app_compose: textOf("dstack-examples/app-compose.json"),
    });
    expect(outcomes(told, ["event-log", "compose", "images"])).toBe("pass pass fail");
  });
});

interface Tampered {
  readonly name: string;
  readonly quote?: string;
  readonly collateral?: string;
  readonly now?: number;
  readonly event_log?: string;
  readonly app_compose?: string;
}

/** Which check must refuse what; every case of the folder has its line. */
const refusedBy: Readonly<Record<string, CheckId>> = {
  "body-mrtd-bit": "quote-signature",
  "body-rtmr3-bit": "quote-signature",
  "report-data-bit": "quote-signature",
  "signature-bit": "quote-signature",
  "attestation-key-bit": "quote-signature",
  "qe-report-bit": "quote-signature",
  truncated: "quote-format",
  "trailing-bytes": "quote-format",
  "collateral-tcbinfo-edited": "collateral",
  "collateral-crl-garbage": "collateral",
  "collateral-crl-bad-signature": "collateral",
  "collateral-crl-stale": "collateral",
  "collateral-crl-lists-leaf": "collateral",
  "time-before-collateral": "collateral",
  "time-after-collateral": "collateral",
  "eventlog-compose-swapped-digest-kept": "event-log",
  "eventlog-last-event-dropped": "event-log",
  "app_compose-image-digest-changed": "compose",
};

const tampered = teeFixtures ? (jsonOf("tampered/index.json") as Tampered[]) : [];

describe.skipIf(!teeFixtures)("real evidence that was tampered with (skipped without ../shared/fixtures/tee)", () => {
  it("has a line here for each case", () => {
    expect(tampered.map(({ name }) => name).toSorted()).toEqual(Object.keys(refusedBy).toSorted());
  });

  it.each(tampered)("is refused: $name", async (one) => {
    const told = await verify(tamperedSubject(one));
    expect(told.outcome(refusedBy[one.name] ?? "nonce"), JSON.stringify(told.checks, null, 1)).toBe("fail");
    expect(told.verdict).toBe("refused");
  });

  it("shows why no library is asked alone", async () => {
    const accepts = async (at: 0 | 1, name: string): Promise<boolean> => {
      const { quote, collateral, seconds = nearTime } = tamperedSubject(tampered.find((one) => one.name === name)!);
      const question = { quote: Buffer.from(quote, "hex"), collateral: collateral!, seconds, root: intelRoot };
      return "tcb" in (await quoteVerifiers[at]!.ask(question));
    };
    for (const name of ["collateral-crl-garbage", "collateral-crl-bad-signature", "collateral-crl-stale"])
      expect([name, await accepts(0, name), await accepts(1, name)]).toEqual([name, true, false]);
    expect([await accepts(0, "time-before-collateral"), await accepts(1, "time-before-collateral")]).toEqual([
      false,
      true,
    ]);
    expect([await accepts(0, "trailing-bytes"), await accepts(1, "trailing-bytes")]).toEqual([true, true]);
  });
});

function tamperedSubject({ quote, collateral, now, event_log, app_compose }: Tampered): Subject {
  const honest = near();
  const replaced = collateral === undefined ? {} : (jsonOf(`tampered/${collateral}`) as Partial<Collateral>);
  return {
    quote: quote === undefined ? honest.quote : hexOf(`tampered/${quote}`),
    collateral: { ...honest.collateral, ...replaced } as Collateral,
    event_log: event_log === undefined ? honest.event_log : textOf(`tampered/${event_log}`),
    app_compose: app_compose === undefined ? honest.app_compose : textOf(`tampered/${app_compose}`),
    seconds: now ?? nearTime,
  };
}
