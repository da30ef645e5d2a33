/** One question to the model within its conversation; question and answer are remembered together, once there is an answer. */
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";
import { maxMessageBytes } from "../conversations/history.ts";
import type { ConversationStore } from "../conversations/conversation-store.ts";
import { chatName, type MessageEvent } from "../events/event.ts";
import type { Model, ModelAnswer, OfferedModel } from "../model/model.ts";
import { decideModel } from "../model/read-models.ts";
import type { People } from "../people/people.ts";
import { isStoreTrouble } from "../work/setback.ts";
import { askedText, cutBytes, keptText, modelMessages, type Question } from "./question.ts";
import { sentences } from "./sentences.ts";

export interface AskModelOptions {
  readonly model: Model;
  readonly conversations: Pick<ConversationStore, "messages" | "keepExchange">;
  readonly people: Pick<People, "read">;
  readonly systemPrompt: string;
  /** Of the settings, for chats that have chosen none. */
  readonly usualModel: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** An answer is there and the store is away: so long is waited for it, then the person comes before the memory. */
const keepTriesMs = 20_000;
const keepPauseMs = 1_000;

export class AskModel {
  readonly #options: AskModelOptions;

  constructor(options: AskModelOptions) {
    this.#options = options;
  }

  /** The name of the model for this chat if it is known to have no vision. */
  async blindModel(event: MessageEvent, signal: AbortSignal): Promise<string | undefined> {
    const { model, people, usualModel } = this.#options;
    const [chosen, offered] = await Promise.all([people.read(chatName(event.chat)), model.list(signal)]);
    const wanted = chosen.model ?? usualModel;
    const found = wanted === undefined ? decideModel(offered) : offered.find((one) => isNamed(one, wanted));
    return found?.hasVision === false ? found.id : undefined;
  }

  /** Markdown. Throws `ModelError`, what the store throws, or the signal's reason. */
  async ask(
    event: MessageEvent,
    question: Question,
    { signal, onText }: { signal: AbortSignal; onText?: ((soFar: Sensitive<string>) => void) | undefined },
  ): Promise<string> {
    const { model, conversations, people, systemPrompt } = this.#options;
    const conversation = chatName(event.chat);
    const named = { person: event.person, timestamp: event.timestamp };
    const content = askedText(question, event.quote);
    const isGroup = event.chat.kind === "group";
    const [said, { model: chosen }] = await Promise.all([
      conversations.messages(conversation, { systemPrompt, isGroup, question: { ...named, content } }),
      people.read(conversation),
    ]);
    const messages = modelMessages(said, question.images);
    const answer = await model.ask({ messages, model: chosen, signal, onText });
    signal.throwIfAborted();
    const kept = { ...named, content: keptText(question), expiresInSeconds: event.expiresInSeconds };
    if (answer.text.reveal().trim() !== "") await this.#keep(conversation, kept, answer, signal);
    return shownAnswer(answer);
  }

  async #keep(
    conversation: string,
    question: Parameters<ConversationStore["keepExchange"]>[1],
    answer: ModelAnswer,
    signal: AbortSignal,
  ): Promise<void> {
    const { conversations, clock, log } = this.#options;
    const content = cutBytes(answer.text.reveal(), maxMessageBytes);
    const until = clock.now() + keepTriesMs;
    for (;;) {
      try {
        return await conversations.keepExchange(conversation, question, content);
      } catch (error) {
        if (!isStoreTrouble(error)) throw error;
        signal.throwIfAborted();
        if (clock.now() >= until) return log.warn("exchange.lost", { reason: error.code });
        await clock.sleep(keepPauseMs, signal);
      }
    }
  }
}

function shownAnswer({ text, isCut }: ModelAnswer): string {
  const said = text.reveal();
  if (said.trim() === "") return sentences.emptyAnswer;
  return isCut ? `${said}\n\n${sentences.cutAnswer}` : said;
}

function isNamed({ id, synonyms }: OfferedModel, name: string): boolean {
  return id === name || synonyms.includes(name);
}
