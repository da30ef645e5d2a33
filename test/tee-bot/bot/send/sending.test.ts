import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { openAccountApi } from "../../../../tee-bot/bot/account/account-api.ts";
import type { Chat } from "../../../../tee-bot/bot/events/event.ts";
import { openMailbox } from "../../../../tee-bot/bot/mail/open-mailbox.ts";
import type { Reply } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { openSending } from "../../../../tee-bot/bot/send/open-sending.ts";
import type { CallLimits } from "../../../../tee-bot/bot/send/signal-api.ts";
import { signalSettingsSchema } from "../../../../tee-bot/bot/settings.ts";
import { startSignalSimulator, type SignalSimulatorOptions } from "../../../../tee-bot/bot/simulator/simulator.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { hastyClock } from "../../../support/hasty-clock.ts";
import { until } from "../../../support/postern.ts";
import { recordingLog } from "../../support/log.ts";
import { startHook } from "../simulator/support/hook.ts";
import { messageOf } from "../support/events.ts";
import { replyOf } from "./support/memory-outbox.ts";

interface WorldOptions extends SignalSimulatorOptions {
  limits?: Partial<CallLimits>;
  operators?: (person: (name: string) => string) => string[];
  /** How fast its clock goes. */
  factor?: number;
}

/** The real sender and mailbox before the stand-in for signal-cli-rest-api and Signal. */
async function startWorld({ limits, operators, factor = 100, ...options }: WorldOptions = {}) {
  await using parts = new AsyncDisposableStack();
  const simulator = parts.use(await startSignalSimulator(options));
  const person = (name: string): string => simulator.person(name).uuid;
  const path = join(parts.use(temporaryFolder()).path, "mail.sqlite");
  const log = recordingLog();
  const clock = hastyClock(factor);
  const mailbox = parts.use(
    openMailbox({
      path,
      storageKey: Buffer.alloc(32, 7),
      clock,
      log,
      maxAttempts: 3,
      maxAgeMs: 24 * 60 * 60_000,
    }),
  );
  const sending = openSending({
    api: simulator.url,
    settings: signalSettingsSchema.parse({ limits: { sendBurst: 10_000 }, operators: operators?.(person) ?? [] }),
    mailbox,
    clock,
    log,
    callLimits: { sendMs: 5_000, smallMs: 5_000, probeMs: 5_000, attachmentMs: 5_000, ...limits },
  });
  const end = new AbortController();
  const running = sending.run(end.signal);
  parts.defer(async () => {
    end.abort();
    await running;
    sending[Symbol.dispose]();
  });
  let asked = 0;
  const all = parts.move();
  return {
    simulator,
    sending,
    mailbox,
    log,
    direct: (name: string): Chat => ({ kind: "direct", person: person(name) }),
    group: (name: string): Chat => ({ kind: "group", group: simulator.groupIds(name).internal }),
    /** Has the bot answer somebody. */
    say: (...replies: Reply[]): void => {
      mailbox.put(messageOf(person("asker"), Date.now() + ++asked));
      const [mail] = mailbox.take(1);
      mailbox.answer(mail!, replies);
    },
    untilDone: () => until(() => mailbox.state().replies === 0, 15_000, "all is sent"),
    /** What the bot said, as this person sees it. */
    seen: (name: string, group?: string): string[] => {
      const { messages } = simulator.conversation(name, group);
      return messages.filter(({ from }) => from === "bot").map(({ text }) => text);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const people = ["ada", "bob", "cy"];
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe.each(["object", "array"] as const)("to a server that answers sends by an %s, the bot", (answerForm) => {
  it("says everything once, in order, to people and groups, as they should see it", async () => {
    await using world = await startWorld({ answerForm });
    world.simulator.phone("ada", "team").write({ text: "hello" });
    world.say(
      ...numbers(8).flatMap((text) => people.map((name) => replyOf(world.direct(name), `**${text}**`))),
      replyOf(world.group("team"), "to all"),
    );
    await world.untilDone();
    for (const name of people) expect(world.seen(name)).toEqual(numbers(8));
    expect(world.seen("ada", "team")).toEqual(["to all"]);
    expect(world.simulator.conversation("ada").messages[0]?.styles).toEqual(["0:1:BOLD"]);
    expect(world.mailbox.deadLetters(10)).toEqual([]);
  });

  it("quotes, attaches and edits", async () => {
    await using world = await startWorld({ answerForm });
    const timestamp = world.simulator.phone("ada").write({ text: "Prove it." });
    const quote = { timestamp, author: world.simulator.person("ada").uuid, text: new Sensitive("Prove it.") };
    const content = new Sensitive(Buffer.from(`{"proof":"${"x".repeat(100_000)}"}`));
    const attachment = { name: "proof.json", contentType: "application/json", content };
    world.say(replyOf(world.direct("ada"), "Here it is.", { quote, attachment }));
    await world.untilDone();
    const [, said] = world.simulator.conversation("ada").messages;
    expect(said).toMatchObject({ quote: { timestamp, author: "you", text: "Prove it." } });
    expect(said?.attachments).toMatchObject([
      { contentType: "application/json", filename: "proof.json", size: 100_012 },
    ]);
    world.say(replyOf(world.direct("ada"), "There it is.", { edits: said!.timestamp }));
    await world.untilDone();
    expect(world.simulator.conversation("ada").messages[1]).toMatchObject({ text: "There it is.", edited: true });
  });

  it("keeps what is for somebody with a new telephone until the new key is trusted, and tells an operator", async () => {
    await using world = await startWorld({ answerForm, factor: 1_000, operators: (uuid) => [uuid("root")] });
    world.simulator.phone("ada").write({ text: "hello" });
    world.simulator.reinstall("ada");
    world.say(replyOf(world.direct("ada"), "for ada"), replyOf(world.direct("bob"), "for bob"));
    await until(() => world.seen("root").length > 0, 10_000, "the operator is told");
    await until(() => world.seen("bob").length > 0, 10_000, "others do not wait");
    expect(world.seen("ada")).toEqual([]);
    expect(world.seen("root")[0]).toContain("safety number");
    const { identities } = world.sending;
    const { uuid } = world.simulator.person("ada");
    const known = await identities.identities("+15550000001");
    expect(known.find((one) => one.uuid === uuid)).toMatchObject({ status: "UNTRUSTED" });
    await openAccountApi(world.simulator.url, AbortSignal.timeout(5_000)).trust("+15550000001", uuid);
    await world.untilDone();
    expect(world.seen("ada")).toEqual(["for ada"]);
  });

  it("stops for a rate limit until somebody has solved its challenge", async () => {
    await using world = await startWorld({ answerForm, factor: 1 });
    world.simulator.faults.failSends({ kind: "rate-limited", token: "a-token" }, Infinity);
    world.say(...people.map((name) => replyOf(world.direct(name), "hello")));
    await until(() => world.sending.challenge() !== undefined, 10_000, "it has the token");
    expect(world.sending.state().counts.rateLimited).toBe(1);
    const answer = await fetch(`${world.simulator.url}/v1/accounts/+15550000001/rate-limit-challenge`, {
      method: "POST",
      body: JSON.stringify({
        challenge_token: world.sending.challenge()!.reveal(),
        captcha: "signalcaptcha://challenge.x",
      }),
    });
    expect(answer.status).toBe(204);
    world.sending.retry();
    await world.untilDone();
    for (const name of people) expect(world.seen(name)).toEqual(["hello"]);
    expect(JSON.stringify(world.log.events)).not.toContain("a-token");
  });
});

describe("before a server with faults, the bot", () => {
  it("says everything at most once while the server dies amid sends, and lists what nobody knows", async () => {
    await using world = await startWorld({ restartAfterMs: 50 });
    for (const isDelivered of [true, false, true])
      world.simulator.faults.failSends({ kind: "crash", delivered: isDelivered });
    world.say(...numbers(20).flatMap((text) => people.map((name) => replyOf(world.direct(name), text))));
    await world.untilDone();
    const seen = people.flatMap((name) => world.seen(name));
    const undecidable = world.mailbox.deadLetters(100);
    expect(undecidable.map(({ why }) => why)).toEqual(["undecidable", "undecidable", "undecidable"]);
    expect(seen).toHaveLength(59); // one of the three had not gone out
    for (const name of people) {
      const said = world.seen(name);
      expect(new Set(said).size).toBe(said.length);
      expect(said).toEqual(said.toSorted((a, b) => Number(a) - Number(b)));
    }
  });

  it("waits for a server that died while nothing was said to it, and loses nothing", async () => {
    await using world = await startWorld();
    world.say(replyOf(world.direct("ada"), "before"));
    await world.untilDone();
    world.simulator.crash();
    await new Promise((resolve) => setTimeout(resolve, 150)); // of silence: fifteen seconds
    world.say(replyOf(world.direct("ada"), "after"));
    await until(() => world.sending.state().pause?.why === "lost", 10_000, "it notices");
    world.simulator.restart();
    await world.untilDone();
    expect([world.seen("ada"), world.mailbox.deadLetters(9)]).toEqual([["before", "after"], []]);
  });

  it.each([true, false])(
    "does not repeat what was swallowed (it went out: %s), and goes on with the rest",
    async (delivered) => {
      await using world = await startWorld({ limits: { sendMs: 700 } });
      world.simulator.faults.failSends({ kind: "hang", delivered });
      world.say(
        replyOf(world.direct("ada"), "1"),
        replyOf(world.direct("ada"), "2"),
        replyOf(world.direct("bob"), "3"),
      );
      await world.untilDone();
      expect([world.seen("ada"), world.seen("bob")]).toEqual([delivered ? ["1", "2"] : ["2"], ["3"]]);
      expect(world.mailbox.deadLetters(9)).toMatchObject([{ what: "reply", why: "undecidable" }]);
    },
  );

  it("waits for a slow answer, and a group that was reached in part has had its message", async () => {
    await using world = await startWorld({ answerForm: "array" });
    for (const name of people) world.simulator.phone(name, "team").write({ text: "hello" });
    world.simulator.faults.failSends({ kind: "slow", ms: 300 });
    world.simulator.faults.failSends({ kind: "partial", reasons: { bob: "IDENTITY_FAILURE" } });
    world.say(replyOf(world.direct("ada"), "slow"), replyOf(world.group("team"), "to all"));
    await world.untilDone();
    expect(people.map((name) => world.seen(name, "team").length)).toEqual([1, 0, 1]);
    expect(world.sending.state()).toMatchObject({ counts: { sent: 2, partial: 1 }, troubles: [{ kind: "untrusted" }] });
  });

  it("tries again what failed without a reason", async () => {
    await using world = await startWorld({ factor: 1_000 });
    world.simulator.faults.failSends({ kind: "failed" }, 3);
    world.say(replyOf(world.direct("ada"), "hello"));
    await world.untilDone();
    expect([world.seen("ada"), world.sending.state().counts.retried]).toEqual([["hello"], 3]);
  });

  it("does not end a server that ends at two calls at once", async () => {
    await using world = await startWorld({ factor: 1 });
    world.simulator.faults.crashAtCalls = 2;
    world.simulator.faults.callMs = 2;
    const { messenger } = world.sending;
    const timestamp = world.simulator.phone("ada").write({ text: "hello" });
    const shown = people.map((name) => messenger.typing("+15550000001", world.direct(name)));
    for (let count = 0; count < 20; count++)
      messenger.markRead("+15550000001", world.simulator.person("ada").uuid, timestamp);
    world.say(...numbers(10).map((text) => replyOf(world.direct("ada"), text)));
    await world.untilDone();
    for (const one of shown) one[Symbol.dispose]();
    await until(() => world.sending.state().lane.waiting === 0, 10_000, "the lane is empty");
    expect([world.simulator.isUp, world.seen("ada")]).toEqual([true, numbers(10)]);
    expect(world.simulator.conversation("ada").messages[0]).toMatchObject({ read: true });
  });

  it("says everything once while a webhook holds up the server", async () => {
    await using hook = await startHook();
    let letGo = (): void => {};
    hook.answer = () => new Promise((resolve) => (letGo = () => resolve({ status: 200 })));
    await using world = await startWorld({ hook: hook.url });
    world.simulator.phone("ada").write({ text: "hello" });
    await until(() => hook.posted.length > 0, 10_000, "the hook is asked");
    world.say(replyOf(world.direct("ada"), "answer"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(world.mailbox.state().replies).toBe(1);
    letGo();
    hook.answer = () => ({ status: 200 });
    await world.untilDone();
    expect([world.seen("ada"), world.mailbox.deadLetters(9)]).toEqual([["answer"], []]);
  });

  it("loads a file and removes it", async () => {
    await using world = await startWorld();
    const { messenger } = world.sending;
    const bytes = Buffer.from("a picture");
    const dataMessage = { message: "Look.", attachments: [{ id: "one.jpg", size: bytes.length }] };
    const envelope = { sourceUuid: world.simulator.person("ada").uuid, timestamp: 1_767_225_600_000, dataMessage };
    world.simulator.inject({ params: { envelope } }, { "one.jpg": bytes });
    await until(() => world.simulator.files.includes("one.jpg"), 10_000, "signal-cli has it");
    const file = { id: "one.jpg", contentType: "image/jpeg", name: undefined, size: bytes.length };
    expect(Buffer.from(await messenger.download(file, 100))).toEqual(bytes);
    messenger.discard(file);
    await until(() => world.simulator.files.length === 0, 10_000, "it is removed");
    await expect(messenger.download(file, 100)).rejects.toMatchObject({ code: "not-found" });
  });
});
