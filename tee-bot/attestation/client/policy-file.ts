/** A file that pins what a verifier insists on: YAML, of which JSON is a part, of the form of `policySchema`. */
import { z } from "zod";
import { policySchema, type Policy } from "../../../shared/attestation/policy.ts";
import { describeIssue } from "../../settings/describe-issue.ts";
import { namesAt } from "../../settings/outline.ts";
import { formatPath } from "../../settings/path.ts";
import { parseYaml } from "../../settings/yaml-text.ts";

export type ReadPolicy =
  | { readonly ok: true; readonly policy: Policy }
  /** One line for each, with its place. */
  | { readonly ok: false; readonly mistakes: string[] };

const shape = z.toJSONSchema(policySchema, { io: "input", reused: "inline" });

/** `name` is how mistakes call the file. */
export function readPolicy(name: string, text: string): ReadPolicy {
  const parsed = parseYaml(text);
  if (!parsed.ok)
    return { ok: false, mistakes: parsed.mistakes.map((one) => `${name}:${one.line}:${one.column} ${one.text}`) };
  const { yaml } = parsed;
  const read = policySchema.safeParse(yaml.data);
  if (read.success) return { ok: true, policy: read.data };
  const mistakes = read.error.issues
    .flatMap((issue) => describeIssue(issue, yaml.data, (path, value) => namesAt(path, value, shape)))
    .map(({ path, text: words, atName }) => ({ position: yaml.locate(path, atName), path, words }))
    .toSorted((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
  return {
    ok: false,
    mistakes: mistakes.map(({ position, path, words }) => {
      const setting = path.length > 0 ? `${formatPath(path)}: ` : "";
      return `${name}:${position.line}:${position.column} ${setting}${words}`;
    }),
  };
}
