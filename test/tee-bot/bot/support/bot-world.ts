/**
 * The bot as the node runs it, between a stand-in for Signal and the real gateway over a stand-in for a model's server. It can be
 * stopped and started again on what it keeps.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import type { z } from "zod";
import { systemClock, type Clock } from "../../../../shared/clock.ts";
import { silentLog, type Log } from "../../../../shared/log.ts";
import { openBot, type Bot } from "../../../../tee-bot/bot/bot.ts";
import { readOrCreateHookSecret, hookUrl } from "../../../../tee-bot/bot/receive/credential.ts";
import { signalSettingsSchema } from "../../../../tee-bot/bot/settings.ts";
import {
  startSignalSimulator,
  type SignalSimulator,
  type SignalSimulatorOptions,
} from "../../../../tee-bot/bot/simulator/simulator.ts";
import type { MessageView } from "../../../../tee-bot/bot/simulator/people/view.ts";
import type { ChatPermission } from "../../../../tee-bot/bot/verify/proof-gate.ts";
import { startGateway, type SettingsInput, type TestGateway } from "../../../support/gateway.ts";
import { until } from "../../../support/postern.ts";
import type { Behaviour } from "../../../support/upstream/behaviours.ts";
import { answering } from "../../../support/upstream/behaviours/complete.ts";
import type { UpstreamRequest } from "../../../support/upstream/upstream-request.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";

export type SignalSettingsInput = z.input<typeof signalSettingsSchema>;

export interface BotWorldOptions {
  readonly settings?: SignalSettingsInput;
  readonly gateway?: SettingsInput;
  readonly simulator?: SignalSimulatorOptions;
  readonly behaviour?: Behaviour;
  /** That its server offers. */
  readonly models?: readonly string[];
  readonly redisUrl?: string;
  readonly permission?: () => ChatPermission;
  readonly clock?: Clock;
  readonly log?: Log;
}

/** What a person said last, as the model was asked. */
export function askedText({ body }: Pick<UpstreamRequest, "body">): string {
  const { messages } = JSON.parse(body.toString()) as { messages: { content: string | { text?: string }[] }[] };
  const content = messages.at(-1)?.content ?? "";
  return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("");
}

/** Says what it was asked. */
export const echo: Behaviour = (request, reply) =>
  answering({ words: `echo: ${askedText(request)}`.split(" ") })(request, reply);

const ownKey = "the-key-of-this-test";
const soonMs = 15_000;

export class BotWorld implements AsyncDisposable {
  readonly simulator: SignalSimulator;
  readonly upstream: Upstream;
  readonly gateway: TestGateway;
  readonly directory: string;
  readonly #options: BotWorldOptions;
  readonly #parts: AsyncDisposableStack;
  readonly #hookPort: number;
  #bot: Bot | undefined;

  private constructor(
    parts: AsyncDisposableStack,
    opened: Pick<BotWorld, "simulator" | "upstream" | "gateway" | "directory">,
    hookPort: number,
    options: BotWorldOptions,
  ) {
    this.#parts = parts;
    this.simulator = opened.simulator;
    this.upstream = opened.upstream;
    this.gateway = opened.gateway;
    this.directory = opened.directory;
    this.#hookPort = hookPort;
    this.#options = options;
  }

  static async start(options: BotWorldOptions = {}): Promise<BotWorld> {
    await using parts = new AsyncDisposableStack();
    const directory = mkdtempSync(join(tmpdir(), "postern-bot-"));
    parts.defer(() => rmSync(directory, { recursive: true, force: true }));
    const upstream = parts.use(
      await startUpstream({ models: options.models ?? ["model"], behaviour: options.behaviour ?? echo }),
    );
    const providers = { test: { baseUrl: upstream.baseUrl } };
    const gateway = parts.use(await startGateway({ providers, ownKey, settings: options.gateway ?? {} }));
    const hookPort = await findFreePort();
    const secret = readOrCreateHookSecret(join(directory, "hook.secret"));
    const hook = hookUrl(secret, new URL(`http://127.0.0.1:${hookPort}`)).reveal();
    const simulator = parts.use(await startSignalSimulator({ hook, ...options.simulator }));
    const world = new BotWorld(parts.move(), { simulator, upstream, gateway, directory }, hookPort, options);
    await world.startBot();
    return world;
  }

  get bot(): Bot {
    if (!this.#bot) throw new Error("the bot is stopped");
    return this.#bot;
  }

  async startBot(): Promise<void> {
    const {
      settings = {},
      redisUrl,
      permission = () => ({ ok: true }),
      clock = systemClock,
      log = silentLog,
    } = this.#options;
    const parsed = signalSettingsSchema.parse({
      ...settings,
      api: this.simulator.url,
      account: this.simulator.account.number,
      receive: { secretFile: join(this.directory, "hook.secret"), ...settings.receive, port: this.#hookPort },
    });
    this.#bot = await openBot({
      settings: { ...parsed, api: this.simulator.url },
      directory: this.directory,
      tee: { tee: "none", reason: "This is a test." },
      gateway: { origin: this.gateway.origin, key: ownKey },
      verify: () => ({ ...noWords, name: "verify", run: () => Promise.resolve({ text: "not looked at" }) }),
      onIdentity: () => {},
      permission,
      env: redisUrl === undefined ? {} : { REDIS_URL: redisUrl },
      clock,
      log,
    });
    void this.#bot.run(new AbortController().signal);
  }

  async stopBot(): Promise<void> {
    const bot = this.#bot;
    this.#bot = undefined;
    await bot?.[Symbol.asyncDispose]();
  }

  /** What the bot has said to a person, oldest first; the welcome is left out. */
  answers(person = "you", group?: string): MessageView[] {
    const { messages } = this.simulator.conversation(person, group);
    return messages.filter(({ from, text }) => from === "bot" && !text.startsWith("Hello! I pass"));
  }

  /** Writes, and waits for so many answers more than there were. */
  async ask(
    text: string,
    { person = "you", group, answers = 1 }: { person?: string; group?: string; answers?: number } = {},
  ) {
    const before = this.answers(person, group).length;
    this.simulator.phone(person, group).write({ text });
    await this.soon(() => this.answers(person, group).length >= before + answers);
    return this.answers(person, group).slice(before);
  }

  soon(condition: () => boolean, withinMs = soonMs): Promise<unknown> {
    return until(condition, withinMs, condition.toString());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopBot();
    await this.#parts.disposeAsync();
  }
}

const noWords = { aliases: [], usage: "!verify", summary: "", detail: "" };

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
