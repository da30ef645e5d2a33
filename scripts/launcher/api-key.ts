/** The API key of `npm start` for the public name: made at the first start, shown again at each later one. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";

export interface ApiKeyOptions {
  /** The control file of the node. */
  control: string;
  /** Where the key is kept between starts, mode 0600: the node itself knows its hash only. */
  path: string;
  signal: AbortSignal;
}

const keyName = "npm-start";
const timeoutMs = 10_000;

const controlSchema = z.object({ url: z.url(), token: z.string() });
const keySchema = z.object({ id: z.string(), name: z.string(), state: z.string() });
const listSchema = z.object({ keys: z.array(keySchema) });
const madeSchema = z.object({ key: keySchema, text: z.string() });
const keptSchema = z.object({ id: z.string(), text: z.string() });

/** Makes another key when the one that is kept has expired or was revoked, or the node does not know it any more. */
export async function readOrCreateApiKey({ control, path, signal }: ApiKeyOptions): Promise<string> {
  const { url, token } = controlSchema.parse(JSON.parse(readFileSync(control, "utf8")));
  const ask = async <T>(method: string, resource: string, form: z.ZodType<T>, body?: object): Promise<T> => {
    const response = await fetch(new URL(resource, url), {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!response.ok) throw new Error(`The node answered ${response.status} to ${method} ${resource}.`);
    return form.parse(await response.json());
  };

  const { keys } = await ask("GET", "/v1/keys", listSchema);
  const active = keys.filter(({ state }) => state === "active");
  const kept = readKept(path);
  if (kept && active.some(({ id }) => id === kept.id)) return kept.text;
  const orphan = active.find(({ name }) => name === keyName);
  if (orphan) await ask("DELETE", `/v1/keys/${orphan.id}`, keySchema); // nobody has its text any more
  const { key, text } = await ask("POST", "/v1/keys", madeSchema, { name: keyName });
  writeFileAtomic(path, JSON.stringify({ id: key.id, text }), 0o600);
  return text;
}

function readKept(path: string): z.infer<typeof keptSchema> | undefined {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
