import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { lookAtNode } from "../../../../tee-bot/bot/verify/look-at-node.ts";
import { ownNode } from "../../../../tee-bot/bot/verify/own-node.ts";
import { startProvenName } from "../../attestation/support/proven-name.ts";
import { inSimulator } from "./support/verify-world.ts";
import type { NameWatchSubject } from "../../../../tee-bot/health/name-watch.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const identity = { key: `05${"ab".repeat(32)}`, safetyNumber: "1".repeat(30) };

const question = { words: "hi", random: "00".repeat(32), model: { place: "none" } } as const;

async function look(subject?: (port: number, ca: string) => Partial<NameWatchSubject>) {
  const name = stack.use(await startProvenName());
  await expect.poll(() => name.proof.standing.state, { timeout: 15_000 }).toBe("good");
  name.proof.followSignal(identity);
  const seen = subject?.(name.port, name.ca) as NameWatchSubject | undefined;
  const node = ownNode({ tee: inSimulator, proof: name.proof, subject: () => seen });
  return lookAtNode(node, {
    nonce: new Uint8Array(32).fill(7),
    clock: systemClock,
    signal: AbortSignal.timeout(20_000),
  });
}

describe("a node's look at itself", () => {
  it("takes a quote for the nonce where it has no name, with the Signal key of its bot in the keyset", async () => {
    const seen = await look();
    expect(seen).toMatchObject({
      kind: "seen",
      where: undefined,
      report: { verdict: "simulated" },
      keyset: { signal_identity: identity.key, signal_safety_number: identity.safetyNumber },
    });
    const proof = seen.kind === "seen" ? seen.prove?.(question) : "";
    expect(proof).toContain("postern.quote-proof/1");
  });

  it("goes to its public name as a stranger would, and sees the keyset on that connection", async () => {
    const relay = (port: number) => [{ host: "127.0.0.1", port }] as unknown as NameWatchSubject["relays"];
    // The name is one that nothing resolves here, so it is reached by an address literal, for which there is no certificate.
    const seen = await look((port, ca) => ({ hostnames: ["127.0.0.1"], relays: relay(port), roots: [ca] }));
    expect(seen).toMatchObject({ kind: "seen", where: "127.0.0.1", report: { verdict: "refused" } });
    if (seen.kind !== "seen") return;
    expect(seen.report.reason).toContain("The certificate is not for 127.0.0.1");
    expect(seen.keyset?.signal_identity).toBe(identity.key);
    expect(seen.prove?.(question)).toContain(`"nonce": "${"07".repeat(32)}"`);
  });
});
