import type { Issuer } from "./issuer.ts";
import { localIssuer } from "./local-issuer.ts";
import { acmeIssuer } from "../acme/acme-issuer.ts";
import { missingCaRemedy } from "../config-checks.ts";
import type { Config, Secrets } from "../config.ts";
import type { Env } from "../env.ts";
import type { Parts } from "../parts.ts";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

export interface IssuerParts extends Parts {
  readonly env: Env;
  readonly config: Config;
  readonly secrets: Secrets;
  readonly log: Log;
}

/** The issuer of the settings. Throws `issuer-unavailable`, with the remedy, when the operator has not set it up. */
export function createIssuer(parts: IssuerParts): Issuer {
  const { config, secrets, clock } = parts;
  switch (config.issuer) {
    case "local":
      if (!secrets.localCa) throw new AppError("issuer-unavailable", missingCaRemedy);
      return localIssuer(secrets.localCa, clock);
    case "acme":
      return acmeIssuer(parts, config.acme.directories);
  }
}

/** Where renewals are rehearsed: a CA whose certificates are of no use. Undefined when nothing is to be rehearsed. */
export function createRehearsalIssuer(parts: IssuerParts): Issuer | undefined {
  const { staging } = parts.config.acme;
  return staging && acmeIssuer(parts, [staging]);
}
