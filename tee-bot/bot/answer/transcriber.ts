/**
 * Voice notes become text at a server of OpenAI's transcription API, which hears everything:
 * https://platform.openai.com/docs/api-reference/audio/createTranscription
 */
import { request, type Dispatcher } from "undici";
import { z } from "zod";
import { readUpTo } from "../../upstream/read-up-to.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { Sensitive } from "../../../shared/sensitive.ts";
import { readSecret, type Environment } from "../../gateway/providers/secret.ts";
import type { SignalSettings } from "../settings.ts";

export type Heard = { readonly ok: true; readonly text: Sensitive<string> } | { readonly ok: false };

export interface Transcriber {
  /** Never throws but the signal's reason. */
  transcribe(recording: Uint8Array, contentType: string, signal: AbortSignal): Promise<Heard>;
}

export interface TranscriberOptions {
  readonly settings: SignalSettings["transcriber"];
  readonly env: Environment;
  readonly log: Log;
}

const answerMs = 60_000;
const maxAnswerBytes = 1024 * 1024;
const answerSchema = z.object({ text: z.string() });
/** The server tells the format by the name; Signal's clients record these. */
const endings: Readonly<Record<string, string>> = {
  "audio/aac": "m4a", // Signal for Android: AAC in an MP4 container, though it says otherwise
  "audio/mp4": "m4a",
  "audio/x-m4a": "m4a",
  "audio/mpeg": "mp3",
  "audio/ogg": "ogg",
  "audio/webm": "webm",
  "audio/wav": "wav",
  "audio/x-wav": "wav",
};

/** Undefined where none is configured. Throws {@link AppError} when its key is not where the settings say. */
export function openTranscriber({ settings, env, log }: TranscriberOptions): Transcriber | undefined {
  const { url, model } = settings;
  if (url === undefined) return undefined;
  const key = readKey(settings, env);
  const address = `${url.replace(/\/+$/, "")}/audio/transcriptions`;
  return {
    async transcribe(recording, contentType, signal) {
      const form = new FormData();
      form.set("model", model);
      form.set("response_format", "json");
      form.set("file", new Blob([new Uint8Array(recording)], { type: contentType }), fileName(contentType));
      try {
        const encoded = new Response(form); // as multipart/form-data
        const { statusCode, body } = await request(address, {
          method: "POST",
          body: Buffer.from(await encoded.arrayBuffer()),
          headers: {
            "content-type": encoded.headers.get("content-type") ?? "",
            ...(key !== undefined && { authorization: `Bearer ${key}` }),
          },
          signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
        });
        const said = await readText(body);
        if (statusCode === 200) return { ok: true, text: new Sensitive(answerSchema.parse(JSON.parse(said)).text) };
        log.warn("voice.not-transcribed", { status: statusCode });
        return { ok: false };
      } catch (error) {
        signal.throwIfAborted();
        log.warn("voice.not-transcribed", { reason: error instanceof Error ? error.name : "unknown" });
        return { ok: false };
      }
    },
  };
}

function readKey(settings: SignalSettings["transcriber"], env: Environment): string | undefined {
  try {
    return readSecret(settings, env);
  } catch (error) {
    throw new AppError("bad-request", `signal.transcriber cannot be used. ${errorText(error)}`);
  }
}

async function readText(body: Dispatcher.ResponseData["body"]): Promise<string> {
  const bytes = await readUpTo(body, maxAnswerBytes);
  if (!bytes) throw new RangeError("the answer is too long");
  return bytes.toString();
}

function fileName(contentType: string): string {
  return `voice.${endings[contentType.split(";", 1)[0]?.trim().toLowerCase() ?? ""] ?? "m4a"}`;
}
