/**
 * The simulator's web page: the files of `browser/`, with nothing from elsewhere. The types of its scripts are stripped as
 * they are served. It plays a telephone through the people API, of the same origin.
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";

export interface PageFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const types = { html: "text/html", css: "text/css", ts: "text/javascript" } as const;
/** Below this folder, as they are asked for below `/page/`. */
const names = [
  "browser/chat.html",
  "browser/chat.css",
  "browser/chat.ts",
  "browser/bubble.ts",
  "browser/composer.ts",
  "browser/conversation.ts",
  "styled-runs.ts",
];

/** What a person has written is on this page: no script, style or frame of somebody else comes near it. */
const headers = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** What is at the target of a GET: the page at `/`, its parts below `/page/`; undefined for everything else. */
export function findPageFile(target: string): PageFile | undefined {
  const [path] = target.split("?", 1);
  const name = path === "/" ? names[0] : names.find((one) => path === `/page/${one}`);
  if (name === undefined) return undefined;
  const text = readFileSync(join(import.meta.dirname, name), "utf8");
  const kind = name.slice(name.lastIndexOf(".") + 1) as keyof typeof types;
  return {
    headers: { ...headers, "content-type": `${types[kind]}; charset=utf-8` },
    body: kind === "ts" ? stripTypeScriptTypes(text) : text,
  };
}
