import { describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import { maxEvents, replayEventLog, type ReplayedLog } from "../../../../shared/attestation/dstack/event-log.ts";
import {
  replayed,
  runtimeEvent,
  runtimeType,
  secondRuntimeEvent,
  syntheticApp,
  type SyntheticEvent,
} from "../../../tee-bot/attestation/support/synthetic-app.ts";

const replay = (events: readonly unknown[]): Promise<ReplayedLog> => replayEventLog(JSON.stringify(events));
const refusal = async (text: string): Promise<string | undefined> => (await attempt(() => replayEventLog(text))).fault;

describe("the event log", () => {
  it("replays each register by itself, in the order of its events", async () => {
    const { events, rtmr } = syntheticApp();
    const { registers } = await replay(events);
    expect(registers).toEqual(rtmr.map((register) => register.toString("hex")));
    const swapped = await replay(events.toReversed());
    expect(swapped.registers).not.toEqual(registers);
  });

  it("is empty in registers that nothing went into", async () => {
    expect((await replay([])).registers).toEqual(Array.from({ length: 4 }, () => "00".repeat(48)));
  });

  it("has dstack's digests computed anew, in either form, whatever is printed", async () => {
    const events = [runtimeEvent("one", "aa"), secondRuntimeEvent("two", "bb")];
    const honest = replayed(events, 3).toString("hex");
    expect((await replay(events)).registers[3]).toBe(honest);
    const unprinted = [
      { ...events[0], digest: "" },
      { ...events[1], digest: "", version: 2 },
    ];
    expect((await replay(unprinted)).registers[3]).toBe(honest);
    const falsely = [{ ...events[0], event_payload: "ab" }, events[1]];
    expect((await replay(falsely)).registers[3]).not.toBe(honest);
  });

  it("may have numbers as text, and digests in capitals, as guest agents do", async () => {
    const [event] = [runtimeEvent("one", "aa")] as [SyntheticEvent];
    const texts = { ...event, imr: "3", event_type: String(runtimeType), digest: event.digest.toUpperCase() };
    expect((await replay([texts])).registers).toEqual((await replay([event])).registers);
  });

  it("takes the firmware's digests as they are", async () => {
    const firmware = { imr: 0, event_type: 4, digest: "ab".repeat(48), event: "x", event_payload: "" };
    expect((await replay([firmware])).registers[0]).toBe(replayed([firmware], 0).toString("hex"));
  });

  const firmware = { imr: 0, event_type: 4, digest: "ab".repeat(48) };
  it.each<[string, unknown]>([
    ["no JSON", undefined],
    ["an object", {}],
    ["a fifth register", [{ ...firmware, imr: 4 }]],
    ["a negative register", [{ ...firmware, imr: -1 }]],
    ["a type beyond 32 bits", [{ ...firmware, event_type: 2 ** 32 }]],
    ["a digest of another hash", [{ ...firmware, digest: "ab".repeat(32) }]],
    ["a firmware's event without a digest", [{ ...firmware, digest: "" }]],
    ["a digest that is not hexadecimal", [{ ...firmware, digest: "zz".repeat(48) }]],
    ["half a byte of payload", [{ ...firmware, event_payload: "abc" }]],
    ["too many events", Array.from({ length: maxEvents + 1 }, () => firmware)],
  ])("is refused with %s", async (_, log) => {
    expect(await refusal(JSON.stringify(log) ?? "{")).toMatch(/event log/);
  });

  it("is refused unread when it is longer than any", async () => {
    expect(await refusal(" ".repeat(1024 * 1024 + 1))).toMatch(/more than 1048576 characters/);
  });
});
