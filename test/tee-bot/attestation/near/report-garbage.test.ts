import { describe, expect, it } from "vitest";
import { policySchema } from "../../../../shared/attestation/policy.ts";
import { skip } from "../../../../shared/attestation/check.ts";
import { parseNearReport } from "../../../../tee-bot/attestation/near/near-report.ts";
import { verifyReport } from "../../../../tee-bot/attestation/near/verify-report.ts";
import { createSimulatorPki } from "../../../../tee-bot/attestation/simulator/pki.ts";
import { verifyAsIfHardware } from "../../../support/near/as-if-hardware.ts";
import { NearMachine } from "../../../support/near/near-machine.ts";

const rounds = 80;
const seed = 20_261_121;
const model = "a/model";
const nonce = Buffer.alloc(32, 5);
const pki = await createSimulatorPki({ now: Date.now() });
const collateral = await pki.createCollateral({ now: Date.now() });
const evidenceOf = (name: string): object =>
  new NearMachine({ pki, name }).evidence({ nonce, fingerprint: "22".repeat(32), model, gpu: "{}" });
const genuine = { gateway_attestation: evidenceOf("gateway"), model_attestations: [evidenceOf("machine")] };

/** What is not looked at, may be left out, or is a copy of what is computed anew (digests in an event log). */
const free = new Set([
  "request_nonce",
  "vm_config",
  "model_name",
  "nvidia_payload",
  "signing_public_key",
  "info",
  "event_log",
]);

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

function verify(value: unknown) {
  const report = parseNearReport(value);
  return (
    report &&
    verifyReport(report, {
      model,
      nonce,
      peer: undefined,
      verifyQuote: verifyAsIfHardware,
      policy: policySchema.parse({}),
      trust: { root: pki.root, simulated: false },
      collateral: () => Promise.resolve(collateral),
      at: { seconds: Math.floor(Date.now() / 1_000), clock: "the test's" },
      checkGpu: () => Promise.resolve(skip("model-gpu", "Not asked.")),
    })
  );
}

/** Marsaglia's xorshift, so that a round that fails fails again. */
function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** One member of it, anywhere, made into something else; says which. */
function spoil(value: Json, random: (below: number) => number): string {
  let at = value;
  for (;;) {
    const names = Object.keys(at as object);
    const name = names[random(names.length)]!;
    const holder = at as Record<string, Json>;
    const inner = holder[name]!;
    if (typeof inner === "object" && inner !== null && random(4) > 0) {
      at = inner;
      continue;
    }
    holder[name] = spoilt(inner, random);
    return name;
  }
}

function spoilt(value: Json, random: (below: number) => number): Json {
  const junk: Json[] = [null, 7, -1, "", "zz", [], {}, true, "0x", "\u0000", [[[]]], "9".repeat(100_000)];
  if (typeof value !== "string" || random(2) === 0) return junk[random(junk.length)]!;
  const place = random(value.length);
  return random(2) === 0
    ? value.slice(0, place)
    : `${value.slice(0, place)}${value[place] === "1" ? "2" : "1"}${value.slice(place + 1)}`;
}

describe("a report with garbage in one place", () => {
  it("is verified when it has none", async () => {
    expect((await verify(genuine))?.verdict).toBe("verified");
  });

  it("never makes the verifier throw, and is not verified unless nobody needs what was spoilt", async () => {
    const random = randomFrom(seed);
    for (let round = 0; round < rounds; round++) {
      const copy = structuredClone(genuine) as unknown as Json;
      const name = spoil(copy, random);
      const said = await verify(copy);
      if (!free.has(name)) expect(said?.verdict, `round ${round}: ${name}`).not.toBe("verified");
    }
  }, 60_000);
});
