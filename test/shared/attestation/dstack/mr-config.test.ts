import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { judgeMrConfigId, type AppIdentity } from "../../../../shared/attestation/dstack/mr-config.ts";

const app: AppIdentity = {
  composeHash: "22".repeat(32),
  appId: "11".repeat(20),
  keyProviderId: "33".repeat(32),
  document: undefined,
};
const id = (form: number, digest: string): Buffer =>
  Buffer.from(`${form.toString().padStart(2, "0")}${digest}`.padEnd(96, "0"), "hex");

describe("MRCONFIGID", () => {
  it("of zeros says nothing", async () => {
    expect(await judgeMrConfigId(new Uint8Array(48), app)).toBe("absent");
  });

  it("of form 1 is the compose hash, and zeros", async () => {
    expect(await judgeMrConfigId(id(1, app.composeHash), app)).toBe("matches");
    expect(await judgeMrConfigId(id(1, `${app.composeHash}01`), app)).toBe("differs");
    expect(await judgeMrConfigId(id(1, "23".repeat(32)), app)).toBe("differs");
  });

  // keccak256(22 × 32 ‖ 11 × 20 ‖ 2 ‖ 33 × 32), computed from the specification of Keccak, without a library
  const kms = "7f2ca741da9d356026ab20ca640abf06198829a128817b091bbc9aec1ed97b60";
  it("of form 2 binds application, compose hash and key provider", async () => {
    expect(await judgeMrConfigId(id(2, kms), app)).toBe("matches");
    for (const changed of [{ composeHash: "24".repeat(32) }, { appId: "12".repeat(20) }, { keyProviderId: "34" }])
      expect(await judgeMrConfigId(id(2, kms), { ...app, ...changed })).toBe("differs");
  });

  it("of form 3 is the hash of a document that names the same compose hash", async () => {
    const document = JSON.stringify({ compose_hash: app.composeHash, version: 3 }, null, 1);
    const digest = createHash("sha256").update(`dstack-mr-config-v3:\0${document}`).digest("hex");
    expect(await judgeMrConfigId(id(3, digest), { ...app, document })).toBe("matches");
    expect(await judgeMrConfigId(id(3, digest), app)).toBe("unreadable");
    expect(await judgeMrConfigId(id(3, digest), { ...app, document: `${document} ` })).toBe("differs");
    expect(await judgeMrConfigId(id(3, digest), { ...app, document, composeHash: "25".repeat(32) })).toBe("differs");
    expect(await judgeMrConfigId(id(3, digest), { ...app, document: "{" })).toBe("differs");
  });

  it("of a form that nobody knows is not passed over", async () => {
    expect(await judgeMrConfigId(id(4, app.composeHash), app)).toBe("differs");
  });
});
