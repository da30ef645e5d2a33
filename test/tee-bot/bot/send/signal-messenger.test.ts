import { describe, expect, it } from "vitest";
import { silentLog } from "../../../../shared/log.ts";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { openCalls } from "../../../../tee-bot/bot/send/open-calls.ts";
import { noCounts } from "../../../../tee-bot/bot/send/send-counts.ts";
import { SignalMessenger } from "../../../../tee-bot/bot/send/signal-messenger.ts";
import { hastyClock } from "../../../support/hasty-clock.ts";
import { until } from "../../../support/postern.ts";
import { directChat } from "./support/memory-outbox.ts";
import { startScriptedRest, type ScriptedAnswer, type ScriptedCall } from "./support/scripted-rest.ts";

const account = "+15550000001";
const person = "aaaaaaaa-1111-4111-8111-111111111111";
const file = { id: "a b.jpg", contentType: "image/jpeg", name: new Sensitive("a.jpg"), size: 3 };

async function startWorld(script: (call: ScriptedCall) => ScriptedAnswer, { isOn = true, factor = 1 } = {}) {
  const rest = await startScriptedRest(script);
  const counts = noCounts();
  const messenger = new SignalMessenger({
    api: openCalls(rest.url, { sendMs: 5_000, smallMs: 5_000, probeMs: 5_000, attachmentMs: 5_000 }).api,
    isPaused: () => false,
    showsTyping: isOn,
    marksRead: isOn,
    counts,
    clock: hastyClock(factor),
    log: silentLog,
  });
  return {
    rest,
    counts,
    messenger,
    [Symbol.asyncDispose]: async () => {
      messenger[Symbol.dispose]();
      await rest[Symbol.asyncDispose]();
    },
  };
}

describe("the messenger", () => {
  it("tells a person that a message was read, in the form that the server wants", async () => {
    await using world = await startWorld(() => ({ status: 204 }));
    world.messenger.markRead(account, person, 5);
    await until(() => world.counts.readSent === 1, 5_000, "it is told");
    expect(world.rest.calls).toMatchObject([
      {
        method: "POST",
        path: "/v1/receipts/%2B15550000001",
        body: { recipient: person, receipt_type: "read", timestamp: 5 },
      },
    ]);
  });

  it("shows that it is writing, and takes it away", async () => {
    await using world = await startWorld(() => ({ status: 204 }));
    const shown = world.messenger.typing(account, directChat(person));
    await until(() => world.counts.typingSent > 0, 5_000, "it is shown");
    shown[Symbol.dispose]();
    await until(() => world.rest.calls.at(-1)?.method === "DELETE", 5_000, "it is taken away");
    expect(world.rest.calls[0]).toMatchObject({
      method: "PUT",
      path: "/v1/typing-indicator/%2B15550000001",
      body: { recipient: person },
    });
  });

  it("does neither where the settings say so", async () => {
    await using world = await startWorld(() => ({ status: 204 }), { isOn: false });
    world.messenger.typing(account, directChat(person))[Symbol.dispose]();
    world.messenger.markRead(account, person, 5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.rest.calls).toEqual([]);
  });

  it("never throws when the server is gone", async () => {
    await using world = await startWorld(() => "reset");
    await world.rest.stop();
    using _ = world.messenger.typing(account, directChat(person));
    world.messenger.markRead(account, person, 5);
    await until(() => world.counts.readFailed + world.counts.typingFailed >= 2, 5_000, "both failed");
  });

  it("loads a file of at most so many bytes, whatever size its sender told", async () => {
    await using world = await startWorld(() => ({ status: 200, body: "x".repeat(98) }));
    expect(await world.messenger.download(file, 100)).toHaveLength(100);
    expect(world.rest.calls[0]?.path).toBe("/v1/attachments/a%20b.jpg");
    await expect(world.messenger.download(file, 99)).rejects.toMatchObject({ code: "too-large" });
    await expect(world.messenger.download({ ...file, size: 101 }, 100)).rejects.toMatchObject({ code: "too-large" });
    expect(world.rest.calls).toHaveLength(2);
  });

  it("says that a file is gone", async () => {
    await using world = await startWorld(() => ({
      status: 404,
      body: { error: "No attachment with that name found" },
    }));
    await expect(world.messenger.download(file, 100)).rejects.toMatchObject({ code: "not-found" });
  });

  it("removes a file, tries it again when that fails, and stops where it is gone already", async () => {
    const answers: ScriptedAnswer[] = ["reset", { status: 500 }, { status: 404, body: { error: "No attachment" } }];
    await using world = await startWorld(() => answers.shift() ?? { status: 204 }, { factor: 5_000 });
    world.messenger.discard(file);
    await until(() => world.counts.discards === 1, 5_000, "it is removed");
    expect(world.rest.calls.map(({ method }) => method)).toEqual(["DELETE", "DELETE", "DELETE"]);
  });

  it("gives up removing a file after six attempts, and tells", async () => {
    await using world = await startWorld(() => ({ status: 500 }), { factor: 5_000 });
    world.messenger.discard(file);
    await until(() => world.counts.discardsFailed === 1, 5_000, "it gives up");
    expect(world.rest.calls).toHaveLength(6);
  });
});
