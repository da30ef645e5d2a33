import { closeSync, openSync, readSync } from "node:fs";
import { errorText } from "../../../shared/errors.ts";
import { ProviderError } from "./provider.ts";

export interface SecretSource {
  keyEnv?: string | undefined;
  keyFile?: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const maxKeyBytes = 8 * 1024;

/** The key of a provider; undefined: none was asked for. Throws {@link ProviderError} when it is not where it should be. */
export function readSecret({ keyEnv, keyFile }: SecretSource, env: Environment): string | undefined {
  if (keyFile !== undefined) return checked(readStart(keyFile), `the file ${keyFile} (keyFile)`);
  if (keyEnv === undefined) return undefined;
  return checked(env[keyEnv] ?? "", `the environment variable ${keyEnv} (keyEnv)`);
}

function checked(content: string, place: string): string {
  const key = content.trim();
  if (key === "") throw new ProviderError("broken", `There is no key in ${place}.`);
  if (key.length > maxKeyBytes || !/^[\x21-\x7e]+$/.test(key))
    throw new ProviderError("broken", `What is in ${place} is no key: one line without spaces is expected.`);
  return key;
}

function readStart(path: string): string {
  try {
    const fd = openSync(path, "r");
    try {
      const start = Buffer.alloc(maxKeyBytes + 2);
      return start.toString("utf8", 0, readSync(fd, start));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new ProviderError("broken", `The file of its key (keyFile) cannot be read: ${errorText(error)}`);
  }
}
