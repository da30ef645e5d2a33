/** The edge's settings as the operator gives them, judged by the edge's own rules before anything is deployed. */
import { directoryOf, needsExternalAccount } from "../../workers/acme/directories.ts";
import { decideContradictions } from "../../workers/config-checks.ts";
import { varsSchema } from "../../workers/config-schema.ts";
import { parseSettings } from "../../shared/settings.ts";

/** Settings by variable name, secrets among them; what is empty is absent. */
export type Given = Readonly<Record<string, string>>;

export const secretNames: readonly string[] = [
  "CLOUDFLARE_API_TOKEN",
  ...["", "_2", "_3", "_4"].flatMap((nth) => [`ACME_EAB_KID${nth}`, `ACME_EAB_HMAC_KEY${nth}`]),
  "CA_CERTIFICATE",
  "CA_KEY",
];

const names = Object.keys(varsSchema.shape);

/** What the earlier source says goes before the later: flags, environment, the file of last time. */
export function collectSettings(...sources: readonly object[]): Given {
  const collected: Record<string, string> = {};
  for (const source of sources)
    for (const name of names) {
      const value: unknown = (source as Record<string, unknown>)[name];
      if (typeof value === "string" && value.trim() !== "") collected[name] ??= value.trim();
    }
  return collected;
}

/** What is wrong with one value, without its name; undefined when nothing is. */
export function mistakeOf(name: string, value: string): string | undefined {
  const parsed = varsSchema.shape[name as keyof typeof varsSchema.shape].safeParse(value);
  return parsed.success ? undefined : [...new Set(parsed.error.issues.map(({ message }) => message))].join("; ");
}

/** Every mistake, by variable name. `stored`: secrets that the Worker has already. */
export function decideMistakes(given: Given, stored: ReadonlySet<string>): string[] {
  const parsed = parseSettings(varsSchema, given);
  const present = { ...given, ...Object.fromEntries([...stored].map((name) => [name, "stored"])) };
  return [
    ...(parsed.ok ? [] : parsed.mistakes),
    ...decideContradictions(present),
    ...missingExternalAccounts(given, (name) => name in present),
  ];
}

/** `ACME_EAB_KID` and `ACME_EAB_HMAC_KEY` of directories that register nobody without them, as far as they are absent. */
export function externalAccountNames({
  ISSUER,
  ACME_DIRECTORY = "letsencrypt",
}: Given): [directory: string, names: string[]][] {
  if (ISSUER !== "acme") return [];
  const directories = ACME_DIRECTORY.split(/[\s,]+/).filter(
    (text) => text !== "" && mistakeOf("ACME_DIRECTORY", text) === undefined,
  );
  return directories.flatMap((text, at): [string, string[]][] => {
    const nth = at === 0 ? "" : `_${at + 1}`;
    const directory = directoryOf(text);
    return needsExternalAccount(directory) ? [[directory.name, [`ACME_EAB_KID${nth}`, `ACME_EAB_HMAC_KEY${nth}`]]] : [];
  });
}

function missingExternalAccounts(given: Given, has: (name: string) => boolean): string[] {
  return externalAccountNames(given).flatMap(([directory, pair]) =>
    // One without the other is a contradiction already.
    pair.some(has) ? [] : pair.map((name) => `${name}: is missing; ${directory} registers no account without it`),
  );
}
