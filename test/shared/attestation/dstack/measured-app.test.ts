import { describe, expect, it } from "vitest";
import { attempt, type Attempt } from "../../../../shared/attestation/attempt.ts";
import { replayEventLog } from "../../../../shared/attestation/dstack/event-log.ts";
import { readMeasuredApp, type MeasuredApp } from "../../../../shared/attestation/dstack/measured-app.ts";
import {
  guestEvents,
  runtimeEvent,
  syntheticProvider,
  type SyntheticEvent,
} from "../../../tee-bot/attestation/support/synthetic-app.ts";

const hash = "ab".repeat(32);

async function read(events: readonly SyntheticEvent[]): Promise<Attempt<MeasuredApp>> {
  const log = await replayEventLog(JSON.stringify(events));
  return attempt(() => readMeasuredApp(log.events));
}

describe("what dstack measured of the application", () => {
  it("is read from the events before the handover", async () => {
    const { value } = await read(guestEvents(hash, [runtimeEvent("os-image-hash", "cd".repeat(32))]));
    expect(value).toEqual({
      appId: hash.slice(0, 40),
      composeHash: hash,
      instanceId: "11".repeat(20),
      keyProvider: syntheticProvider,
      osImageHash: "cd".repeat(32),
      gpuAttestation: undefined,
    });
  });

  it("is not changed by what the application itself adds afterwards, of any name and type", async () => {
    const own = [runtimeEvent("compose-hash", "00".repeat(32)), { ...runtimeEvent("x", ""), event_type: 5 }];
    expect((await read([...guestEvents(hash), ...own])).value?.composeHash).toBe(hash);
  });

  it.each(["app-id", "compose-hash", "instance-id", "key-provider"])(
    "is refused without %s, and with two",
    async (name) => {
      const events = guestEvents(hash);
      const without = events.filter(({ event }) => event !== name);
      expect((await read(without)).fault).toMatch(new RegExp(`no ${name} before`));
      const twice = events.flatMap((event) => (event.event === name ? [event, event] : [event]));
      expect((await read(twice)).fault).toMatch(new RegExp(`${name} 2 times`));
    },
  );

  it("is refused without a handover, behind which anything may have been added", async () => {
    const events = guestEvents(hash).slice(0, -1);
    expect((await read(events)).fault).toMatch(/no system-ready/);
  });

  it("is refused when something else than dstack extended the register before the handover", async () => {
    const foreign = { ...runtimeEvent("x", ""), event_type: 5 };
    expect((await read(guestEvents(hash, [foreign]))).fault).toMatch(/no event of dstack/);
  });

  it("is not read from other registers", async () => {
    const moved = guestEvents(hash).map((event) => Object.assign(event, { imr: 2 }));
    expect((await read(moved)).fault).toMatch(/no system-ready/);
  });

  it.each(["", "00", Buffer.from("[1]").toString("hex")])("is refused with the key provider %j", async (payload) => {
    const events = guestEvents(hash).map((event) =>
      event.event === "key-provider" ? runtimeEvent("key-provider", payload) : event,
    );
    expect((await read(events)).fault).toMatch(/key-provider/);
  });

  it("is refused with a compose hash that is no SHA-256", async () => {
    expect((await read(guestEvents("abcd"))).fault).toMatch(/no SHA-256/);
  });
});
