/** Attachments as `/v2/send` takes them, and the files of signal-cli that `/v1/attachments` has. */
import { Hono } from "hono";
import type { Contents } from "../signal/contents.ts";
import type { SeenAttachment } from "../signal/seen-message.ts";
import type { RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";

const octets = "application/octet-stream";
/** By their first bytes, in hex. */
const signatures: readonly (readonly [start: string, contentType: string])[] = [
  ["89504e470d0a1a0a", "image/png"],
  ["ffd8ff", "image/jpeg"],
  ["47494638", "image/gif"],
  ["25504446", "application/pdf"],
  ["7b", "application/json"],
];

export function attachmentRoutes({ world: { contents } }: RestOptions): Hono {
  const app = new Hono();
  app.get("/v1/attachments", (context) => context.json(contents.files));
  app.get("/v1/attachments/:id", (context) => {
    const { bytes, contentType } = fileOf(contents, context.req.param("id"));
    return context.body(new Uint8Array(bytes), 200, { "content-type": contentType });
  });
  app.delete("/v1/attachments/:id", (context) => {
    fileOf(contents, context.req.param("id"));
    contents.deleteFile(context.req.param("id"));
    return context.body(null, 204);
  });
  return app;
}

/** `data:<type>;filename=<name>;base64,<data>`, the name or all before the data left out. */
export function readAttachment(contents: Contents, given: string): SeenAttachment {
  const [, type, filename, data] = /^data:([^;,]*)(?:;filename=([^;,]*))?;base64,(.*)$/s.exec(given) ?? [];
  const base64 = data ?? given;
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64) throw new RestError("illegal base64 data in an attachment");
  return contents.keep(bytes, type || detectType(bytes), filename ?? null);
}

function detectType(bytes: Buffer): string {
  const start = bytes.subarray(0, 8).toString("hex");
  return signatures.find(([signature]) => start.startsWith(signature))?.[1] ?? octets;
}

function fileOf(contents: Contents, id: string) {
  const file = contents.findFile(id);
  if (!file) throw new RestError("No attachment with that name found", 404);
  return file;
}
