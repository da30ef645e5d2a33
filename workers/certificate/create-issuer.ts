import type { Issuer } from "./issuer.ts";
import { localIssuer } from "./local-issuer.ts";
import { missingCaRemedy, type Config, type Secrets } from "../config.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";

/** The issuer of the settings. Throws `issuer-unavailable`, with the remedy, when the operator has not set it up. */
export function createIssuer(config: Config, secrets: Secrets, clock: Clock): Issuer {
  switch (config.issuer) {
    case "local":
      if (!secrets.localCa) throw new AppError("issuer-unavailable", missingCaRemedy);
      return localIssuer(secrets.localCa, clock);
  }
}
