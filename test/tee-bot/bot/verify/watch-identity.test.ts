import { describe, expect, it } from "vitest";
import type { SignalIdentity } from "../../../../tee-bot/attestation/evidence/keyset.ts";
import { safetyHalf } from "../../../../tee-bot/attestation/client/safety-number.ts";
import type { ListedIdentity } from "../../../../tee-bot/bot/verify/decide-identity.ts";
import { identityIntervalMs, watchIdentity } from "../../../../tee-bot/bot/verify/watch-identity.ts";
import { recordingLog } from "../../support/log.ts";

const account = "+15550000001";
const id = "0a1b2c3d00004000800000000000000a";
function listOf(fill: string): ListedIdentity[] {
  const key = `05${fill.repeat(32)}`;
  const half = safetyHalf(Buffer.from(key, "hex"), Buffer.from(id, "hex"));
  return [{ number: account, uuid: id, fingerprint: key, safety_number: half + half }];
}

/** Each look gives the next of these; after the last the watch is stopped. */
async function watch(looks: readonly (ListedIdentity[] | Error)[]) {
  const stop = new AbortController();
  const told: (string | undefined)[] = [];
  const waits: number[] = [];
  const log = recordingLog();
  let at = 0;
  await watchIdentity(
    {
      list: () => {
        const look = looks[at++] ?? [];
        return look instanceof Error ? Promise.reject(look) : Promise.resolve(look);
      },
      account: () => account,
      onIdentity: (identity: SignalIdentity | undefined) => void told.push(identity?.key.slice(2, 4)),
      clock: {
        now: () => 0,
        sleep: (ms) => {
          waits.push(ms);
          if (at >= looks.length) stop.abort();
          return Promise.resolve();
        },
      },
      random: () => 1,
      log,
    },
    stop.signal,
  );
  return { told, waits, log };
}

describe("the watch over the bot's Signal identity", () => {
  it("tells of it once, and again when it is another", async () => {
    const { told, waits } = await watch([listOf("aa"), listOf("aa"), listOf("bb")]);
    expect(told).toEqual(["aa", "bb"]);
    expect(waits).toEqual([identityIntervalMs, identityIntervalMs, identityIntervalMs]);
  });

  it("keeps what was known while signal-cli does not answer, and asks again sooner", async () => {
    const { told, waits, log } = await watch([listOf("aa"), new Error("+15550000002 is unreachable"), listOf("aa")]);
    expect(told).toEqual(["aa"]);
    expect(waits[1]).toBeLessThan(identityIntervalMs);
    expect(JSON.stringify(log.events)).not.toContain("+1555");
  });

  it("says that there is none any more when the account is gone from the list", async () => {
    expect((await watch([listOf("aa"), []])).told).toEqual(["aa", undefined]);
  });
});
