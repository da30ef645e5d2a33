/** A stream of OpenAI's events as Ollama's lines. Its end is only said when the provider said it; an error is one here, too. */
import { StringDecoder } from "node:string_decoder";
import { parseEvents } from "../calls/streams/events.ts";
import { doneReason, pieceOf, type AnswerFacts, type Part } from "./answer-shape.ts";
import { errorTextOf, openAiAnswer, type Usage } from "./openai-answer.ts";
import { ToolCalls } from "./tool-calls.ts";

/** An event may be so long. */
const maxEventLength = 8 * 1024 * 1024;

export class StreamTranslation {
  readonly #facts: AnswerFacts;
  readonly #decoder = new StringDecoder("utf8");
  readonly #tools = new ToolCalls();
  #half = "";
  #finishReason: string | undefined;
  #usage: Usage;
  #firstTokenAt: number | undefined;
  #pieces = 0;
  #isOver = false;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  /** The lines for the events that are complete now. */
  take(bytes: Buffer): string {
    const text = this.#half + this.#decoder.write(bytes);
    const end = Math.max(text.lastIndexOf("\n\n") + 2, text.lastIndexOf("\n\r\n") + 3);
    const complete = end > 2 ? end : 0;
    this.#half = text.slice(complete);
    if (this.#half.length > maxEventLength) return this.#fail("An event of the provider's stream is too long.");
    return parseEvents("chat", text.slice(0, complete))
      .map(({ data }) => this.#translate(data))
      .join("");
  }

  /** The last lines. */
  end(): string {
    if (this.#isOver) return "";
    return this.#finishReason === undefined ? this.#fail("The provider's stream is incomplete.") : this.#finish();
  }

  #translate(data: string): string {
    if (this.#isOver) return "";
    if (data.trim() === "[DONE]") return this.#finish();
    const { data: answer } = openAiAnswer.safeParse(parseJson(data));
    if (!answer) return this.#fail("An event of the provider's stream is not what its API promises.");
    const error = errorTextOf(answer);
    if (error !== undefined) return this.#fail(error);
    this.#usage = answer.usage ?? this.#usage;
    const [choice] = answer.choices ?? [];
    if (!choice) return "";
    this.#finishReason = choice.finish_reason ?? this.#finishReason;
    this.#tools.add(choice.delta?.tool_calls ?? []);
    const text = choice.delta?.content ?? choice.text ?? "";
    const thinking = choice.delta?.reasoning_content ?? choice.delta?.reasoning ?? "";
    if (text === "" && thinking === "") return "";
    this.#firstTokenAt ??= this.#facts.now();
    this.#pieces++;
    return this.#line({ text, thinking });
  }

  #finish(): string {
    const toolCalls = this.#tools.finish();
    if (toolCalls instanceof Error) return this.#fail(toolCalls.message);
    this.#isOver = true;
    const ending = {
      reason: doneReason(this.#finishReason),
      prompt: this.#usage?.prompt_tokens ?? this.#facts.estimatedPromptTokens,
      completion: this.#usage?.completion_tokens ?? this.#pieces,
      firstTokenAt: this.#firstTokenAt,
    };
    return (toolCalls ? this.#line({ toolCalls }) : "") + lineOf(pieceOf(this.#facts, {}, ending));
  }

  #fail(error: string): string {
    if (this.#isOver) return "";
    this.#isOver = true;
    return lineOf({ error });
  }

  #line(part: Part): string {
    return lineOf(pieceOf(this.#facts, part));
  }
}

export function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
