/** What was attached to messages. Each telephone has its copy for good; signal-cli has a file until it is told to delete it. */
import { randomBytes } from "node:crypto";
import { AppError } from "../../../../shared/errors.ts";
import type { StateFile, Table } from "../state-file.ts";
import type { SeenAttachment } from "./seen-message.ts";

interface Content {
  readonly contentType: string;
  readonly filename: string | null;
  readonly base64: string;
}

export const maxAttachmentBytes = 16 * 1024 * 1024;
const maxContents = 1_000;
const idBytes = 15;
const extensions: Readonly<Record<string, string>> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/gif": "gif",
  "image/webp": "webp",
  "audio/aac": "aac",
  "audio/mpeg": "mp3",
  "application/pdf": "pdf",
  "application/json": "json",
  "text/plain": "txt",
};

export class Contents {
  readonly #contents: Table<Content>;
  readonly #files: Table<true>;

  constructor(state: StateFile) {
    this.#contents = state.table("content");
    this.#files = state.table("file");
  }

  /** Names of the files that signal-cli has. */
  get files(): string[] {
    return [...this.#files.values.keys()];
  }

  /** The oldest goes when there are too many. */
  keep(bytes: Buffer, contentType: string, filename: string | null, id = newId(contentType)): SeenAttachment {
    if (bytes.length > maxAttachmentBytes)
      throw new AppError("too-large", `An attachment has at most ${maxAttachmentBytes} bytes here.`);
    this.#contents.put(id, { contentType, filename, base64: bytes.toString("base64") });
    const [oldest] = this.#contents.values.keys();
    if (oldest !== undefined && this.#contents.values.size > maxContents) {
      this.#contents.delete(oldest);
      this.#files.delete(oldest);
    }
    return { id, contentType, filename, size: bytes.length };
  }

  find(id: string): { readonly bytes: Buffer; readonly contentType: string } | undefined {
    const content = this.#contents.values.get(id);
    return content && { bytes: Buffer.from(content.base64, "base64"), contentType: content.contentType };
  }

  /** signal-cli downloads it. */
  download(id: string): void {
    if (this.#contents.values.has(id)) this.#files.put(id, true);
  }

  findFile(id: string): ReturnType<Contents["find"]> {
    return this.#files.values.has(id) ? this.find(id) : undefined;
  }

  deleteFile(id: string): void {
    this.#files.delete(id);
  }
}

function newId(contentType: string): string {
  const extension = extensions[contentType];
  return `${randomBytes(idBytes).toString("base64url")}${extension ? `.${extension}` : ""}`;
}
