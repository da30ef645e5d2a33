/** One GET over TLS that trusts a given CA, since Node's fetch takes none. */
import { get } from "node:https";

const timeoutMs = 5_000;

export function getOverTls(url: string, ca: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, agent: false, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.once("error", reject);
    });
    request.once("timeout", () => request.destroy(new Error(`No answer from ${url}.`)));
    request.once("error", reject);
  });
}
