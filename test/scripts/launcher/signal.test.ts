import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planSignal } from "../../../scripts/launcher/signal.ts";
import { readOrCreateHookSecret } from "../../../tee-bot/bot/receive/credential.ts";
import { variables } from "../../../tee-bot/settings/environment.ts";

const ports = { signal: 8_147, hook: 8_146 };

describe("the plan of a simulated Signal", () => {
  let state: string;
  beforeEach(() => {
    state = mkdtempSync(join(tmpdir(), "postern-plan-"));
  });
  afterEach(() => rmSync(state, { recursive: true, force: true }));

  it("has one password for the hook, which the receiver reads and no list of processes shows", () => {
    const { simulate, simulateVars, vars } = planSignal({ state, ports });
    const path = vars["POSTERN_SIGNAL_RECEIVE_SECRET_FILE"] ?? "";
    const secret = readOrCreateHookSecret(path).reveal();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(simulateVars["POSTERN_SIMULATOR_HOOK"]).toBe(`http://postern:${secret}@127.0.0.1:8146/hooks/signal`);
    expect(simulate.join(" ")).not.toContain(secret);
    expect(Object.values(vars)).not.toContain(secret);
  });

  it("is the same at the next start, so that one part goes on with the other", () => {
    const first = planSignal({ state, ports });
    const kept = readFileSync(join(state, "signal-hook.secret"), "utf8");
    expect(planSignal({ state, ports })).toEqual(first);
    expect(readFileSync(join(state, "signal-hook.secret"), "utf8")).toBe(kept);
  });

  it("gives the node settings that it knows", () => {
    const known = variables.map(({ name }) => name);
    for (const name of Object.keys(planSignal({ state, ports }).vars)) expect(known).toContain(name);
  });
});
