/** How long does a whole verification of a quote take, offline, and how long each library alone? */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Collateral } from "../../shared/attestation/collateral.ts";
import { intelRoot } from "../../shared/attestation/dcap/intel-root.ts";
import { policySchema } from "../../shared/attestation/policy.ts";
import { createSimulatorPki } from "../../tee-bot/attestation/simulator/pki.ts";
import { quoteVerifiers } from "../../tee-bot/attestation/verify/quote-verifiers.ts";
import type { QuoteSubject, TrustRoot } from "../../tee-bot/attestation/verify/verification.ts";
import { verifyQuote } from "../../tee-bot/attestation/verify/verify-quote.ts";
import { teeFixtures } from "../tee-bot/attestation/support/fixtures.ts";
import { syntheticApp } from "../tee-bot/attestation/support/synthetic-app.ts";

export interface VerificationTimes {
  /** Which quote, and who verifies it. */
  readonly quote: string;
  readonly verifier: string;
  readonly wallMs: readonly number[];
  /** Of all threads, on average. */
  readonly cpuMs: number;
}

export const goalVerificationCpuMs = 60;
const warmUps = 10;
const policy = policySchema.parse({});

export async function measureVerification(rounds: number): Promise<VerificationTimes[]> {
  const subjects = [await syntheticSubject(), ...realSubjects()];
  const times: VerificationTimes[] = [];
  for (const { quote, subject, trust } of subjects) {
    const { evidence, collateral, at } = subject;
    if (!collateral) continue;
    const { pck_certificate_chain: _, ...documents } = collateral;
    times.push({
      quote,
      verifier: "Postern, all checks",
      ...(await measure(() => verifyQuote(subject, policy, trust), rounds)),
    });
    for (const { name, limit, ask } of quoteVerifiers) {
      if (limit({ version: 4, isIntelRoot: !trust.simulated }) !== undefined) continue;
      const bytes = Buffer.from(evidence.quote, "hex");
      const question = { quote: bytes, collateral: documents, seconds: at.seconds, root: trust.root };
      times.push({ quote, verifier: `${name} alone`, ...(await measure(() => ask(question), rounds)) });
    }
  }
  return times;
}

async function measure(
  verify: () => Promise<unknown>,
  rounds: number,
): Promise<Pick<VerificationTimes, "wallMs" | "cpuMs">> {
  for (let round = 0; round < warmUps; round++) await verify();
  const wallMs: number[] = [];
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await verify();
    wallMs.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  return { wallMs, cpuMs: (user + system) / 1000 / rounds };
}

interface Subject {
  readonly quote: string;
  readonly subject: QuoteSubject;
  readonly trust: TrustRoot;
}

async function syntheticSubject(): Promise<Subject> {
  const now = Date.now();
  const pki = await createSimulatorPki({ now });
  const app = syntheticApp();
  const reportData = Buffer.alloc(64, 7);
  const quote = Buffer.from(pki.signQuote({ reportData, rtmr: app.rtmr })).toString("hex");
  const collateral = await pki.createCollateral({ now });
  const at = { seconds: Math.ceil(now / 1000), clock: "this machine's" };
  return {
    quote: "synthetic",
    subject: { evidence: { ...app.evidence, quote }, collateral, reportData, at },
    trust: { root: pki.root, simulated: true },
  };
}

/** A published one, where it is at hand: the library that knows Intel's root alone can be measured over no other. */
function realSubjects(): Subject[] {
  if (!teeFixtures) return [];
  const read = (file: string): unknown => JSON.parse(readFileSync(join(teeFixtures ?? "", "near-mpc", file), "utf8"));
  const { event_log, app_compose } = read("tcb_info.json") as { event_log: unknown; app_compose: string };
  const quote = Buffer.from(read("quote.json") as number[]).toString("hex");
  return [
    {
      quote: "real",
      subject: {
        evidence: { quote, event_log: JSON.stringify(event_log), app_compose },
        collateral: read("collateral.json") as Collateral,
        reportData: undefined,
        at: { seconds: realSeconds, clock: "the quote's own time" },
      },
      trust: { root: intelRoot, simulated: false },
    },
  ];
}

/** Within what the published collateral is valid for. */
const realSeconds = 1_786_622_400;
