/** Which model answers in a chat, and which one is meant by what a person writes: rules only. */
import type { PrivacyRule } from "../../gateway/routing/route.ts";
import { nearName } from "../../settings/near-name.ts";
import type { OfferedModel } from "../model/model.ts";
import { decideModel } from "../model/read-models.ts";

/** Those that the privacy rule lets answer, in the gateway's order. */
export function allowedModels(offered: readonly OfferedModel[], rule: PrivacyRule): OfferedModel[] {
  return offered.filter(
    ({ trust, attestation }) =>
      rule === "any" ||
      trust === "local" ||
      (rule === "local-or-attested" && trust === "attested") ||
      (rule === "local-or-verified" && attestation === "verified"),
  );
}

/** `wanted`: chosen in the chat, else by the settings; undefined: whatever there is. */
export function decideCurrent(
  wanted: string | undefined,
  allowed: readonly OfferedModel[],
): { readonly id: string; readonly offered: OfferedModel | undefined } | undefined {
  const found = wanted === undefined ? decideModel(allowed) : allowed.find((one) => isNamed(one, wanted));
  if (found) return { id: found.id, offered: found };
  return wanted === undefined ? undefined : { id: wanted, offered: undefined };
}

export type Choice =
  | { readonly kind: "model"; readonly model: OfferedModel }
  | { readonly kind: "none"; readonly near: string | undefined };

/** By its number in the list, from 1 on, or by any of its names. */
export function decideChoice(written: string, allowed: readonly OfferedModel[]): Choice {
  const model = /^\d{1,4}$/.test(written)
    ? allowed[Number(written) - 1]
    : (allowed.find((one) => isNamed(one, written)) ?? onlyOne(written, allowed));
  if (model) return { kind: "model", model };
  const names = allowed.flatMap(({ id, synonyms }) => [id, ...synonyms]);
  return { kind: "none", near: nearName(written, names) };
}

/** A part of a name is enough where it is a part of one alone. */
function onlyOne(written: string, allowed: readonly OfferedModel[]): OfferedModel | undefined {
  const part = written.toLowerCase();
  const found = allowed.filter(({ id }) => id.toLowerCase().includes(part));
  return part.length >= minPartLength && found.length === 1 ? found[0] : undefined;
}

const minPartLength = 3;

function isNamed({ id, synonyms }: OfferedModel, name: string): boolean {
  return [id, ...synonyms].some((one) => one.toLowerCase() === name.toLowerCase());
}
