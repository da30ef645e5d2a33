/** All commands over real stores in a folder; the model's list and the work are stand-ins that the test sets. */
import { randomBytes } from "node:crypto";
import type { BotState } from "../../../../../tee-bot/bot/bot-state.ts";
import type { Command, CommandAnswer } from "../../../../../tee-bot/bot/commands/command.ts";
import { createCommands } from "../../../../../tee-bot/bot/commands/commands.ts";
import { readerOf } from "../../../../../tee-bot/bot/commands/parse-command.ts";
import type { ConversationStore } from "../../../../../tee-bot/bot/conversations/conversation-store.ts";
import { openConversations } from "../../../../../tee-bot/bot/conversations/open-conversations.ts";
import { chatName, type MessageEvent } from "../../../../../tee-bot/bot/events/event.ts";
import { ModelError } from "../../../../../tee-bot/bot/model/model-error.ts";
import type { OfferedModel } from "../../../../../tee-bot/bot/model/model.ts";
import { openPeople } from "../../../../../tee-bot/bot/people/open-people.ts";
import type { People } from "../../../../../tee-bot/bot/people/people.ts";
import { signalSettingsSchema } from "../../../../../tee-bot/bot/settings.ts";
import { temporaryFolder } from "../../../../shared/temporary-folder.ts";
import { recordingLog } from "../../../support/log.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { message } from "../../support/message.ts";

export interface CommandsWorld extends Disposable {
  readonly conversations: ConversationStore;
  readonly people: People;
  readonly commands: readonly Command[];
  /** What the gateway offers; undefined: it is away. */
  offered: readonly OfferedModel[] | undefined;
  state: BotState;
  /** Whether an answer is in hand. */
  isWriting: boolean;
  /** How many messages wait in any chat. */
  waiting: number;
  /** Whose last questions are not asked again. */
  readonly forgotten: string[];
  /** What is answered to a command. */
  say(text: string, more?: Partial<MessageEvent>): Promise<CommandAnswer>;
}

export const local: OfferedModel = {
  id: "llama3.2:3b",
  provider: "ollama",
  synonyms: ["llama"],
  trust: "local",
  attestation: undefined,
  hasVision: undefined,
  isDemo: false,
};
export const cloud: OfferedModel = { ...local, id: "gpt-large", provider: "cloud", synonyms: [], trust: "plain" };
export const verified: OfferedModel = {
  ...cloud,
  id: "deepseek-ai/DeepSeek-V3.1",
  trust: "attested",
  attestation: "verified",
  hasVision: true,
};
export const claimed: OfferedModel = { ...verified, id: "qwen/Qwen3-30B", attestation: "claimed", hasVision: false };

export const calm: BotState = {
  account: "+15550000001",
  answered: 7,
  inHand: 0,
  isStoreAway: false,
  mailbox: { waiting: 3, inHand: 0, replies: 0, undecidable: 2, dead: 1, oldestAt: undefined },
  sending: { counts: {}, pause: undefined, troubles: [] },
  reactions: { up: 5, down: 1 },
};

export function commandsWorld(settings: unknown = {}): CommandsWorld {
  const stack = new DisposableStack();
  const folder = stack.use(temporaryFolder()).path;
  const place = {
    folder,
    mode: "durable" as const,
    storageKey: randomBytes(32),
    clock: new ManualClock(),
    log: recordingLog(),
  };
  const conversations = stack.use(openConversations(place));
  const people = stack.use(openPeople(place));
  const commands = createCommands({
    settings: signalSettingsSchema.parse(settings),
    tee: "none",
    hasRedis: false,
    conversations,
    people,
    model: {
      list: () => (world.offered ? Promise.resolve([...world.offered]) : Promise.reject(new ModelError("outage"))),
    },
    work: {
      stop: () => world.isWriting,
      retry: ({ event }) => Promise.resolve({ text: `asked again at ${event.timestamp}` }),
      drop: () => world.waiting,
      forget: (whose) => world.forgotten.push("chat" in whose ? chatName(whose.chat) : whose.person),
    },
    state: () => world.state,
    verify: {
      name: "verify",
      aliases: [],
      usage: "!verify [words]",
      summary: "proves where I run",
      detail: "More of that.",
      run: ({ rest }) => Promise.resolve({ text: `verified ${rest}` }),
    },
  });
  const read = readerOf(commands);
  const world: CommandsWorld = {
    conversations,
    people,
    commands,
    offered: [local, cloud, verified, claimed],
    state: calm,
    isWriting: false,
    waiting: 0,
    forgotten: [],
    say: async (text, more) => {
      const event = message(text, 100, more);
      const reading = read(event);
      if (reading.kind !== "command") throw new Error(`${text} is no command`);
      return reading.command.run({ event, rest: reading.rest, signal: AbortSignal.timeout(5_000) });
    },
    [Symbol.dispose]: () => stack.dispose(),
  };
  return world;
}
