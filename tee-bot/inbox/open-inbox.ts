/** The node's inbox with the hooks of its settings. */
import { readFileSync, statSync } from "node:fs";
import { forwardTo } from "./forward.ts";
import { Inbox, type InboxOptions } from "./inbox.ts";
import type { HookSettings } from "./settings.ts";
import type { NodeKeys } from "../attestation/keys/node-keys.ts";
import type { NodeConfig } from "../config.ts";
import type { Registrar } from "../registration/registrar.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { parseWebhookSecret } from "../../shared/inbox/webhook-signature.ts";

export type { Inbox } from "./inbox.ts";

export interface OpenInboxOptions extends Pick<InboxOptions, "edge" | "clock" | "log" | "random"> {
  readonly config: Pick<NodeConfig, "inbox" | "files">;
  readonly keys: Pick<NodeKeys, "identity" | "inbox">;
  readonly registrar: () => Pick<Registrar, "fresh" | "current">;
  /** Where secrets are; undefined: the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof globalThis.fetch;
}

const maxSecretFileBytes = 1_024;

/** A hook whose secret is missing is not taken: without it anybody could send. */
export function openInbox({ config, keys, registrar, env = process.env, fetch, ...common }: OpenInboxOptions): Inbox {
  const epoch = (): number | undefined => (registrar().fresh ? registrar().current?.epoch : undefined);
  const inbox = new Inbox({ ...common, node: keys.identity.id, key: keys.inbox, path: config.files.inbox, epoch });
  for (const [hook, one] of Object.entries(config.inbox.hooks)) {
    try {
      inbox.take(hook, forwardTo(one.forward, { fetch }), { secret: readHookSecret(one, env), maxBytes: one.maxBytes });
    } catch (error) {
      common.log.error("hook.unusable", { hook, error: errorText(error) });
    }
  }
  return inbox;
}

/** Throws {@link AppError} when it is not where it should be. */
export function readHookSecret(
  { secretEnv, secretFile }: HookSettings,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (secretFile === undefined && secretEnv === undefined) return undefined;
  const place = secretFile === undefined ? `the variable ${secretEnv}` : `the file ${secretFile}`;
  const text = secretFile === undefined ? env[secretEnv ?? ""] : readSmall(secretFile);
  const secret = text?.trim() ?? "";
  if (parseWebhookSecret(secret)) return secret;
  throw new AppError("bad-request", `In ${place} is no secret of the form whsec_<base64 of 24 to 64 bytes>.`);
}

function readSmall(path: string): string | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? Infinity;
  return size <= maxSecretFileBytes ? readFileSync(path, "utf8") : undefined;
}
