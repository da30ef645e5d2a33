import { afterEach, describe, expect, it } from "vitest";
import { inspect } from "node:util";
import { ModelError, type ModelTrouble } from "../../../../tee-bot/bot/model/model-error.ts";
import { GatewayModel, type GatewayModelOptions } from "../../../../tee-bot/bot/model/gateway-model.ts";
import { startGateway, type SettingsInput } from "../../../support/gateway.ts";
import { answerText } from "../../../support/upstream/content.ts";
import { answering } from "../../../support/upstream/behaviours/complete.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";

const ownKey = "own-key-of-this-start";
const messages = [{ role: "user", content: "canary-question" }] as const;
const never = new AbortController().signal;

let running: AsyncDisposableStack | undefined;
afterEach(async () => {
  await running?.disposeAsync();
  running = undefined;
});

async function start(
  options: Partial<GatewayModelOptions> & { models?: string[]; settings?: SettingsInput } = {},
): Promise<{ model: GatewayModel; upstream: Upstream }> {
  const { models = ["normal"], settings = {}, ...own } = options;
  const stack = (running = new AsyncDisposableStack());
  const upstream = stack.use(await startUpstream({ models }));
  const gateway = stack.use(
    await startGateway({
      providers: { workshop: { baseUrl: upstream.baseUrl } },
      settings: { retry: { perProvider: 1, total: 1 }, ...settings },
      ownKey,
    }),
  );
  const common = { origin: gateway.origin, key: ownKey, model: undefined, privacy: "any", answerMs: 5_000 } as const;
  return { model: stack.use(new GatewayModel({ ...common, ...own })), upstream };
}

const ask = (model: GatewayModel, name?: string, signal = never) => model.ask({ messages, model: name, signal });

async function failureOf(asked: Promise<unknown>): Promise<ModelError> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ModelError)) return expect.fail(`no ModelError: ${String(error)}`);
  return error;
}

describe("a model behind the node's own gateway", () => {
  it("answers with its whole text, and says who gave it", async () => {
    const { model, upstream } = await start();
    const { text, ...rest } = await ask(model);
    expect(text.reveal()).toBe(answerText);
    expect(rest).toMatchObject({ model: "normal", provider: "workshop", attestation: undefined, isCut: false });
    expect(rest.requestId).toMatch(/^req_/);
    expect(JSON.parse(upstream.calls[0]!.body.toString())).toMatchObject({ model: "normal", messages, stream: true });
  });

  it("tells of the text as it comes", async () => {
    const { model } = await start({ models: ["paced"] });
    const lengths: number[] = [];
    await model.ask({
      messages,
      model: undefined,
      signal: never,
      onText: (text) => lengths.push(text.reveal().length),
    });
    expect(lengths.length).toBeGreaterThan(2);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
  });

  it("is asked where the gateway wants a key of everybody else", async () => {
    const settings: SettingsInput = { keys: { loopback: "required" } };
    const { model } = await start({ settings });
    expect((await ask(model)).text.reveal()).toBe(answerText);
    await running?.disposeAsync();
    const { model: stranger } = await start({ settings, key: "own-key-of-last-start" });
    expect(await failureOf(ask(stranger))).toMatchObject({ trouble: "auth" });
  });

  it("is the one that was asked for, else that of the settings, else one that is offered", async () => {
    const { model, upstream } = await start({ models: ["normal", "paced"], model: "paced" });
    await ask(model, "normal");
    await ask(model);
    expect(upstream.calls.map((call) => call.model)).toEqual(["normal", "paced"]);
  });

  it("is told who may read what is asked, and refuses what nobody may", async () => {
    const { model, upstream } = await start({ privacy: "local" });
    expect(await failureOf(ask(model, "normal"))).toMatchObject({ trouble: "privacy" });
    expect(upstream.calls).toHaveLength(0);
  });

  it.each<[behaviour: string, trouble: ModelTrouble]>([
    ["rate-limited-for-an-hour", "rate-limited"],
    ["key-refused", "auth"],
    ["failing-500", "outage"],
    ["failing-503", "outage"],
    ["closed-before-head", "outage"],
    ["closed-mid-event", "outage"],
    ["reset-between-events", "outage"],
    ["ends-unfinished", "outage"],
    ["error-later", "outage"],
    ["error-then-done", "outage"],
    ["never-streams", "outage"],
    ["context-exceeded", "too-long"],
    ["model-missing", "no-model"],
    ["content-refused", "refused"],
  ])("has a word for what goes wrong, and nothing of the question in it: %s", async (behaviour, trouble) => {
    const { model } = await start({ models: [behaviour] });
    const error = await failureOf(ask(model, behaviour));
    expect(error.trouble).toBe(trouble);
    expect(error.sentence).toMatch(/^[A-Z].*\.$/);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|A door is judged/);
  });

  it("says when a limit is over", async () => {
    const { model } = await start({ models: ["rate-limited-for-an-hour"] });
    const { sentence } = await failureOf(ask(model));
    expect(sentence).toBe("The model has more to do than it takes. Please ask again in 60 minutes.");
  });

  it("that has begun when the time is up gives what there is, as cut", async () => {
    const { model, upstream } = await start({ answerMs: 300 });
    upstream.behave(answering({ everyMs: 50 }));
    const { text, isCut } = await ask(model);
    expect(isCut).toBe(true);
    expect(answerText.startsWith(text.reveal())).toBe(true);
    expect(text.reveal().length).toBeGreaterThan(0);
  });

  it("that has not begun when the time is up has taken too long", async () => {
    const { model } = await start({ models: ["slow-first-token"], answerMs: 200 });
    expect(await failureOf(ask(model))).toMatchObject({ trouble: "timeout" });
  });

  it("is left when nobody waits any more", async () => {
    const { model, upstream } = await start({ models: ["slow-first-token"] });
    const leaving = new AbortController();
    const asked = ask(model, undefined, leaving.signal);
    const call = await upstream.call(1);
    leaving.abort(new Error("left"));
    await expect(asked).rejects.toThrow("left");
    await call.left;
  });

  it("cannot be reached when the gateway is gone", async () => {
    const { model } = await start({ origin: "http://127.0.0.1:9" });
    expect(await failureOf(ask(model))).toMatchObject({ trouble: "outage" });
    expect(await failureOf(model.list(never))).toMatchObject({ trouble: "outage" });
  });

  it("is listed with what is known of it, and asked nothing for that", async () => {
    const { model, upstream } = await start({ models: ["normal"] });
    expect(await model.list(never)).toEqual([
      {
        id: "normal",
        provider: "workshop",
        synonyms: [],
        trust: "plain",
        attestation: undefined,
        hasVision: undefined,
        isDemo: false,
      },
    ]);
    expect(upstream.calls).toHaveLength(0);
  });
});
