import { AppError } from "../../shared/errors.ts";
import { maxKeptHeaderBytes } from "./limits.ts";

/** What says of a webhook what it is and who has signed it; no cookies, no credentials, nothing of the way it came. */
const kept =
  /^(content-type|user-agent|(webhook|svix|stripe|x-(github|gitlab|gitea|hub|slack|shopify|twilio))-[\w-]+)$/;

/** The headers that a node gets to see, by lower-case name. Throws `too-large`. */
export function keptHeaders(headers: Headers): Record<string, string> {
  const found = [...headers].filter(([name]) => kept.test(name));
  const bytes = found.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes > maxKeptHeaderBytes)
    throw new AppError("too-large", `The headers that are kept have at most ${maxKeptHeaderBytes} bytes.`);
  return Object.fromEntries(found);
}
