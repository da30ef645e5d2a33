/** Proof files and evidence changed at random: nothing that a node or a file says makes the verifier throw or accept. */
import { afterAll, describe, expect, it } from "vitest";
import { AppError } from "../../../../shared/errors.ts";
import { formatProof, parseProof } from "../../../../tee-bot/attestation/client/proof.ts";
import { inspectNode, inspectProof } from "../../../../tee-bot/attestation/client/verify-node.ts";
import { startAttestedWorld } from "./support/attested-world.ts";

const world = await startAttestedWorld();
afterAll(() => world[Symbol.asyncDispose]());
const roots = [world.certificate.certificate];
const trust = { root: world.pki.root, simulated: true };
const [rounds, timeoutMs] = process.env["SLOW"] ? [5_000, 300_000] : [300, 60_000];

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** Park and Miller: the same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Changes one value somewhere below, or takes it away. */
function change(value: Json, random: () => number): Json {
  const steps = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const step = steps[Math.floor(random() * steps.length)];
  if (step === undefined || random() < 0.05) return mutate(value, random);
  const below = value as { [name: string]: Json };
  if (random() < 0.05) delete below[step];
  else below[step] = change(below[step] ?? null, random);
  return value;
}

function mutate(value: Json, random: () => number): Json {
  const others: Json[] = [null, "", "00", -1, 1e300, [], {}, [[]], true, "\u0000\ud800", "[".repeat(5_000)];
  if (typeof value !== "string" || value === "" || random() < 0.3)
    return others[Math.floor(random() * others.length)] ?? null;
  const at = Math.floor(random() * value.length);
  const digit = Math.floor(random() * 16).toString(16);
  return value.slice(0, at) + digit + value.slice(at + 1);
}

/** What a good verdict says something of. */
function coveredBy(proof: Json): unknown {
  const { connection, evidence } = proof as unknown as ProofJson;
  const { nonce, exporter } = connection;
  return [
    nonce,
    exporter,
    evidence.keyset,
    evidence.evidence.app_compose,
    evidence.evidence.quote.slice(0, signedDigits),
  ];
}

interface ProofJson {
  connection: { nonce: string; exporter: string };
  evidence: { keyset: unknown; evidence: { quote: string; app_compose: string } };
}
/** Header and body of a TDX quote of version 4. */
const signedDigits = 2 * (48 + 584);

describe("a verifier of what anybody may have written", () => {
  it(
    `answers ${rounds} broken proof files with a report or a reason`,
    async () => {
      const { report, observation } = await inspectNode(world.verifier());
      const text = (observation && formatProof(observation, report)) ?? "";
      const random = seeded(7);
      const verdicts = new Map<string, number>();
      for (let round = 0; round < rounds; round++) {
        const broken = change(JSON.parse(text) as Json, random);
        let verdict = "none";
        try {
          verdict = (await inspectProof(parseProof(JSON.stringify(broken), roots), { trust })).report.verdict;
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
        expect(verdict).not.toBe("verified");
        if (verdict === "simulated") expect(coveredBy(broken)).toEqual(coveredBy(JSON.parse(text) as Json));
      }
      expect(verdicts.get("refused")).toBeGreaterThan(0);
      expect(verdicts.get("none")).toBeGreaterThan(0);
    },
    timeoutMs,
  );
});
