/** Joins what answers mail: the worker, and what becomes of each kind of event. */
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Access } from "./access/access.ts";
import { AnswerMessage } from "./answer/answer-message.ts";
import { Answerer } from "./answer/answerer.ts";
import { AskModel } from "./answer/ask-model.ts";
import { AttachmentReader } from "./answer/attachments.ts";
import { Changes } from "./answer/changes.ts";
import { LastQuestions } from "./answer/last-questions.ts";
import { showProgress } from "./answer/progress.ts";
import type { ToldOnce } from "./answer/told-once.ts";
import type { Transcriber } from "./answer/transcriber.ts";
import type { BotWork, ReadCommand } from "./commands/command.ts";
import type { ConversationStore } from "./conversations/conversation-store.ts";
import type { BotEvent } from "./events/event.ts";
import type { Mailbox } from "./mail/mailbox.ts";
import type { Model } from "./model/model.ts";
import type { People } from "./people/people.ts";
import type { Messenger } from "./send/messenger.ts";
import type { SignalSettings } from "./settings.ts";
import { Runs } from "./work/runs.ts";
import { Worker } from "./work/worker.ts";

export interface OpenWorkOptions {
  readonly settings: SignalSettings;
  readonly mailbox: Mailbox;
  readonly messenger: Messenger;
  readonly model: Model;
  readonly conversations: ConversationStore;
  readonly people: People;
  readonly access: Access;
  /** Made of what commands may do to the work. */
  readonly commands: (work: BotWork) => ReadCommand;
  readonly isUrgent: (event: BotEvent) => boolean;
  readonly transcriber: Transcriber | undefined;
  readonly oldHistories: ToldOnce;
  /** For somebody who writes for the first time. */
  readonly welcome: string;
  /** Why nobody may chat now; see `AnswerMessage`. */
  readonly refusal: () => string | undefined;
  /** Told of everything that is worked on. */
  readonly onEvent: (event: BotEvent) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Work {
  /** Until `stop`, and some seconds longer for what is nearly done. */
  run(stop: AbortSignal): Promise<void>;
  readonly inHand: number;
  readonly answered: number;
  /** The store of conversations cannot be reached. */
  readonly isStoreAway: boolean;
}

export function openWork(options: OpenWorkOptions): Work {
  const { settings, mailbox, conversations, clock } = options;
  const runs = new Runs(options.isUrgent);
  const lastQuestions = new LastQuestions();
  const attachments = new AttachmentReader(options);
  const askModel = new AskModel({ ...options, systemPrompt: settings.systemPrompt, usualModel: settings.model });
  const progress = { mailbox, maxUnits: settings.maxUnits, clock };
  const work: BotWork = {
    stop: (chat) => runs.stop(chat),
    retry: (call) => answerMessage.retry(call),
    drop: (chat) => mailbox.drop(chat),
    forget: (whose) => ("chat" in whose ? lastQuestions.forget(whose.chat) : lastQuestions.forgetPerson(whose.person)),
  };
  const answerMessage: AnswerMessage = new AnswerMessage({
    ...options,
    readCommand: options.commands(work),
    askModel,
    attachments,
    lastQuestions,
    onText: settings.progressive ? (mail, event) => showProgress(mail, event, progress) : undefined,
    maxUnits: settings.maxUnits,
  });
  const answerer = new Answerer({
    ...options,
    answerMessage,
    changes: new Changes({ mailbox, conversations, attachments, runs, lastQuestions }),
    storeAwayMs: () => worker.storeAwayMs,
    maxAttempts: settings.receive.attempts,
    maxUnits: settings.maxUnits,
  });
  const worker: Worker = new Worker({
    ...options,
    runs,
    work: (run) => answerer.work(run),
    onFailure: (run, error) => answerer.onFailure(run, error),
    onDone: (mail) => answerMessage.done(mail),
    concurrent: settings.limits.concurrent,
    clock,
  });
  return {
    run: (stop) => worker.run(stop),
    get inHand() {
      return runs.size;
    },
    get answered() {
      return worker.answered;
    },
    get isStoreAway() {
      return worker.storeAwayMs > 0;
    },
  };
}
