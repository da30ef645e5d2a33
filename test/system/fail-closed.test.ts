import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HealthReport } from "../../tee-bot/health/health.ts";
import { startPostern, until, type Postern } from "../support/postern.ts";
import { visit } from "../support/visit.ts";

describe("a node that must prove itself, in the whole system", () => {
  let state: string;
  let postern: Postern;

  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), "postern-proof-"));
    const env = { POSTERN_ATTESTATION_REQUIRED: "true" };
    postern = await startPostern({ state, args: ["--tee", "simulated"], env });
  });
  afterAll(async () => {
    await postern[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  const healthHere = async (): Promise<HealthReport> =>
    (await (await fetch(`${postern.run.gateway}/healthz`)).json()) as HealthReport;

  it("is healthy when its own verifier accepts its evidence, and shows it to who has no key", async () => {
    expect(await healthHere()).toMatchObject({ status: "healthy", tee: "simulated" });
    const { status, body } = await visit(postern, "/v1/aci/attestation");
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ api_version: "aci/1", service_capabilities: { simulated: true } });
  });

  it("shows its certificate to nobody once its TEE is gone, and again when that is back", async () => {
    const log = (): string => readFileSync(join(state, "log", "node.log"), "utf8");
    process.kill(postern.pids().tee ?? 0, "SIGKILL"); // the launcher starts it again, some moments later
    const { status } = await fetch(`${postern.run.gateway}/v1/aci/attestation?nonce=${"00".repeat(32)}`);
    expect(status).toBeGreaterThanOrEqual(500);
    await until(() => log().includes('"event":"certificate.withheld"'), 15_000, "it is withheld");
    expect(/"event":"evidence.refused".*guest agent/.test(log())).toBe(true);
    await until(async () => (await healthHere()).status === "healthy", 60_000, "it recovers by itself");
    expect((await visit(postern, "/")).status).toBe(200);
  });
});
