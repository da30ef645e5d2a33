import { AppError } from "../../shared/errors.ts";
import { maxRequestBytes } from "../../shared/registry/messages.ts";

/** The body's bytes; `too-large` as soon as more than {@link maxRequestBytes} have come, whatever was announced. */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  if (request.body)
    for await (const chunk of request.body as ReadableStream<Uint8Array>) {
      length += chunk.length;
      if (length > maxRequestBytes) throw new AppError("too-large", `A request has at most ${maxRequestBytes} bytes.`);
      chunks.push(chunk);
    }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
