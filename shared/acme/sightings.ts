import type { Sighting, Trouble } from "./ports.ts";
import { lengthInWords, listInWords } from "./words.ts";

export interface Visibility {
  /** The CA may be told: every resolver sees all, and so does every server of the zone that can be reached. */
  readonly visible: boolean;
  /** "1 of 2 resolvers see it". */
  readonly words: string;
  /** Servers that hold it up. */
  readonly behind: readonly Sighting[];
}

/** A resolver that is silent may be the CA's own path to the records; a zone's server may just be out of reach here. */
export function decideVisibility(sightings: readonly Sighting[]): Visibility {
  const resolvers = sightings.filter(({ kind }) => kind === "resolver");
  const seeing = resolvers.filter(({ sees }) => sees === "all");
  const behind = sightings.filter(({ kind, sees }) => (kind === "resolver" ? sees !== "all" : sees === "not-all"));
  const words =
    seeing.length === resolvers.length && behind.length > 0
      ? `the zone's own ${listInWords(behind.map(({ server }) => server))} ${behind.length > 1 ? "do" : "does"} not have it yet`
      : `${seeing.length} of ${resolvers.length} resolvers see it`;
  return { visible: resolvers.length > 0 && behind.length === 0, words, behind };
}

/** When they still do not agree after a long time. */
export function troubleOfVisibility({ behind, words }: Visibility, waitedMs: number): Trouble {
  if (behind.length === 0)
    return {
      detail: "No resolver is configured by which the challenge's TXT records could be looked at from outside.",
      remedy: "Set DOH to the URLs of two DNS-over-HTTPS resolvers.",
    };
  const silent = behind.filter(({ sees }) => sees === "unreachable").map(({ server }) => server);
  const blind = behind.filter(({ sees }) => sees === "not-all").map(({ server }) => server);
  const reasons = [
    ...(blind.length > 0 ? [`${listInWords(blind)} ${blind.length > 1 ? "do" : "does"} not see them`] : []),
    ...(silent.length > 0 ? [`${listInWords(silent)} ${silent.length > 1 ? "do" : "does"} not answer`] : []),
  ];
  return {
    detail: `The challenge's TXT records were written ${lengthInWords(waitedMs)} ago, but ${reasons.join(", and ")} (${words}).`,
    remedy:
      blind.length > 0
        ? "See that the zone is delegated to the name servers that are written to; a resolver that is wrong on its own can be taken out of DOH."
        : "See that the resolver can be reached from here, or name another in DOH.",
  };
}
