import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSimulatorPki } from "../../tee-bot/attestation/simulator/pki.ts";
import type { ControlFile } from "../../tee-bot/control/status.ts";
import { postern } from "../cli/run.ts";
import { isAlive, processTree, startPostern, until, type Postern } from "../support/postern.ts";
import { visit } from "../support/visit.ts";

interface VerifyReport {
  verdict: string;
  reason: string;
  node_id: string | null;
  checks: { id: string; outcome: string; detail: string }[];
}

describe("npm start -- --tee simulated", () => {
  let state: string;
  let stack: Postern;

  beforeAll(async () => {
    state = mkdtempSync(join(tmpdir(), "postern-tee-"));
    stack = await startPostern({ args: ["--tee", "simulated"], state });
  });
  afterAll(async () => {
    await (stack as Postern | undefined)?.[Symbol.asyncDispose]();
    rmSync(state, { recursive: true, force: true });
  });

  const verify = async (...flags: string[]): Promise<{ code: number | null; report: VerifyReport }> => {
    const { code, stdout, stderr } = await postern(
      "verify",
      "--json",
      "--cacert",
      stack.caPath,
      ...flags,
      stack.run.node.url,
    );
    try {
      return { code, report: JSON.parse(stdout) as VerifyReport };
    } catch (error) {
      throw new Error(`${stdout}\n${stderr}`, { cause: error });
    }
  };
  const root = (): string => stack.run.tee?.root ?? "";

  it("tells a script where the stand-in is, and a person that nothing is proof", async () => {
    expect(stack.run.tee).toMatchObject({ simulated: true, root: join(state, "simulator", "root.pem") });
    expect((await fetch(`${stack.run.tee?.pcs}/sgx/certification/v4/rootcacrl`)).status).toBe(200);
    await until(() => stack.stderr().includes("stop "), 5_000, "the summary is printed");
    expect(stack.stderr()).toContain("SIMULATED: nothing here is proof");
  });

  it("has a node that says so itself, wherever it is asked", async () => {
    const { stdout } = await postern("status", "--state", join(state, "node"));
    expect(stdout).toContain("SIMULATED");
    const { body } = await visit(stack, `/.well-known/postern-attestation?nonce=${"ab".repeat(32)}`);
    expect(JSON.parse(body)).toMatchObject({ simulated: true, node_id: stack.run.node.id, nonce: "ab".repeat(32) });
    expect(readFileSync(join(state, "log", "node.log"), "utf8")).toContain('"event":"tee.simulated"');
  });

  it("has a node whose keys are in no file, and whose identity is told and never handed out", async () => {
    const node = join(state, "node");
    const files = readdirSync(node);
    expect(files).toContain("certificate.pem");
    for (const file of ["identity.pem", "tls.key", "acme-account.pem"]) expect(files).not.toContain(file);
    expect((await postern("id", "--state", node)).stdout).toContain(`${stack.run.node.id}\n`);
    expect((await postern("id", "export", join(state, "id.pem"), "--state", node)).code).toBe(1);
    expect(existsSync(join(state, "id.pem"))).toBe(false);
  });

  it("lends its TEE to who has the token of its control API", async () => {
    const { url, token } = JSON.parse(readFileSync(join(state, "node", "control.json"), "utf8")) as ControlFile;
    const ask = async (path: string, body?: object) => {
      const init = body ? { method: "POST", body: JSON.stringify(body) } : {};
      const answer = await fetch(new URL(path, url), { ...init, headers: { authorization: `Bearer ${token}` } });
      return (await answer.json()) as Record<string, unknown>;
    };
    expect(await ask("/tee/info")).toMatchObject({ tee: "simulated", simulated: true });
    const { quote, report_data: reportData } = await ask("/tee/quote", { data: "c0ffee" });
    expect(quote).toContain(reportData);
    const signed = await ask("/tee/sign", { data: "c0ffee" });
    expect(
      await ask("/tee/verify", { data: "c0ffee", signature: signed["signature"], public_key: signed["public_key"] }),
    ).toMatchObject({ valid: true });
    expect(await ask("/tee/emit-event", { event: "e", payload: "" })).toMatchObject({
      status: 501,
      code: "not-supported",
    });
  });

  it("is refused by whoever does not name the simulator's root", async () => {
    const { code, report } = await verify();
    expect([code, report.verdict]).toEqual([1, "refused"]);
    expect(report.checks).toContainEqual(expect.objectContaining({ id: "hardware", outcome: "fail" }));
  });

  it("is refused with the root of another simulator", async () => {
    const other = join(state, "other.pem");
    writeFileSync(other, (await createSimulatorPki({ now: Date.now() })).rootPem);
    const { code, report } = await verify("--simulator-root", other);
    expect([code, report.verdict]).toEqual([1, "refused"]);
  });

  it("is simulated, on the live connection and by its proof file, for whoever names its root", async () => {
    const proof = join(state, "proof.json");
    const { code, report } = await verify("--simulator-root", root(), "--save", proof);
    expect(report.checks.filter(({ outcome }) => outcome === "fail")).toEqual([]);
    expect([code, report.verdict, report.node_id]).toEqual([0, "simulated", stack.run.node.id]);
    for (const id of ["connection-exporter", "connection-key", "keyset", "event-log", "compose", "collateral"])
      expect(report.checks).toContainEqual(expect.objectContaining({ id, outcome: "pass" }));
    const again = await postern("verify", "--json", "--cacert", stack.caPath, "--simulator-root", root(), proof);
    expect([again.code, (JSON.parse(again.stdout) as VerifyReport).verdict]).toEqual([0, "simulated"]);
    expect((await postern("verify", "--cacert", stack.caPath, proof)).code).toBe(1);
  });

  it("prints a line to verify that works when it is pasted", async () => {
    const [, line = ""] = /^ {2}verify +npm run postern -- (.*)$/m.exec(stack.stderr()) ?? [];
    const { code, stdout } = await postern(...line.split(" "));
    expect([code, stdout]).toEqual([0, expect.stringContaining("SIMULATED") as string]);
  });

  it("goes on when the stand-in was killed: it comes back as the same machine", async () => {
    const before = stack.pids();
    process.kill(before.tee ?? 0, "SIGKILL");
    await until(() => stack.pids().tee !== before.tee && existsSync(stack.run.tee?.socket ?? ""), 20_000, "it is back");
    await until(
      async () => (await verify("--simulator-root", root())).code === 0,
      30_000,
      "the node is verified again",
    );
    expect(stack.pids().node).toBe(before.node);
  });

  it("leaves no process and no socket behind, and is the same node the next time", async () => {
    const before = stack.run;
    const tree = processTree(stack.launcher.pid ?? 0);
    expect(await stack.stop()).toBeLessThan(5_000);
    await until(() => !tree.some(isAlive), 500, "no process is left");
    expect(existsSync(before.tee?.socket ?? "")).toBe(false);
    stack = await startPostern({ args: ["--tee", "simulated"], state });
    expect(stack.run.node.id).toBe(before.node.id);
    expect((await verify("--simulator-root", root())).code).toBe(0);
  });
});
