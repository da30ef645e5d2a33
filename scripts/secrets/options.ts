import { parseArgs } from "node:util";
import { UsageError } from "../launcher/options.ts";

export interface SecretsOptions {
  /** Hex, 40 characters; undefined: that of the compose text. */
  readonly appId: string | undefined;
  /** Where the KMS is, or a file with its answer. */
  readonly key: { readonly kms: string } | { readonly file: string };
  /** Compressed secp256k1, hex in lower case. */
  readonly signers: readonly string[];
  readonly allowUndated: boolean;
  /** Undefined: standard input. */
  readonly env: string | undefined;
  readonly compose: string | undefined;
}

export const usage = `node scripts/encrypt-secrets.ts --kms URL --kms-signer HEX (--app-id HEX | --compose FILE) [options]

Encrypts secrets for one application of dstack, so that only its VM can read them, and prints them as hex: what dstack
calls encrypted_env. The KMS's key is used only when who is pinned has signed it for this application just now.

  --kms URL           the KMS, or a VMM that asks it; name a CA of its own in NODE_EXTRA_CA_CERTS
  --kms-key FILE      its answer to GetAppEnvEncryptPubKey instead, as JSON
  --kms-signer LIST   who may have signed the key: public keys (compressed secp256k1, hex), comma-separated
  --app-id HEX        the application, 40 hex characters
  --compose FILE      app-compose.json: names that it does not let in are refused, and its id is taken if none is given
  --env FILE          the secrets, lines of NAME=value (default: standard input); they are never taken as arguments
  --allow-undated     take a signature without a time, as older KMSs give: the key may be an old one
  --help              this text

Exit codes: 0 encrypted, 1 refused or failed, 2 the command is wrong.
`;

const flags = {
  kms: { type: "string" },
  "kms-key": { type: "string" },
  "kms-signer": { type: "string" },
  "app-id": { type: "string" },
  compose: { type: "string" },
  env: { type: "string" },
  "allow-undated": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** Undefined: only the usage was asked for. Throws {@link UsageError}. */
export function parseSecretsOptions(args: readonly string[]): SecretsOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const { kms, "kms-key": file, "app-id": appId, compose } = values;
  const signers = (values["kms-signer"] ?? "").split(",").map(plain).filter(Boolean);
  if ((kms === undefined) === (file === undefined)) throw new UsageError("Give --kms or --kms-key.");
  if (kms !== undefined && !/^https?:\/\//.test(kms)) throw new UsageError(`--kms ${kms} is no URL.`);
  if (signers.length === 0)
    throw new UsageError("Give --kms-signer: without it any key would be believed to be the KMS's.");
  const odd = signers.find((one) => !/^0[23][0-9a-f]{64}$/.test(one));
  if (odd !== undefined) throw new UsageError(`--kms-signer ${odd} is no compressed public key: 66 hex characters.`);
  if (appId === undefined && compose === undefined) throw new UsageError("Give --app-id or --compose.");
  if (appId !== undefined && !/^[0-9a-f]{40}$/.test(plain(appId)))
    throw new UsageError(`--app-id ${appId} is none: it has 40 hex characters.`);
  return {
    appId: appId === undefined ? undefined : plain(appId),
    key: kms === undefined ? { file: file ?? "" } : { kms },
    signers,
    allowUndated: values["allow-undated"],
    env: values.env,
    compose,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: flags, allowPositionals: false }).values;
  } catch (error) {
    // Of an argument that is not understood only its place is told: it may be a secret.
    const named = /'(--?[a-z-]+)/.exec(error instanceof Error ? error.message : "")?.[1];
    throw new UsageError(named === undefined ? "An argument is not understood." : `There is no ${named}.`);
  }
}

const plain = (hex: string): string => hex.trim().replace(/^0x/i, "").toLowerCase();
