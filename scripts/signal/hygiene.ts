/** What a running signal-cli-rest-api shows of how it keeps secrets. What it does not show is in deploy/signal/compose.yaml. */
import { z } from "zod";
import { readBytes } from "../../shared/bytes.ts";

/** Undefined: it does not tell. */
export interface ServerFacts {
  readonly mode: string | undefined;
  readonly version: string | undefined;
  readonly logLevel: string | undefined;
  readonly trust: string | undefined;
  readonly accounts: readonly string[] | undefined;
}

export interface Finding {
  readonly isGrave: boolean;
  readonly words: string;
}

export function judgeServer({ mode, logLevel, trust, accounts }: ServerFacts): Finding[] {
  const grave = (words: string): Finding => ({ isGrave: true, words });
  const slight = (words: string): Finding => ({ isGrave: false, words });
  return [
    ...(mode === undefined ? [grave("What answers there is no signal-cli-rest-api.")] : []),
    ...(mode !== undefined && !mode.startsWith("json-rpc")
      ? [grave(`MODE is ${mode}: there is no webhook then, and each call starts a program anew. Set MODE=json-rpc.`)]
      : []),
    ...(logLevel === "debug" || logLevel === "trace"
      ? [
          grave(
            `LOG_LEVEL is ${logLevel}: it writes every message into its log. Set LOG_LEVEL=warn and remove the log.`,
          ),
        ]
      : []),
    ...(trust === "always"
      ? [grave("New keys of people are always trusted: whoever takes over a number is believed. Set on-first-use.")]
      : []),
    ...(trust === "never"
      ? [slight("New keys of people are never trusted: nobody gets an answer before you trust them by hand.")]
      : []),
    ...(accounts?.length === 0
      ? [slight("It has no account yet: postern signal link, or postern signal register.")]
      : []),
    ...(accounts && accounts.length > 1
      ? [slight("It has several accounts: say which is the bot's (--account).")]
      : []),
  ];
}

const timeoutMs = 10_000;
const maxBytes = 1024 * 1024;
const aboutSchema = z.object({ mode: z.string(), version: z.string().optional() });
const configurationSchema = z.object({ logging: z.object({ Level: z.string() }) });
const trustSchema = z.object({ trust_mode: z.string() });

/** Asks `api` for what it shows; a call that fails leaves its facts open. */
export async function readServerFacts(api: string, signal: AbortSignal): Promise<ServerFacts> {
  const ask = async <T>(path: string, form: z.ZodType<T>): Promise<T | undefined> => {
    try {
      const response = await fetch(api.replace(/\/+$/, "") + path, {
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      const bytes = await readBytes(response, maxBytes);
      return response.ok ? form.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data : undefined;
    } catch {
      return undefined;
    }
  };
  const about = await ask("/v1/about", aboutSchema);
  const accounts = await ask("/v1/accounts", z.array(z.string()));
  const configuration = await ask("/v1/configuration", configurationSchema);
  const [account] = accounts ?? [];
  const trust =
    account === undefined
      ? undefined
      : await ask(`/v1/configuration/${encodeURIComponent(account)}/settings`, trustSchema);
  return {
    mode: about?.mode,
    version: about?.version,
    logLevel: configuration?.logging.Level.toLowerCase(),
    trust: trust?.trust_mode,
    accounts,
  };
}
