/** One call of each kind as it goes over the wire, and what comes back: files for the C programs beside this one. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const kinds = ["json", "burst", "paced"] as const;
export type Kind = (typeof kinds)[number];

/** After these come the usage and `[DONE]`. */
export const burstEvents = 60;
/** After these come one with `finish_reason`, the usage and `[DONE]`, at once. */
export const pacedEvents = 50;
export const pacedEveryMs = 20;

/** A run of it stands for the time of sending, which the upstream fills in and the load client reads. */
const stamp = "\u0001".repeat(19);
const vocabulary = ["every", "gateway", "keeps", "the", "bytes", "of", "a", "call", "as", "they", "are"];
const promptWords = 116;
const answerWords = 64;

export const modelOf = (kind: Kind): string => `bench-${kind}`;

/** The file with the body that every answer must have, byte for byte. */
export const expectedFile = (directory: string, kind: Kind): string => join(directory, `${modelOf(kind)}.expected`);

/** Writes what the upstream answers, and what the load client expects of it. */
export function writeAnswers(directory: string): void {
  const write = (name: string, bytes: string): void => writeFileSync(join(directory, name), bytes, "latin1");
  const models = kinds.map((kind) => ({ id: modelOf(kind), object: "model", created, owned_by: "bench" }));
  write("models.answer", whole(JSON.stringify({ object: "list", data: models })));

  const json = JSON.stringify(completion);
  write("bench-json.answer", whole(json));
  write("bench-json.expected", json);

  const tokens = Array.from({ length: burstEvents - 1 }, (_, at) => token("burst", ` word${at}`));
  const burst = [...tokens, ...endOf("burst")];
  write("bench-burst.answer", streamHead + burst.map(chunk).join("") + lastChunk);
  write("bench-burst.expected", burst.join(""));

  const paced = token("paced", stamp);
  write("bench-paced.head", streamHead);
  write("bench-paced.event", chunk(paced));
  write("bench-paced.end", endOf("paced").map(chunk).join("") + lastChunk);
  write("bench-paced.expected", paced.repeat(pacedEvents) + endOf("paced").join(""));
}

/** A call as an OpenAI client makes it, with these headers besides. */
export function requestOf(kind: Kind, headers: Readonly<Record<string, string>>): string {
  const body = JSON.stringify({
    model: modelOf(kind),
    messages: [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: words(promptWords) },
    ],
    temperature: 0.7,
    ...(kind !== "json" && { stream: true, stream_options: { include_usage: true } }),
  });
  const all = { host: "127.0.0.1", "content-type": "application/json", accept: "*/*", ...headers };
  const lines = Object.entries({ ...all, "content-length": body.length }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `POST /v1/chat/completions HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
}

const created = 1_763_700_000;
const usage = { prompt_tokens: 124, completion_tokens: 64, total_tokens: 188 };
const message = { role: "assistant", content: words(answerWords), refusal: null };
const completion = {
  id: "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
  object: "chat.completion",
  created,
  model: modelOf("json"),
  choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }],
  usage,
  service_tier: "default",
  system_fingerprint: "fp_44709d6fcb",
};

const answerHead =
  "HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 12:00:00 GMT\r\nserver: bench\r\nx-request-id: req_bench\r\n";
const streamHead = `${answerHead}content-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n`;
const lastChunk = "0\r\n\r\n";

function whole(body: string): string {
  return `${answerHead}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

const chunk = (bytes: string): string => `${bytes.length.toString(16)}\r\n${bytes}\r\n`;

function event(kind: Kind, choices: readonly object[], of: object | null = null): string {
  const shared = { id: completion.id, object: "chat.completion.chunk", created, model: modelOf(kind) };
  return `data: ${JSON.stringify({ ...shared, system_fingerprint: completion.system_fingerprint, choices, usage: of })}\n\n`;
}

function token(kind: Kind, content: string): string {
  const choice = { index: 0, delta: { content: "CONTENT" }, logprobs: null, finish_reason: null };
  return event(kind, [choice]).replace("CONTENT", content); // which `stringify` would escape
}

function endOf(kind: Kind): string[] {
  const last = { index: 0, delta: {}, logprobs: null, finish_reason: "stop" };
  return [event(kind, [last]), event(kind, [], usage), "data: [DONE]\n\n"];
}

function words(count: number): string {
  return Array.from({ length: count }, (_, at) => vocabulary[at % vocabulary.length]).join(" ");
}
