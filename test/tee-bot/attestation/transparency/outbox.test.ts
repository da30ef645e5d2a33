import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAlert } from "../../../../tee-bot/attestation/transparency/alert.ts";
import { maxWaitingAlerts, openMemory } from "../../../../tee-bot/attestation/transparency/memory.ts";
import { Outbox } from "../../../../tee-bot/attestation/transparency/outbox.ts";
import { parseWebhook } from "../../../../tee-bot/attestation/transparency/webhook.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../../../support/webhook-receiver.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const never = new AbortController().signal;
let stack: AsyncDisposableStack;
let receiver: WebhookReceiver;
let path: string;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  receiver = stack.use(await startWebhookReceiver());
  path = join(stack.use(temporaryFolder()).path, "watch.json");
  clock = new ManualClock();
  log = recordingLog();
});
afterEach(() => stack.disposeAsync());

/** As after a start: what is in the file is all that is known. */
function open(webhook = parseWebhook(receiver.url, receiver.secret)) {
  const file = openMemory(path);
  return { file, outbox: new Outbox({ webhook, file, fetch, clock, random: () => 1, log }) };
}
const alert = (spkiSha256 = "ab") =>
  createAlert("certificate.foreign", { name: "alice.example.net", spkiSha256 }, clock.now());

describe("the outbox", () => {
  it("delivers an alert once, signed, as type, timestamp and data", async () => {
    const { file, outbox } = open();
    const one = alert();
    outbox.add(one);
    await outbox.deliverDue(never);
    await outbox.deliverDue(never);
    expect(receiver.deliveries).toEqual([
      {
        id: one.id,
        authentic: true,
        body: { type: "certificate.foreign", timestamp: new Date(one.at).toISOString(), data: one.data },
      },
    ]);
    expect(file.memory.outbox).toEqual([]);
  });

  it.each([
    ["an error", { kind: "answer", answer: { status: 500, headers: {}, body: "" } }],
    ["a redirect", { kind: "answer", answer: { status: 307, headers: { location: "/elsewhere" }, body: "" } }],
    ["a reset", { kind: "drop", when: "before" }],
  ] as const)(
    "keeps an alert that meets %s, over a restart, and tries again later under the same id",
    async (_, fault) => {
      receiver.faults.inject("/alerts", fault);
      const first = open();
      const one = alert();
      first.outbox.add(one);
      await first.outbox.deliverDue(never);
      expect(receiver.deliveries).toEqual([]);

      const second = open();
      await second.outbox.deliverDue(never);
      expect(receiver.deliveries).toEqual([]); // it is not due yet
      clock.advance(5_000);
      await second.outbox.deliverDue(never);
      expect(receiver.deliveries.map(({ id }) => id)).toEqual([one.id]);
      expect(open().file.memory.outbox).toEqual([]);
    },
  );

  it("waits longer after each failure, an hour at most", async () => {
    receiver.faults.inject("/alerts", { kind: "drop", when: "before" }, { times: 99 });
    const { file, outbox } = open();
    outbox.add(alert());
    const pauses: number[] = [];
    for (let attempt = 0; attempt < 12; attempt++) {
      await outbox.deliverDue(never);
      pauses.push(file.memory.outbox[0]!.nextAt - clock.now());
      clock.advance(pauses.at(-1)!);
    }
    expect(pauses.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(pauses.at(-1)).toBe(3_600_000);
  });

  it("is not held up by one that fails", async () => {
    receiver.faults.inject("/alerts", { kind: "drop", when: "before" });
    const { outbox } = open();
    outbox.add(alert("01"));
    outbox.add(alert("02"));
    await outbox.deliverDue(never);
    expect(receiver.deliveries.map(({ body }) => body.data["spkiSha256"])).toEqual(["02"]);
  });

  it("leaves a receiver alone that takes none, until the next look", async () => {
    const down = receiver.faults.inject("/alerts", { kind: "drop", when: "before" }, { times: 99 });
    const { file, outbox } = open();
    for (let at = 0; at < 10; at++) outbox.add(alert(String(at)));
    await outbox.deliverDue(never);
    expect(down.hits).toBe(3);
    down.remove();
    await outbox.deliverDue(never);
    clock.advance(5_000);
    await outbox.deliverDue(never);
    expect(receiver.deliveries).toHaveLength(10);
    expect(file.memory.outbox).toEqual([]);
  });

  it("has room for many; the oldest goes first and the log says so", () => {
    const { file, outbox } = open();
    for (let at = 0; at <= maxWaitingAlerts; at++) outbox.add(alert(String(at)));
    expect(file.memory.outbox).toHaveLength(maxWaitingAlerts);
    expect(file.memory.outbox[0]?.alert.data["spkiSha256"]).toBe("1");
    expect(log.events.filter(({ event }) => event === "alert.dropped")).toHaveLength(1);
  });
});
