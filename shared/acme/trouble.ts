/** A CA's failures as a person should read them: what happened and why, and what to do. */
import type { CaFailure } from "./ca.ts";
import type { Trouble } from "./ports.ts";
import { caName } from "./words.ts";

/** By the error types of RFC 8555 §6.7. */
const remedies: Readonly<Record<string, string>> = {
  accountDoesNotExist: "Nothing to do: the account is registered again.",
  badCSR: "Let the node make a new key: stop it, delete tls.key in its state directory, and start it.",
  badPublicKey: "Let the node make a new key: stop it, delete tls.key in its state directory, and start it.",
  caa: "Look at the CAA records of the name and of the names above it: they have to allow this CA. Postern writes such records; others, such as those of Cloudflare's Universal SSL, have to go.",
  connection: "See that the name leads to a relay, and that the node holds a tunnel to it.",
  dns: "See that the zone is delegated to its name servers and that they answer from outside.",
  externalAccountRequired: "Set ACME_EAB_KID and ACME_EAB_HMAC_KEY to what the CA gives its customers.",
  incorrectResponse:
    "Look at the TXT records at _acme-challenge before the name: something else may be writing them too.",
  invalidContact: "Set ACME_CONTACT to a mail address that the CA accepts, or leave it out.",
  orderNotReady: "Nothing to do: it is ordered again.",
  rateLimited:
    "Nothing to do: it goes on when the CA allows it. Another CA in ACME_DIRECTORY would take what this one cannot.",
  rejectedIdentifier: "The CA does not issue for this name: use another zone, or another CA in ACME_DIRECTORY.",
  tls: "See that the node answers on its name: postern status says so.",
  unauthorized:
    "Look at the TXT records at _acme-challenge before the name: the CA sees none, or others than were written.",
  unsupportedContact: "Set ACME_CONTACT to a mail address that the CA accepts, or leave it out.",
  unsupportedIdentifier: "The CA does not issue for such names: use another CA in ACME_DIRECTORY.",
  userActionRequired: "Do what the CA asks for, usually to agree to its new terms, then order again.",
};

const remedyOfOthers = "If the CA's message names nothing that can be changed here, use another CA in ACME_DIRECTORY.";

export function troubleOf(failure: CaFailure, directory: string): Trouble {
  const name = caName(directory);
  const { kind, type, detail } = failure;
  const remedy = (type !== undefined && remedies[type]) || undefined;
  switch (kind) {
    case "unavailable":
      return { detail: `${name} does not answer as it should: ${detail}`, remedy: remedyOfUnavailable };
    case "rate-limited":
      return {
        detail: `${name} limits what it is asked: ${detail}`,
        remedy: remedies["rateLimited"] ?? remedyOfOthers,
      };
    case "account":
      return { detail: `${name} does not accept the account: ${detail}`, remedy: remedy ?? remedyOfOthers };
    case "gone":
      return {
        detail: `${name} does not know the order any more: ${detail}`,
        remedy: "Nothing to do: it is ordered again.",
      };
    case "refused":
      return { detail: `${name} refused: ${detail}`, remedy: remedy ?? remedyOfOthers };
  }
}

const remedyOfUnavailable =
  "Nothing to do: it is tried again. If it lasts, see the CA's status page, and whether this machine can reach it.";
