/**
 * The Signal bot of a node: takes mail, answers it by the node's own gateway, and sends the replies. Its parts do not know
 * each other; here they are joined.
 */
import type { Sensitive } from "../../shared/sensitive.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { HttpHandler } from "../server/terminator.ts";
import type { TeeState } from "../attestation/attestation.ts";
import type { Environment } from "../gateway/providers/secret.ts";
import type { PairingCode } from "./access/pairing-codes.ts";
import { ReactionCounts } from "./reactions/reaction-counts.ts";
import { botFilesIn } from "./bot-files.ts";
import { openTranscriber } from "./answer/transcriber.ts";
import { decideCurrent, allowedModels } from "./commands/choose-model.ts";
import { createCommands } from "./commands/commands.ts";
import { readerOf } from "./commands/parse-command.ts";
import { isUrgent } from "./commands/urgent.ts";
import { welcome } from "./commands/welcome.ts";
import { chatName } from "./events/event.ts";
import type { BotState } from "./bot-state.ts";
import type { Command } from "./commands/command.ts";
import type { DeadLetter, Mailbox, MailSlot } from "./mail/mailbox.ts";
import { GatewayModel } from "./model/gateway-model.ts";
import { openStores } from "./open-stores.ts";
import { openWork } from "./open-work.ts";
import { readOrCreateHookSecret } from "./receive/credential.ts";
import { startReceiver, type Receiver } from "./receive/receiver.ts";
import { openSending, type Sending, type SendingState } from "./send/open-sending.ts";
import type { SignalSettings } from "./settings.ts";
import type { ChatPermission } from "./verify/proof-gate.ts";
import { watchIdentity, type WatchIdentityOptions } from "./verify/watch-identity.ts";
import type { VerifyCommandOptions } from "./verify/verify-command.ts";

export interface BotOptions {
  readonly settings: SignalSettings & { readonly api: string };
  /** The node's state folder. */
  readonly directory: string;
  readonly tee: TeeState;
  /** The node's own, on this machine. */
  readonly gateway: { readonly origin: string; readonly key: string };
  /** Makes `!verify`, of what tells which model answers in a chat. */
  readonly verify: (modelOf: VerifyCommandOptions["modelOf"]) => Command;
  /** Told of the key by which the bot is known at Signal. */
  readonly onIdentity: WatchIdentityOptions["onIdentity"];
  /** Whether anybody may chat now. */
  readonly permission: () => ChatPermission;
  /** For `REDIS_URL`, and keys that the settings name. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Bot extends AsyncDisposable {
  /** Until `stop`; then what is in hand has a few seconds, and the rest is done at the next start. */
  run(stop: AbortSignal): Promise<void>;
  state(): BotState;
  /** Takes what is posted to the bot at the node's public name, where the settings ask for that. */
  readonly publicHook: HttpHandler | undefined;
  readonly settings: SignalSettings;
  /** See `SignalControl`, through which operators use these. */
  challenge(): Sensitive<string> | undefined;
  pair(): PairingCode;
  deadLetters(atMost: number): DeadLetter[];
  retry(): void;
}

/** At a stop, replies that are ready may go out in this time; the others do at the next start. */
const flushMs = 500;
const flushLookMs = 20;

/** Throws {@link AppError} when what it keeps cannot be opened. A REST server that is away is waited for. */
export async function openBot(options: BotOptions): Promise<Bot> {
  const { settings, tee, gateway, verify, permission, env, clock, log } = options;
  await using open = new AsyncDisposableStack();
  const stores = open.use(await openStores(options));
  const { mailbox, people } = stores;
  const answerMs = settings.answerSeconds * 1000;
  const { origin, key } = gateway;
  const model = open.use(new GatewayModel({ origin, key, model: settings.model, privacy: settings.privacy, answerMs }));
  const sending = open.use(openSending({ api: settings.api, settings, mailbox, clock, log }));
  const modelOf: VerifyCommandOptions["modelOf"] = async ({ chat }, signal) => {
    const [offered, chosen] = await Promise.all([model.list(signal), people.read(chatName(chat))]);
    const current = decideCurrent(chosen.model ?? settings.model, allowedModels(offered, settings.privacy));
    return current && { name: current.id, provider: current.offered?.provider, trust: current.offered?.trust };
  };
  let { account } = settings;
  const reactions = new ReactionCounts();
  const state = (): BotState => ({
    account,
    answered: work.answered,
    inHand: work.inHand,
    isStoreAway: work.isStoreAway,
    mailbox: mailbox.state(),
    sending: shownSending(sending.state()),
    reactions: reactions.counts,
  });
  const work = openWork({
    ...stores,
    settings,
    messenger: sending.messenger,
    model,
    commands: (botWork) => {
      const parts = { ...stores, settings, model, work: botWork, state, verify: verify(modelOf) };
      return readerOf(createCommands({ ...parts, tee: tee.tee }));
    },
    isUrgent,
    transcriber: openTranscriber({ settings: settings.transcriber, env, log }),
    welcome,
    refusal: () => sentenceOf(permission()),
    onEvent: (event) => {
      account ??= event.account;
      if (event.kind === "reaction") reactions.count(event);
    },
    clock,
    log,
  });
  const list = (number: string, signal: AbortSignal) => sending.identities.identities(number, signal);
  const watched = { list, onIdentity: options.onIdentity, clock, random: Math.random, log };
  const run = async (stop: AbortSignal): Promise<void> => {
    const sent = new AbortController();
    const sender = sending.run(sent.signal);
    void watchIdentity({ ...watched, account: () => account }, sent.signal);
    await work.run(stop);
    await flush(mailbox, sending, clock);
    sent.abort();
    await sender;
  };
  const receiver = settings.receive.by === "node" ? open.use(await openReceiver(options, mailbox)) : undefined;
  const opened = open.move();
  const closing = new AbortController();
  let running = Promise.resolve();
  return {
    run: (stop) => (running = run(AbortSignal.any([stop, closing.signal]))),
    state,
    settings,
    publicHook: receiver?.publicHook,
    challenge: () => sending.challenge(),
    pair: () => stores.codes.make(),
    deadLetters: (atMost) => mailbox.deadLetters(atMost),
    retry: () => sending.retry(),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await running;
      await opened.disposeAsync();
    },
  };
}

function openReceiver({ settings, directory, clock, log }: BotOptions, slot: MailSlot): Promise<Receiver> {
  const secret = readOrCreateHookSecret(settings.receive.secretFile ?? botFilesIn(directory).hookSecret);
  return startReceiver({ settings, slot, secret, fetch, clock, log, random: Math.random });
}

function shownSending({ counts, pause, troubles }: SendingState): BotState["sending"] {
  return { counts: { ...counts }, pause, troubles: [...troubles] };
}

function sentenceOf(permission: ChatPermission): string | undefined {
  return permission.ok ? undefined : permission.sentence;
}

/** Waits for the replies that go out by themselves. */
async function flush(mailbox: Mailbox, sending: Sending, clock: Clock): Promise<void> {
  const until = clock.now() + flushMs;
  while (clock.now() < until && sending.state().pause === undefined && mailbox.state().replies > 0)
    await clock.sleep(flushLookMs);
}
