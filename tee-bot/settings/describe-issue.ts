import type { z } from "zod";
import type { Mistake } from "./mistake.ts";
import { nearName } from "./near-name.ts";
import { namesAt } from "./outline.ts";
import { valueAt, type SettingPath } from "./path.ts";

type Issue = z.core.$ZodIssue;

/** Which names may stand in the table at a path. */
type NamesAt = (path: SettingPath, data: unknown) => string[];

/** What the schema found wrong in `data`, in words. `names` is for a schema other than that of the settings. */
export function describeIssue(issue: Issue, data: unknown, names: NamesAt = namesAt): Mistake[] {
  return describeBelow([], issue, data, names);
}

function describeBelow(base: SettingPath, issue: Issue, data: unknown, names: NamesAt): Mistake[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((name) => ({
      path: [...path, name],
      text: unknownName(name, names(path, data)),
      atName: true,
    }));
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // Of the forms the one that the value has by its type, where there is one.
    const meant = issue.errors.filter(
      (errors) => !errors.some((one) => one.code === "invalid_type" && one.path.length === 0),
    );
    if (meant.length === 1) return (meant[0] ?? []).flatMap((one) => describeBelow(path, one, data, names));
    return [{ path, text: `not of a form that can stand here · give ${formsOf(issue.errors)}` }];
  }
  if (issue.code === "invalid_key")
    return issue.issues.map((one) => ({ path, text: `not a good name · ${wordsOf(one, path)}`, atName: true }));
  return [{ path, text: wordsOf(issue, valueAt(data, path)) }];
}

function unknownName(name: string, names: readonly string[]): string {
  if (names.includes("keyFile") && /key|token|secret|password/i.test(name))
    return "no key stands in this file · name the variable that holds it with keyEnv, or a file with keyFile";
  const near = nearName(name, names);
  return `there is no such setting · ${near === undefined ? `give ${listed(names)}` : `did you mean ${near}?`}`;
}

function wordsOf(issue: Issue, value: unknown): string {
  if (value === null) return "it has no value · give one, or take the line away";
  switch (issue.code) {
    case "invalid_type":
      if (value === undefined) return `it is missing · give ${kindInWords(issue.expected)}`;
      return `${kindOf(value)} cannot stand here · give ${kindInWords(issue.expected)}`;
    case "invalid_value":
      return `${value === undefined ? "it is missing" : "not a value it can have"} · give ${listed(issue.values)}`;
    case "invalid_union":
      return `${value === undefined ? "it is missing" : "not a value it can have"} · give ${listed("options" in issue ? (issue.options ?? []) : [])}`;
    case "too_small":
      return `too ${sizeWord(issue.origin, "small")} · give ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `too ${sizeWord(issue.origin, "large")} · give at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "invalid_format":
      if (issue.format === "url" && issue.message === "Invalid URL")
        return "not a URL · give one such as https://api.example.com/v1";
      return `not of the right form · ${issue.message}`;
    case "custom":
    case "invalid_element":
    case "invalid_key":
    case "not_multiple_of":
    case "unrecognized_keys":
      return issue.message;
  }
}

function sizeWord(origin: string, word: "small" | "large"): string {
  if (origin === "number" || origin === "int") return word;
  return word === "small" ? "short" : "long";
}

function unitOf(origin: string): string {
  if (origin === "string") return " character(s)";
  return origin === "array" ? " of them" : "";
}

function formsOf(branches: readonly Issue[][]): string {
  const forms = branches.flatMap((errors) =>
    errors.flatMap((one) => (one.code === "invalid_type" && one.path.length === 0 ? [kindInWords(one.expected)] : [])),
  );
  return forms.join(" or ");
}

const kindWords: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a table",
  record: "a table",
  array: "a list",
};

function kindInWords(expected: string): string {
  return kindWords[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (typeof value === "boolean") return "true or false";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : "a number with a fraction";
  return typeof value === "string" ? "text" : "a table";
}

function listed(names: readonly unknown[]): string {
  return names.length === 1 ? String(names[0]) : `one of ${names.join(", ")}`;
}
