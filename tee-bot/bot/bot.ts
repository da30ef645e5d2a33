/**
 * The Signal bot of a node: takes mail, answers it by the node's own gateway, and sends the replies. Its parts do not know
 * each other; here they are joined.
 */
import { join } from "node:path";
import { mkdirSync } from "node:fs";
import type { Sensitive } from "../../shared/sensitive.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { TeeState } from "../attestation/attestation.ts";
import type { Environment } from "../gateway/providers/secret.ts";
import { decideStorageMode, openStorageKey } from "../store/storage-key.ts";
import type { SealedPlace } from "../store/open-sealed-records.ts";
import { openAccess } from "./access/open-access.ts";
import { PairingCodes, type PairingCode } from "./access/pairing-codes.ts";
import { ReactionCounts } from "./reactions/reaction-counts.ts";
import { ToldOnce } from "./answer/told-once.ts";
import { openTranscriber } from "./answer/transcriber.ts";
import { decideCurrent, allowedModels } from "./commands/choose-model.ts";
import { createCommands } from "./commands/commands.ts";
import { parseCommand } from "./commands/parse-command.ts";
import { isUrgent } from "./commands/urgent.ts";
import { welcome } from "./commands/welcome.ts";
import { openConversations } from "./conversations/open-conversations.ts";
import { chatName } from "./events/event.ts";
import type { BotState } from "./bot-state.ts";
import type { Command } from "./commands/command.ts";
import type { DeadLetter, Mailbox } from "./mail/mailbox.ts";
import { openMailbox } from "./mail/open-mailbox.ts";
import { GatewayModel } from "./model/gateway-model.ts";
import { openWork } from "./open-work.ts";
import { openPeople } from "./people/open-people.ts";
import { openSending, type Sending, type SendingState } from "./send/open-sending.ts";
import type { SignalSettings } from "./settings.ts";
import type { ChatPermission } from "./verify/proof-gate.ts";
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
  /** See `SignalControl`, through which operators use these. */
  challenge(): Sensitive<string> | undefined;
  pair(): PairingCode;
  deadLetters(atMost: number): DeadLetter[];
  retry(): void;
}

/** Beside the node's other files. */
export const storageKeyFile = "storage.key";
const botFolder = "signal";
const mailFile = "mail.sqlite";
const hourMs = 60 * 60 * 1000;
/** At a stop, replies that are ready may go out in this time; the others do at the next start. */
const flushMs = 500;
const flushLookMs = 20;

/** Throws {@link AppError} when what it keeps cannot be opened. A REST server that is away is waited for. */
export async function openBot(options: BotOptions): Promise<Bot> {
  const { settings, directory, tee, gateway, verify, permission, env, clock, log } = options;
  const folder = join(directory, botFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const durableKey = await openStorageKey({ mode: "durable", tee, path: join(directory, storageKeyFile) });
  const mode = decideStorageMode(settings.history.mode, tee.tee);
  const storageKey = mode === "durable" ? durableKey : await openStorageKey({ mode, tee, path: "" });
  const place: SealedPlace = { folder, redisUrl: env["REDIS_URL"] || undefined, mode, storageKey, clock, log };

  const open = new AsyncDisposableStack();
  try {
    const mailbox = open.use(
      openMailbox({
        path: join(folder, mailFile),
        storageKey: durableKey,
        maxAgeMs: settings.receive.maxAgeHours * hourMs,
        maxAttempts: settings.receive.attempts,
        isUrgent,
        clock,
        log,
      }),
    );
    const oldHistories = new ToldOnce();
    const conversations = open.use(
      openConversations({
        ...place,
        limits: { maxMessages: settings.history.messages, ttlMs: settings.history.hours * hourMs },
        onRefused: (_, conversation) => conversation !== undefined && oldHistories.note(conversation),
      }),
    );
    const people = open.use(openPeople(place));
    const codes = new PairingCodes({ clock });
    const access = open.use(openAccess({ ...place, settings, people, codes }));
    const answerMs = settings.answerSeconds * 1000;
    const { origin, key } = gateway;
    const model = open.use(
      new GatewayModel({ origin, key, model: settings.model, privacy: settings.privacy, answerMs }),
    );
    const sending = open.use(openSending({ api: settings.api, settings, mailbox, clock, log }));
    const modelOf: VerifyCommandOptions["modelOf"] = async ({ chat }, signal) => {
      const [offered, chosen] = await Promise.all([model.list(signal), people.read(chatName(chat))]);
      const current = decideCurrent(chosen.model ?? settings.model, allowedModels(offered, settings.privacy));
      return current && { name: current.id, provider: current.offered?.provider, trust: current.offered?.trust };
    };
    const reactions = new ReactionCounts();
    const redisUrl = place.redisUrl;
    const state = (): BotState => ({
      account: settings.account,
      answered: work.answered,
      inHand: work.inHand,
      isStoreAway: work.isStoreAway,
      mailbox: mailbox.state(),
      sending: shownSending(sending.state()),
      reactions: reactions.counts,
    });
    const work = openWork({
      settings,
      mailbox,
      messenger: sending.messenger,
      model,
      conversations,
      people,
      access,
      commands: (botWork) => {
        const parts = { settings, conversations, people, model, work: botWork, state, verify: verify(modelOf) };
        const commands = createCommands({ ...parts, tee: tee.tee, hasRedis: redisUrl !== undefined });
        return ({ text, isMention }) => parseCommand(text.reveal(), isMention, commands);
      },
      isUrgent,
      transcriber: openTranscriber({ settings: settings.transcriber, env, fetch, log }),
      oldHistories,
      welcome,
      refusal: () => sentenceOf(permission()),
      onReaction: (event) => reactions.count(event),
      clock,
      log,
    });
    const run = async (stop: AbortSignal): Promise<void> => {
      const sent = new AbortController();
      const sender = sending.run(sent.signal);
      await work.run(stop);
      await flush(mailbox, sending, clock);
      sent.abort();
      await sender;
    };
    const closing = new AbortController();
    let running = Promise.resolve();
    return {
      run: (stop) => (running = run(AbortSignal.any([stop, closing.signal]))),
      state,
      challenge: () => sending.challenge(),
      pair: () => codes.make(),
      deadLetters: (atMost) => mailbox.deadLetters(atMost),
      retry: () => sending.retry(),
      async [Symbol.asyncDispose]() {
        closing.abort();
        await running;
        await open.disposeAsync();
      },
    };
  } catch (error) {
    await open.disposeAsync();
    throw error;
  }
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
