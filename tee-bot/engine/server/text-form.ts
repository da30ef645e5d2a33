/** The two shapes of an answer that is text. https://platform.openai.com/docs/api-reference */
import type { Generated } from "../model/generate.ts";

type Finish = Generated["finish"] | null;

export interface TextForm {
  readonly idPrefix: string;
  /** `object` of a whole answer, and of an event. */
  readonly whole: string;
  readonly piece: string;
  wholeChoice(text: string, finish: Finish): object;
  /** `first`: the first event of an answer. */
  pieceChoice(text: string, finish: Finish, first: boolean): object;
}

export const chatForm: TextForm = {
  idPrefix: "chatcmpl-",
  whole: "chat.completion",
  piece: "chat.completion.chunk",
  wholeChoice: (content, finish) => ({
    index: 0,
    message: { role: "assistant", content, refusal: null },
    logprobs: null,
    finish_reason: finish,
  }),
  pieceChoice: (content, finish, first) => ({
    index: 0,
    delta: { ...(first && { role: "assistant" }), ...((content !== "" || first) && { content }) },
    logprobs: null,
    finish_reason: finish,
  }),
};

const completionChoice = (text: string, finish: Finish): object => ({
  text,
  index: 0,
  logprobs: null,
  finish_reason: finish,
});

export const completionForm: TextForm = {
  idPrefix: "cmpl-",
  whole: "text_completion",
  piece: "text_completion",
  wholeChoice: completionChoice,
  pieceChoice: completionChoice,
};
