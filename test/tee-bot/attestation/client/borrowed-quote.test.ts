/**
 * An impostor who shows the genuine quote of another machine, under Intel's root: published data that this repository does
 * not contain; skipped, saying so, where it is not.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Collateral } from "../../../../shared/attestation/collateral.ts";
import type { Evidence } from "../../../../shared/attestation/evidence.ts";
import { systemClock } from "../../../../shared/clock.ts";
import { verifyNode } from "../../../../tee-bot/attestation/client/verify-node.ts";
import { teeFixtures } from "../support/fixtures.ts";
import { startAttestedWorld } from "./support/attested-world.ts";

/** A time at which its collateral holds, seconds since 1970. */
const time = 1_786_622_400;
const jsonOf = (file: string): unknown => JSON.parse(readFileSync(join(teeFixtures ?? "", "near-mpc", file), "utf8"));

function borrow(document: Evidence): Evidence {
  const { event_log, app_compose } = jsonOf("tcb_info.json") as { event_log: unknown; app_compose: string };
  const quote = Buffer.from(jsonOf("quote.json") as number[]).toString("hex");
  return {
    ...document,
    simulated: false,
    evidence: { quote, event_log: JSON.stringify(event_log), app_compose },
    collateral: {
      retrieved_at: time,
      source: "https://pccs.example",
      documents: jsonOf("collateral.json") as Collateral,
    },
  };
}

describe.skipIf(!teeFixtures)("the genuine quote of another machine (skipped without ../shared/fixtures/tee)", () => {
  it("passes as a quote, and is refused on this connection", async () => {
    await using world = await startAttestedWorld();
    world.server.tamper = borrow;
    const clock = { ...systemClock, now: () => time * 1000 };
    const report = await verifyNode({ ...world.verifier(), trust: undefined, clock });
    const outcome = (id: string): string | undefined => report.checks.find((check) => check.id === id)?.outcome;
    for (const id of ["quote-signature", "collateral", "tcb-status", "hardware", "event-log", "compose"])
      expect([id, outcome(id)]).toEqual([id, "pass"]);
    expect(report.checks.filter((check) => check.outcome === "fail").map(({ id }) => id)).toEqual([
      "connection-exporter",
    ]);
    expect(report).toMatchObject({ verdict: "refused", reason: expect.stringContaining("made for something else") });
  });
});
