/** A real relay and a real node in a simulated TEE, and in between somebody who has stolen the node's TLS key. */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { parseNodeAddress } from "../../tee-bot/attestation/client/observe/parse-address.ts";
import { verifyNode } from "../../tee-bot/attestation/client/verify-node.ts";
import { connectGuestAgent } from "../../tee-bot/attestation/dstack/connect-guest-agent.ts";
import { p256Pem } from "../../tee-bot/attestation/keys/key-forms.ts";
import { AgentKeys } from "../../tee-bot/attestation/keys/tee-keys.ts";
import type { NodeReport } from "../../tee-bot/attestation/verify/verification.ts";
import { filesIn } from "../../tee-bot/config.ts";
import { startPostern, type Postern } from "../support/postern.ts";
import { startMiddle } from "../tee-bot/attestation/client/support/middle.ts";

describe("a node in a TEE, behind a relay", () => {
  let state: string;
  let stack: Postern;

  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), "postern-stolen-"));
    stack = await startPostern({ args: ["--tee", "simulated"], state });
  });
  afterAll(async () => {
    await (stack as Postern | undefined)?.[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  /** By whoever named the simulator's root; `port` is where the connection leads. */
  const verify = (port: number): Promise<NodeReport> => {
    const root = new X509Certificate(readFileSync(stack.run.tee?.root ?? ""));
    const address = parseNodeAddress(stack.run.node.url, `127.0.0.1:${port}`);
    const trust = { root: new Uint8Array(root.raw), simulated: true };
    return verifyNode({ address, roots: [stack.ca], trust });
  };
  const failures = ({ checks }: NodeReport): string[] =>
    checks.filter(({ outcome }) => outcome === "fail").map(({ id }) => id);

  it("passes through the relay, which moves bytes", async () => {
    const report = await verify(stack.run.relay.port);
    expect(failures(report)).toEqual([]);
    expect(report.verdict).toBe("simulated");
  });

  it("is refused through somebody who ends TLS with its own key and certificate", async () => {
    // Whoever has the simulator's socket has its keys; of hardware nobody would.
    const found = connectGuestAgent({ tee: "simulated", socket: stack.run.tee?.socket, env: {}, clock: systemClock });
    if (found.tee === "none") throw new Error(found.reason);
    const key = p256Pem(await new AgentKeys(found.agent).derive("tls"));
    const certificate = readFileSync(filesIn(join(state, "node")).certificate, "utf8");
    const servername = new URL(stack.run.node.url).hostname;
    await using middle = await startMiddle(stack.run.relay.port, { certificate, key }, servername);

    const report = await verify(middle.port);
    expect(middle.overheard).toContain('"keyset_digest"'); // it did read what the node said
    expect(failures(report)).toEqual(["connection-exporter"]);
    expect(report.verdict).toBe("refused");
  });
});
