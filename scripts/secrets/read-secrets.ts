import { parseEnv } from "node:util";
import { AppError } from "../../shared/errors.ts";
import type { EnvSecret } from "./encrypt-env.ts";

export const maxSecretsBytes = 1024 * 1024;

/**
 * Secrets as a `.env` file has them. `allowed`: the names that the compose text lets in, of which dstack drops all others
 * without a word. Throws {@link AppError}, which never tells a value.
 */
export function readSecrets(text: string, allowed: readonly string[] | undefined): EnvSecret[] {
  const secrets = Object.entries(parseEnv(text)).map(([key, value]) => ({ key, value: value ?? "" }));
  if (secrets.length === 0) throw new AppError("bad-request", "There are no secrets: give lines such as NAME=value.");
  const odd = secrets.findIndex(({ key }) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(key));
  if (odd >= 0) throw new AppError("bad-request", `The name of secret ${odd + 1} is none that a program can have.`);
  const strange = secrets.map(({ key }) => key).filter((key) => allowed && !allowed.includes(key));
  if (strange.length > 0)
    throw new AppError("bad-request", `The compose text does not let in ${strange.join(", ")}: see its allowed_envs.`);
  return secrets;
}
