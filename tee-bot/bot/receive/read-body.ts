import { AppError } from "../../../shared/errors.ts";
import type { HttpRequest } from "../../server/terminator.ts";

/** The whole body. Throws `too-large` for a longer one, `bad-request` for one that does not come, or not whole. */
export function readBody(request: HttpRequest, limits: { maxBytes: number; withinMs: number }): Promise<Buffer> {
  const { maxBytes, withinMs } = limits;
  const tooLarge = new AppError("too-large", `A webhook has at most ${maxBytes} bytes.`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Promise.reject(tooLarge);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (error?: AppError): void => {
      clearTimeout(deadline);
      request.off("data", onData);
      if (error) reject(error);
      else resolve(Buffer.concat(chunks));
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > maxBytes) return end(tooLarge);
      chunks.push(chunk);
    };
    const deadline = setTimeout(
      () => end(new AppError("bad-request", `The body did not come within ${withinMs / 1_000} s.`)),
      withinMs,
    );
    const cut = (): void => end(new AppError("bad-request", "The body was cut."));
    request
      .on("data", onData)
      .once("end", () => end())
      .once("error", cut)
      .once("close", cut);
  });
}
