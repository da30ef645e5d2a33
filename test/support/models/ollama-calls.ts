/** A stand-in for the calls of an Ollama, in the very bytes that it sends, and with its bad endings. */
import type { Behaviour } from "../upstream/behaviour.ts";
import type { Reply } from "../upstream/reply.ts";
import { startUpstream, type Upstream } from "../upstream/upstream.ts";
import { ollamaRunning, ollamaTags } from "./ollama.ts";

const words = ["The", " sky", " is", " blue", "."];
const at = "2026-11-21T12:00:00.123456789Z";
const line = (text: string, more = ""): string =>
  `{"model":"llama3.2","created_at":"${at}","message":{"role":"assistant","content":${JSON.stringify(text)}}${more}}\n`;
const counts =
  ',"done":true,"done_reason":"stop","total_duration":4883583458,"load_duration":1334875,"prompt_eval_count":26,' +
  '"prompt_eval_duration":342546000,"eval_count":5,"eval_duration":4535599000';

/** Of `POST /api/chat`, as Ollama writes it. */
export const ollamaLines = words.map((word) => line(word, ',"done":false')).join("") + line("", counts);
export const ollamaWhole = line(words.join(""), counts);
/** Odd spaces that a gateway must not put right. */
export const ollamaShown =
  '{"modelfile":"FROM llama3.2", "capabilities":["completion","tools","vision"] ,"details":{"family":"llama"}}';

export type OllamaFault = "cut" | "silent-end" | "error-line" | "error-status";

export interface OllamaUpstream extends Upstream {
  /** What is wrong with its calls, from now on. */
  fault: OllamaFault | undefined;
}

export async function startOllama(): Promise<OllamaUpstream> {
  const state: { fault: OllamaFault | undefined } = { fault: undefined };
  const json =
    (value: unknown): Behaviour =>
    (_, reply) =>
      reply.send(200, typeof value === "string" ? value : JSON.stringify(value));
  const answer: Behaviour = async ({ body }, reply) => {
    if (state.fault === "error-status") return reply.send(400, '{"error":"llama3.2 does not support images"}');
    if ((JSON.parse(body.toString()) as { stream?: boolean }).stream === false) return reply.send(200, ollamaWhole);
    reply.openStream({ "content-type": "application/x-ndjson" });
    await sendLines(reply, state.fault);
  };
  const upstream = await startUpstream({
    pages: {
      "GET /api/version": json({ version: "0.40.12" }),
      "GET /api/tags": json({ models: ollamaTags }),
      "GET /api/ps": json({ models: ollamaRunning }),
      "POST /api/show": json(ollamaShown),
      "POST /api/chat": answer,
      "POST /api/generate": answer,
      "POST /api/embed": json('{"model":"nomic-embed-text:v1.5","embeddings":[[0.010071029,-0.0017594862]]}'),
    },
  });
  return Object.defineProperty(upstream, "fault", {
    get: () => state.fault,
    set: (fault: OllamaFault | undefined) => {
      state.fault = fault;
    },
  }) as OllamaUpstream;
}

async function sendLines(reply: Reply, fault: OllamaFault | undefined): Promise<void> {
  const lines = ollamaLines.trimEnd().split("\n");
  for (const [index, one] of lines.entries()) {
    if (fault !== undefined && index === 3) break;
    reply.chunk(`${one}\n`);
    await reply.wait(2);
  }
  if (fault === "cut") return reply.reset();
  if (fault === "error-line") reply.chunk('{"error":"an error was encountered while running the model"}\n');
  reply.lastChunk();
}
