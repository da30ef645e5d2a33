/** What every guest agent must show, whoever stands behind it: run for the stand-in and for the simulator. */
import { expect, it } from "vitest";
import { custodyPath, verifyCustody } from "../../../../shared/attestation/custody.ts";
import type { GuestAgent } from "../../../../tee-bot/attestation/dstack/guest-agent.ts";
import { AgentKeys } from "../../../../tee-bot/attestation/keys/tee-keys.ts";
import { refusalOfAsync } from "../../../shared/refusal.ts";

export interface BehaviourOptions {
  readonly agent: () => GuestAgent;
  /** Agents of the first kind only make quotes and keys. */
  readonly legacy: boolean;
}

export function behavesAsGuestAgent({ agent, legacy }: BehaviourOptions): void {
  it("tells what runs, with the texts as they are", async () => {
    const info = await agent().info();
    expect(info.appId).toMatch(/^[0-9a-f]{40}$/);
    expect(info.composeHash).toMatch(/^[0-9a-f]{64}$/);
    expect((JSON.parse(info.tcbInfo) as Record<string, unknown>)["app_compose"]).toBe(info.appCompose);
  });

  it("makes a quote for at most 64 bytes", async () => {
    const data = new Uint8Array(64).fill(7);
    const { quote, eventLog } = await agent().quote(data);
    expect(Buffer.from(quote).includes(Buffer.from(data))).toBe(true);
    expect(JSON.parse(eventLog)).toBeInstanceOf(Array);
    expect(await refusalOfAsync(() => agent().quote(new Uint8Array(65)))).toBe("bad-request");
  });

  it("fills what is shorter with zeros on the right", async () => {
    const { quote } = await agent().quote(Uint8Array.of(0xab, 0xcd));
    expect(Buffer.from(quote).includes(Buffer.from(`abcd${"00".repeat(62)}`, "hex"))).toBe(true);
  });

  it("makes the same key for the same path, and another for another", async () => {
    const key = async (path: string) =>
      Buffer.from((await agent().key({ path, purpose: "p", algorithm: "secp256k1" })).key);
    const one = await key("a/b");
    expect(one).toHaveLength(32);
    expect(await key("a/b")).toEqual(one);
    expect(await key("a/c")).not.toEqual(one);
  });

  it("signs for its keys, so that custody can be shown", async () => {
    const { appId } = await agent().info();
    const custody = await new AgentKeys(agent()).custody("identity", {
      algorithm: "ed25519",
      bytes: new Uint8Array(32),
    });
    expect(custody.path).toBe(custodyPath("identity"));
    const seen = verifyCustody(custody, { appId, kmsRoots: undefined });
    if (seen.verdict !== "unknown") return expect.fail(JSON.stringify(seen));
    expect(verifyCustody(custody, { appId, kmsRoots: [seen.root] })).toMatchObject({ verdict: "proven" });
    // The same root for another key, so it was not just any key to which a signature recovers.
    const other = await new AgentKeys(agent()).custody("tls", { algorithm: "p256", bytes: new Uint8Array(91) });
    expect(verifyCustody(other, { appId, kmsRoots: [seen.root] })).toMatchObject({ verdict: "proven" });
  });

  it("makes a TLS key with a chain of certificates", async () => {
    const { key, certificateChain } = await agent().tlsKey({
      subject: "a.test",
      altNames: ["b.test"],
      usageServerAuth: true,
    });
    expect(key).toContain("BEGIN PRIVATE KEY");
    expect(certificateChain.length).toBeGreaterThan(0);
  });

  if (legacy)
    it("says what an agent of the first kind cannot do", async () => {
      const none = new Uint8Array();
      for (const call of [
        () => agent().attest(none),
        () => agent().sign("ed25519", none),
        () => agent().verify("ed25519", none, none, none),
        () => agent().emitEvent("e", none),
        () => agent().gpuInfo(),
        () => agent().key({ path: "a", purpose: "p", algorithm: "ed25519" }),
      ])
        expect(await refusalOfAsync(call)).toBe("not-supported");
    });
  else
    it("signs by the application's key, and knows its own signature", async () => {
      const data = Uint8Array.of(1, 2, 3);
      const { signature, publicKey, signatureChain } = await agent().sign("ed25519", data);
      expect(signatureChain).toHaveLength(3);
      expect(await agent().verify("ed25519", data, signature, publicKey)).toBe(true);
      expect(
        await agent().verify(
          "ed25519",
          data,
          Uint8Array.from(signature, (byte) => byte ^ 1),
          publicKey,
        ),
      ).toBe(false);
    });
}
