import { join } from "node:path";
import type { Questions } from "./questions.ts";
import { mistakeOf, secretNames, type Given } from "./settings.ts";
import type { Wrangler } from "./wrangler-program.ts";
import { readOrCreateLocalCa } from "../local-ca.ts";

export interface LocalCaOptions {
  readonly caDirectory: string;
  readonly stored: ReadonlySet<string>;
  readonly note: (text: string) => void;
}

/** With ISSUER=local: the CA, made at the first run and kept; its root is for the clients. */
export async function withLocalCa(given: Given, { caDirectory, stored, note }: LocalCaOptions): Promise<Given> {
  const { ZONE, ISSUER, CA_CERTIFICATE, CA_KEY } = given;
  if (ISSUER !== "local" || ZONE === undefined || CA_CERTIFICATE !== undefined || CA_KEY !== undefined) return given;
  if (mistakeOf("ZONE", ZONE) !== undefined || (stored.has("CA_CERTIFICATE") && stored.has("CA_KEY"))) return given;
  const { certificatePem, keyPem, certificatePath } = await readOrCreateLocalCa(join(caDirectory, ZONE), ZONE);
  note(`Clients trust the CA by ${certificatePath}; the key beside it is nowhere else but in the Worker.`);
  return { ...given, CA_CERTIFICATE: certificatePem, CA_KEY: keyPem };
}

export interface PutSecretsOptions {
  readonly config: string;
  readonly wrangler: Wrangler;
  readonly questions: Questions;
  readonly stored: ReadonlySet<string>;
  /** Puts again what is there already, without a question. */
  readonly replace: boolean;
}

/** Puts the secrets that are given and not there yet. What became of each, as a line for the operator. */
export async function putSecrets(given: Given, options: PutSecretsOptions): Promise<string[]> {
  const { config, wrangler, questions, stored, replace } = options;
  const lines: string[] = [];
  for (const name of secretNames) {
    const value = given[name];
    if (value === undefined) {
      if (stored.has(name)) lines.push(`${name}: there already`);
      continue;
    }
    if (stored.has(name) && !replace && !(await questions.confirm(`${name} is there already. Replace it?`, false))) {
      lines.push(`${name}: there already, left as it is (--replace-secrets puts it again)`);
      continue;
    }
    await wrangler.putSecret(config, name, value);
    lines.push(`${name}: ${stored.has(name) ? "replaced" : "put"}`);
  }
  return lines;
}
