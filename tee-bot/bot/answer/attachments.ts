/** Files that people send: pictures and recordings are fetched for one question, and removed from the REST server after it. */
import { AppError } from "../../../shared/errors.ts";
import type { Attachment } from "../events/event.ts";
import type { Messenger } from "../send/messenger.ts";
import { sentences } from "./sentences.ts";
import type { Transcriber } from "./transcriber.ts";

/** Either something for the question, or a sentence for the person why not. */
export type Read =
  | { readonly ok: true; readonly images: readonly string[]; readonly spoken: string | undefined }
  | { readonly ok: false; readonly say: string };

export type AttachmentKind = "image" | "voice" | "other";

const megabyte = 1024 * 1024;
export const maxImageBytes = 8 * megabyte;
export const maxImages = 4;
/** Of all pictures of a question: in base64, with the conversation, they fit into the 32 MiB that the gateway takes by default. */
export const maxImagesBytes = 16 * megabyte;
export const maxVoiceBytes = 20 * megabyte;
const imageTypes = new Set(["image/jpeg", "image/png", "image/webp", "image/gif"]);

export interface AttachmentReaderOptions {
  readonly messenger: Pick<Messenger, "download" | "discard">;
  /** Undefined: voice notes are refused in words. */
  readonly transcriber: Transcriber | undefined;
}

export class AttachmentReader {
  readonly #options: AttachmentReaderOptions;

  constructor(options: AttachmentReaderOptions) {
    this.#options = options;
  }

  /** `blindModel`: the name of the model that will be asked, if it has no vision. */
  async read(
    attachments: readonly Attachment[],
    { blindModel, signal }: { blindModel: () => Promise<string | undefined>; signal: AbortSignal },
  ): Promise<Read> {
    const refusal = decideRefusal(attachments, this.#options.transcriber !== undefined);
    if (refusal !== undefined) return { ok: false, say: refusal };
    const pictures = attachments.filter((one) => kindOf(one) === "image");
    const blind = pictures.length > 0 ? await blindModel() : undefined;
    if (blind !== undefined) return { ok: false, say: sentences.noVision(blind) };
    try {
      const images: string[] = [];
      for (const one of pictures) images.push(dataUrl(one.contentType, await this.#fetch(one, maxImageBytes)));
      return await this.#withSpoken(attachments, images, signal);
    } catch (error) {
      if (error instanceof AppError) return { ok: false, say: sentenceOf(error) };
      throw error;
    }
  }

  /** Once nobody needs them any more. */
  discard(attachments: readonly Attachment[]): void {
    for (const one of attachments) this.#options.messenger.discard(one);
  }

  async #withSpoken(attachments: readonly Attachment[], images: string[], signal: AbortSignal): Promise<Read> {
    const { transcriber } = this.#options;
    const voice = attachments.find((one) => kindOf(one) === "voice");
    if (!voice || !transcriber) return { ok: true, images, spoken: undefined };
    const bytes = await this.#fetch(voice, maxVoiceBytes);
    const heard = await transcriber.transcribe(bytes, voice.contentType, signal);
    if (!heard.ok) return { ok: false, say: sentences.voiceFailed };
    const spoken = heard.text.reveal().trim();
    return spoken === "" ? { ok: false, say: sentences.voiceEmpty } : { ok: true, images, spoken };
  }

  #fetch(attachment: Attachment, maxBytes: number): Promise<Uint8Array> {
    return this.#options.messenger.download(attachment, maxBytes);
  }
}

export function kindOf({ contentType }: Pick<Attachment, "contentType">): AttachmentKind {
  const type = mediaType(contentType);
  if (imageTypes.has(type)) return "image";
  return type.startsWith("audio/") ? "voice" : "other";
}

/** By what its sender says of it; that is looked at again when it is fetched. */
export function decideRefusal(attachments: readonly Attachment[], canListen: boolean): string | undefined {
  const kinds = attachments.map(kindOf);
  if (kinds.includes("other")) return sentences.fileKind;
  if (kinds.includes("voice") && !canListen) return sentences.noVoice;
  if (kinds.filter((kind) => kind === "image").length > maxImages) return sentences.tooManyPictures(maxImages);
  if (attachments.some((one) => kindOf(one) === "image" && one.size > maxImageBytes))
    return sentences.pictureTooLarge(maxImageBytes / megabyte);
  const imagesBytes = attachments.reduce((sum, one) => sum + (kindOf(one) === "image" ? one.size : 0), 0);
  if (imagesBytes > maxImagesBytes) return sentences.picturesTooLarge(maxImagesBytes / megabyte);
  if (attachments.some((one) => kindOf(one) === "voice" && one.size > maxVoiceBytes))
    return sentences.voiceTooLarge(maxVoiceBytes / megabyte);
  return undefined;
}

function sentenceOf({ code }: AppError): string {
  return code === "too-large" ? sentences.pictureTooLarge(maxImageBytes / megabyte) : sentences.fileGone;
}

function dataUrl(contentType: string, bytes: Uint8Array): string {
  return `data:${mediaType(contentType)};base64,${Buffer.from(bytes).toString("base64")}`;
}

function mediaType(contentType: string): string {
  return (contentType.split(";", 1)[0] ?? "").trim().toLowerCase();
}
