/**
 * A chat in a terminal, or in a script. In a terminal what comes is shown above the line that is being written; lines that
 * are piped in are sent one after the other, each when the one before is answered.
 */
import { createInterface } from "node:readline";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { ChatClient, Conversation, ShownMessage } from "./chat-client.ts";
import { formatMessage } from "./chat-view.ts";

export interface ChatSession {
  readonly client: ChatClient;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly color: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Of the conversation so far, at the start. */
const shownAtStart = 6;
/** An answer of several pieces is over when none has come for so long. */
const quietMs = 1_500;
const lookMs = 200;

/** Until the input ends. */
export async function chatInTerminal(session: ChatSession): Promise<void> {
  const { client, input, output, signal } = session;
  const lines = createInterface({ input, output, terminal: true, prompt: "> " });
  const news = new News(session);
  output.write(news.of(await client.read(), (messages) => messages.slice(-shownAtStart)));
  const above = (text: string): void => {
    output.write(`\r\u001b[K${text}`);
    lines.prompt(true);
  };
  const look = async (): Promise<void> => {
    const now = await client.read();
    const prompt = now.typing ? "(the bot is typing) > " : "> ";
    const text = news.of(now, (messages) => messages.filter(({ from }) => from !== "you"));
    if (text === "" && prompt === lines.getPrompt()) return;
    lines.setPrompt(prompt);
    above(text);
  };
  void client.watch(
    () => void look().catch(() => {}), // the link is told about
    (isUp) => isUp || above("(the simulator is away; trying again)\n"),
  );
  lines.once("SIGINT", () => lines.close());
  signal.addEventListener("abort", () => lines.close(), { once: true });
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() !== "") await client.send(line).catch((error: AppError) => above(`(not sent: ${error.detail})\n`));
    lines.prompt();
  }
  output.write("\n");
}

/** Throws {@link AppError} when the bot leaves a message without an answer for `waitMs`. */
export async function chatByLines(session: ChatSession, waitMs: number): Promise<void> {
  const { client, input, output, clock, signal } = session;
  const news = new News(session);
  news.of(await client.read(), () => []);
  for await (const line of createInterface({ input })) {
    if (line.trim() === "") continue;
    const sentAt = await client.send(line);
    const deadline = clock.now() + waitMs;
    let quietSince = clock.now();
    for (;;) {
      await clock.sleep(lookMs, signal);
      const now = await client.read();
      const text = news.of(now, (messages) => messages.filter(({ from }) => from !== "you"));
      output.write(text);
      if (text !== "" || now.typing) quietSince = clock.now();
      const isAnswered = now.messages.some(({ from, timestamp }) => from === "bot" && timestamp > sentAt);
      if (isAnswered && clock.now() - quietSince >= quietMs) break;
      if (clock.now() > deadline)
        throw new AppError("upstream-timeout", `The bot has not answered for ${waitMs / 1_000} s.`);
    }
  }
}

/** What of a conversation was not shown yet, or has changed since. */
class News {
  readonly #session: ChatSession;
  readonly #shown = new Map<string, string>();

  constructor(session: ChatSession) {
    this.#session = session;
  }

  /** `choose`: which of the new ones are worth showing. */
  of({ messages }: Conversation, choose: (messages: ShownMessage[]) => ShownMessage[]): string {
    const { color, client } = this.#session;
    const fresh = messages.filter((message) => this.#shown.get(nameOf(message)) !== formOf(message));
    for (const message of fresh) this.#shown.set(nameOf(message), formOf(message));
    return choose(fresh)
      .map((message) => formatMessage(message, { color, addressOf: (one) => client.addressOf(one) }))
      .join("");
  }
}

function nameOf({ timestamp, from }: ShownMessage): string {
  return `${timestamp} ${from}`;
}

function formOf({ text, deleted, styles }: ShownMessage): string {
  return JSON.stringify([text, deleted, styles]);
}
