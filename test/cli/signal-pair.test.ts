import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../shared/clock.ts";
import { PairingCodes } from "../../tee-bot/bot/access/pairing-codes.ts";
import { filesIn } from "../../tee-bot/config.ts";
import { startControl } from "../../tee-bot/control/control.ts";
import type { SignalControl } from "../../tee-bot/control/signal.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { openTestLedger } from "../tee-bot/support/ledger.ts";
import { nodeStatus } from "../tee-bot/support/node-status.ts";
import { postern } from "./run.ts";

let stack: AsyncDisposableStack;
let state: string;
let bot: Pick<SignalControl, "pair"> | undefined;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  state = stack.use(temporaryFolder()).path;
  bot = undefined;
  stack.use(
    await startControl({
      port: 0,
      path: filesIn(state).control,
      status: nodeStatus,
      expose: () => {},
      renew: () => {},
      ledger: stack.use(openTestLedger()),
      tee: { tee: "none", reason: "." },
      signal: () => bot as SignalControl | undefined,
      clock: systemClock,
    }),
  );
});
afterEach(() => stack.disposeAsync());
const pair = (...flags: string[]) => postern("signal", "pair", "--state", state, ...flags);

describe("postern signal pair", () => {
  it("prints a code that the bot takes, and what to do with it", async () => {
    const codes = new PairingCodes({ clock: systemClock, isWanted: true });
    bot = { pair: () => codes.make() };
    const { code, stdout } = await pair();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[A-Z]{4}-[A-Z]{4}\n\n {2}It is good once, until \d{4}-\d\d-\d\d \d\d:\d\d UTC\./);
    expect(stdout).toContain("sends it to the bot as a message");
    expect(codes.redeem(stdout.slice(0, 9).replace("-", ""))).toBeDefined();
    const made = JSON.parse((await pair("--json")).stdout) as { code: string };
    expect(codes.redeem(made.code.replace("-", ""))).toBeDefined();
  });

  it("says so where no policy asks for codes", async () => {
    const codes = new PairingCodes({ clock: systemClock, isWanted: false });
    bot = { pair: () => codes.make() };
    const { code, stderr } = await pair();
    expect(code).toBe(1);
    expect(stderr).toContain("set signal.people.policy or signal.groups.policy to pairing");
  });

  it("says what is missing where the node has no bot, or none runs", async () => {
    const without = await pair();
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/^No pairing code was made\.\n {2}why: {2}.*signal\.api/);
    const none = await postern("signal", "pair", "--state", "/nonexistent");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("No node is running here.");
  });
});
