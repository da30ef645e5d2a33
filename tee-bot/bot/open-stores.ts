/** Opens what the bot keeps: its mail, conversations, what it knows of people, and how much they wrote. */
import { mkdirSync } from "node:fs";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { TeeState } from "../attestation/attestation.ts";
import type { Environment } from "../gateway/providers/secret.ts";
import { decideStorageMode, openStorageKey } from "../store/storage-key.ts";
import type { SealedPlace } from "../store/open-sealed-records.ts";
import type { Access } from "./access/access.ts";
import { openAccess } from "./access/open-access.ts";
import { PairingCodes } from "./access/pairing-codes.ts";
import { isPairing } from "./access/policy.ts";
import { botFilesIn } from "./bot-files.ts";
import { ToldOnce } from "./answer/told-once.ts";
import { isUrgent } from "./commands/urgent.ts";
import type { ConversationStore } from "./conversations/conversation-store.ts";
import { openConversations } from "./conversations/open-conversations.ts";
import type { Mailbox } from "./mail/mailbox.ts";
import { openMailbox } from "./mail/open-mailbox.ts";
import { openPeople } from "./people/open-people.ts";
import type { People } from "./people/people.ts";
import type { SignalSettings } from "./settings.ts";

export interface OpenStoresOptions {
  readonly settings: SignalSettings;
  /** The node's state folder. */
  readonly directory: string;
  readonly tee: TeeState;
  /** For `REDIS_URL`. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Stores extends Disposable {
  readonly mailbox: Mailbox;
  readonly conversations: ConversationStore;
  readonly people: People;
  readonly access: Access;
  readonly codes: PairingCodes;
  /** Conversations that were put back to an older state. */
  readonly oldHistories: ToldOnce;
  readonly hasRedis: boolean;
}

const hourMs = 60 * 60 * 1000;

/**
 * Mail outlives a restart in any mode, since nobody else has it. Throws {@link AppError} when a file cannot be opened or the
 * address of Redis is none.
 */
export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { settings, directory, tee, env, clock, log } = options;
  const files = botFilesIn(directory);
  const { folder } = files;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const durableKey = await openStorageKey({ mode: "durable", tee, path: files.storageKey });
  const mode = decideStorageMode(settings.history.mode, tee.tee);
  const storageKey = mode === "durable" ? durableKey : await openStorageKey({ mode, tee, path: "" });
  const redisUrl = env["REDIS_URL"] || undefined;
  const place: SealedPlace = { folder, redisUrl, mode, storageKey, clock, log };

  using open = new DisposableStack();
  const mailbox = open.use(
    openMailbox({
      path: files.mail,
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
  // Who is let in, and how much they have had, does not begin anew with each start.
  const durablePlace: SealedPlace = { ...place, mode: "durable", storageKey: durableKey };
  const people = open.use(openPeople(durablePlace));
  const codes = new PairingCodes({ clock, isWanted: isPairing(settings) });
  const access = open.use(openAccess({ ...durablePlace, settings, people, codes }));
  const opened = open.move();
  return {
    mailbox,
    conversations,
    people,
    access,
    codes,
    oldHistories,
    hasRedis: redisUrl !== undefined,
    [Symbol.dispose]: () => opened.dispose(),
  };
}
