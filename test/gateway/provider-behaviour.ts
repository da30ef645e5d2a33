/** What every kind of provider does. Run for each: for the embedded one, and for those in a process of their own. */
import { describe, expect, it } from "vitest";
import { endpoints } from "../../tee-bot/gateway/api/endpoints.ts";
import { ProviderError, type Provider } from "../../tee-bot/gateway/providers/provider.ts";
import type { Fault, ModelServer } from "../support/models/stand-in.ts";

export interface ProviderWorld extends AsyncDisposable {
  readonly provider: Provider;
  /** One that answers chats. */
  readonly chatModel: string;
}

/** A provider whose models are listed by a server that the test can break and stop. */
export interface ServedWorld extends ProviderWorld {
  readonly server: ModelServer;
}

const never = new AbortController().signal;

/** `open` makes a provider that can answer. */
export function describeProvider(kind: Provider["kind"], open: () => Promise<ProviderWorld>): void {
  describe(`a provider of the kind ${kind}`, () => {
    it("says what it is, and where", async () => {
      await using world = await open();
      const { provider } = world;
      expect(provider.kind).toBe(kind);
      expect(provider.id).toMatch(/^[a-z0-9][a-z0-9._-]*$/);
      expect(["local", "cloud"]).toContain(provider.location);
      expect(provider.upstream.basePath).toMatch(/^\/.*[^/]$/);
      expect(provider.upstream.headers.length % 2).toBe(0);
    });

    it("lists its models, each once, and the same ones again", async () => {
      await using world = await open();
      const models = await world.provider.fetchModels(never);
      const ids = models.map(({ id }) => id);
      expect(ids).toContain(world.chatModel);
      expect(new Set(ids).size).toBe(ids.length);
      for (const { contextLength = 1, size = 1, created = 1 } of models) {
        expect(Math.min(contextLength, size, created)).toBeGreaterThan(0);
        expect(Number.isInteger(created)).toBe(true);
      }
      expect(await world.provider.fetchModels(never)).toEqual(models);
    });

    it("answers a chat where its upstream says, with the headers of its upstream", async () => {
      await using world = await open();
      expect(await chat(world)).toMatchObject({ choices: [{ message: { role: "assistant" } }] });
    });

    it("lists its models while calls are under way", async () => {
      await using world = await open();
      const calls = Array.from({ length: 8 }, () => chat(world));
      expect(await world.provider.fetchModels(never)).not.toEqual([]);
      await Promise.all(calls);
    });

    it("ends a listing at once when it is not wanted any more", async () => {
      await using world = await open();
      await expect(world.provider.fetchModels(AbortSignal.abort(new Error("enough")))).rejects.toThrow();
    });

    it("can be closed, also twice, and answers nothing then", async () => {
      await using world = await open();
      await chat(world);
      await world.provider[Symbol.asyncDispose]();
      await world.provider[Symbol.asyncDispose]();
      await expect(chat(world)).rejects.toThrow();
    });
  });
}

const faults: readonly (readonly [Fault, ProviderError["kind"]])[] = [
  ["garbage", "broken"],
  ["html", "broken"],
  ["error", "broken"],
  ["odd", "broken"],
  ["endless", "broken"],
  ["cut", "broken"],
  ["moved", "broken"],
  ["stall", "broken"],
  ["refused", "refused-key"],
];

/** What a provider says of a server that is not as it should be. `open` is told its patience with a listing. */
export function describeServedProvider(
  kind: Provider["kind"],
  open: (timeoutMs?: number) => Promise<ServedWorld>,
): void {
  describe(`a provider of the kind ${kind}, and its server`, () => {
    it("is asleep while its server does not run, and has the same models when that is back", async () => {
      await using world = await open();
      const models = await world.provider.fetchModels(never);
      await world.server.stop();
      expect((await failureOf(world.provider)).kind).toBe("asleep");
      await world.server.start();
      expect(await world.provider.fetchModels(never)).toEqual(models);
    });

    it.each(faults)("tells a listing that is %s from others: %s", async (fault, expected) => {
      await using world = await open(fault === "stall" ? 1_000 : undefined);
      world.server.fault = fault;
      const failure = await failureOf(world.provider);
      expect(failure.kind).toBe(expected);
      expect(failure.message).toMatch(/^[A-Z].{10,}\.$|./);
      expect(failure.message).not.toContain("secret");
      world.server.fault = undefined;
      expect(await world.provider.fetchModels(never)).not.toEqual([]);
    });
  });
}

async function chat({ provider, chatModel }: ProviderWorld): Promise<unknown> {
  const { dispatcher, origin, basePath, headers } = provider.upstream;
  const path = basePath + (endpoints.find(({ name }) => name === "chat")?.upstreamPath ?? "");
  const answer = await dispatcher.request({
    origin,
    path,
    method: "POST",
    headers: [...headers, "content-type", "application/json"],
    body: JSON.stringify({ model: chatModel, messages: [{ role: "user", content: "Hello" }], max_tokens: 8 }),
  });
  expect(answer.statusCode).toBe(200);
  return answer.body.json();
}

async function failureOf(provider: Provider): Promise<ProviderError> {
  const error: unknown = await provider.fetchModels(never).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}
