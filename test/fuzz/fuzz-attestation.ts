/**
 * Changes evidence at random and gives it to what reads evidence: each reader must refuse it with a sentence, soon, or find
 * in it just what was there before.
 */
import { isDeepStrictEqual } from "node:util";
import { attempt, type Attempt } from "../../shared/attestation/attempt.ts";
import { collateralSchema, type Collateral } from "../../shared/attestation/collateral.ts";
import { parseCertificate } from "../../shared/attestation/dcap/certificate.ts";
import { fromPem } from "../../shared/attestation/dcap/pem.ts";
import { parseQuote } from "../../shared/attestation/dcap/quote.ts";
import { verifyCollateral } from "../../shared/attestation/dcap/verify-collateral.ts";
import { verifyPlatform } from "../../shared/attestation/dcap/verify-platform.ts";
import { parseAppCompose } from "../../shared/attestation/dstack/app-compose.ts";
import { parseCbor } from "../../shared/attestation/dstack/cbor.ts";
import { replayEventLog } from "../../shared/attestation/dstack/event-log.ts";
import { readMeasuredApp } from "../../shared/attestation/dstack/measured-app.ts";
import { syntheticApp } from "../tee-bot/attestation/support/synthetic-app.ts";
import {
  createVerificationWorld,
  worldNow,
  worldReportData,
  type VerificationWorld,
} from "../tee-bot/attestation/support/verification-world.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { parseJson } from "../../shared/parse-json.ts";
import { policySchema } from "../../shared/attestation/policy.ts";
import { quoteEvidenceSchema, type QuoteEvidence } from "../../shared/attestation/evidence.ts";
import { rejected } from "../../shared/attestation/rejected.ts";
import { verifyQuote } from "../../tee-bot/attestation/verify/verify-quote.ts";
import { seededRandom, type Random } from "./random.ts";

export interface AttestationFuzzReport {
  seed: number;
  inputs: number;
  slowestMs: number;
  slowest: string;
  /** How often each reader refused, and with which sentences (numbers left out): one that only ever sees one learns nothing. */
  sentences: Record<string, number>;
  failures: { why: string; target: string; input: string }[];
}

/** What one reader is given, and what must not come out of it. */
interface Target {
  readonly name: string;
  readonly origins: readonly Buffer[];
  /** Refuses, or says what was wrongly accepted; undefined: it found what was there before. */
  readonly judge: (input: Buffer<ArrayBuffer>, origin: Buffer) => Promise<Attempt<string | undefined>>;
}

/** A reader takes well below 50 ms; the rest is the scheduler and the collector. */
const slowMs = 1000;
const maxFailures = 10;

export interface FuzzLimits {
  readonly seed: number;
  readonly inputs: number;
  readonly durationMs: number;
}

/** Ends with the first of both limits. */
export async function fuzzAttestation({ seed, inputs, durationMs }: FuzzLimits): Promise<AttestationFuzzReport> {
  const random = seededRandom(seed);
  const targets = await createTargets();
  const report: AttestationFuzzReport = { seed, inputs: 0, slowestMs: 0, slowest: "", sentences: {}, failures: [] };
  const end = performance.now() + durationMs;
  while (report.inputs < inputs && performance.now() < end && report.failures.length < maxFailures) {
    const target = targets[report.inputs % targets.length];
    if (target) await judge(target, random, report);
  }
  return report;
}

async function judge(target: Target, random: Random, report: AttestationFuzzReport): Promise<void> {
  const origin = random.pick(target.origins);
  const input = Buffer.from(mutateBytes(origin, target.origins, random));
  const fail = (why: string): void => {
    report.failures.push({ why, target: target.name, input: input.toString("base64") });
  };
  report.inputs++;
  const start = performance.now();
  try {
    const { fault, value } = await target.judge(input, origin);
    if (value !== undefined && !input.equals(origin)) fail(`accepts ${value}`);
    const sentence = `${target.name}: ${(fault ?? "accepted").replaceAll(/[0-9a-f]*\d[0-9a-f]*/g, "#")}`;
    report.sentences[sentence] = (report.sentences[sentence] ?? 0) + 1;
  } catch (error) {
    fail(`throws ${String(error)}`);
  }
  const tookMs = performance.now() - start;
  if (tookMs > report.slowestMs) Object.assign(report, { slowestMs: Math.round(tookMs), slowest: target.name });
  if (tookMs > slowMs) fail(`takes ${Math.round(tookMs)} ms`);
}

async function createTargets(): Promise<Target[]> {
  const world = await createVerificationWorld();
  const app = syntheticApp();
  const quote = Buffer.from(world.pki.signQuote({ reportData: worldReportData, rtmr: app.rtmr }));
  return [
    quoteTarget(world, quote),
    wholeTarget(world, { ...app.evidence, quote: quote.toString("hex") }),
    eventLogTarget(app.evidence.event_log),
    ...(await collateralTargets(world, quote)),
    ...parserTargets(world),
  ];
}

function quoteTarget({ pki }: VerificationWorld, quote: Buffer): Target {
  return {
    name: "quote",
    origins: [quote, Buffer.concat([quote, Buffer.alloc(70)])],
    judge: async (input) =>
      attempt(async () => {
        const parsed = parseQuote(new Uint8Array(input));
        await verifyPlatform(parsed, pki.root, worldNow / 1000);
        const whole =
          quote.length + parsed.paddingBytes === input.length && input.subarray(0, quote.length).equals(quote);
        return whole ? undefined : "a quote that was not signed";
      }),
  };
}

/** Registers that come out the same must mean the same application. */
function eventLogTarget(eventLog: string): Target {
  const read = async (text: string): Promise<[registers: unknown, app: unknown]> => {
    const log = await replayEventLog(text);
    return [log.registers, readMeasuredApp(log.events)];
  };
  return {
    name: "event log",
    origins: [Buffer.from(eventLog)],
    judge: async (input, origin) =>
      attempt(async () => {
        const [[registers, app], honest] = [await read(input.toString()), await read(origin.toString())];
        const isForged = isDeepStrictEqual(registers, honest[0]) && !isDeepStrictEqual(app, honest[1]);
        return isForged ? "another application for the same registers" : undefined;
      }),
  };
}

/** Each document for itself; what is accepted must be the same bytes, however they were written. */
async function collateralTargets({ pki, collateral }: VerificationWorld, quote: Buffer): Promise<Target[]> {
  const { pckChain, platform } = await verifyPlatform(parseQuote(new Uint8Array(quote)), pki.root, worldNow / 1000);
  const rules = { ...platform, root: pki.root, seconds: worldNow / 1000, pckChain };
  const names = Object.keys(collateral) as (keyof Collateral)[];
  return names.map((name) => {
    const isHex = /^[0-9a-f]+$/i.test(collateral[name] ?? "");
    const decode = (text: string): unknown => (isHex ? text.toLowerCase() : (fromPem(text) ?? text));
    return {
      name,
      origins: [Buffer.from(collateral[name] ?? "", isHex ? "hex" : "utf8")],
      judge: async (input) =>
        attempt(async () => {
          const text = input.toString(isHex ? "hex" : "utf8");
          await verifyCollateral(collateralSchema.parse({ ...collateral, [name]: text }), rules);
          return isDeepStrictEqual(decode(text), decode(collateral[name] ?? "")) ? undefined : `another ${name}`;
        }),
    };
  });
}

/** All of what a node shows of one quote, as one text: never an error, and nothing accepted but what was signed. */
function wholeTarget({ pki, collateral }: VerificationWorld, evidence: QuoteEvidence): Target {
  const policy = policySchema.parse({});
  const trust = { root: pki.root, simulated: true };
  const at = { seconds: worldNow / 1000, clock: "the fuzzer's" };
  return {
    name: "whole",
    origins: [Buffer.from(JSON.stringify(evidence))],
    judge: async (input) =>
      attempt(async () => {
        const shown = quoteEvidenceSchema.safeParse(parseJson(input.toString())).data;
        if (!shown) throw rejected("This is no evidence.");
        const subject = { evidence: shown, collateral, reportData: worldReportData, at };
        const { checks } = await verifyQuote(subject, policy, trust);
        const refusal = checks.find(({ outcome }) => outcome === "fail");
        if (refusal) throw rejected(`${refusal.id} fails.`);
        const isAsMeasured = shown.app_compose === undefined || shown.app_compose === evidence.app_compose;
        return isAsMeasured ? undefined : "another compose text";
      }),
  };
}

/** Readers that may take whatever they can read: they are asked only after a hash or a signature was found right. */
function parserTargets({ pki, collateral }: VerificationWorld): Target[] {
  const certificates = fromPem(collateral.tcb_info_issuer_chain) ?? [];
  const map = Buffer.from("a26776657273696f6e0365696d616765a1616142abcd", "hex");
  const accepting = (
    name: string,
    origins: readonly Buffer[],
    read: (input: Buffer<ArrayBuffer>) => unknown,
  ): Target => ({
    name,
    origins,
    judge: async (input) =>
      attempt(() => {
        read(input);
        return undefined;
      }),
  });
  return [
    accepting(
      "certificate",
      [...certificates, pki.root].map((der) => Buffer.from(der)),
      (input) => parseCertificate(new Uint8Array(input)),
    ),
    accepting("compose", [Buffer.from(syntheticApp().evidence.app_compose ?? "")], (input) =>
      parseAppCompose(input.toString()),
    ),
    accepting("CBOR", [map], (input) => parseCbor(new Uint8Array(input))),
  ];
}
