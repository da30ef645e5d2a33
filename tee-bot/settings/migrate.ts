import { isMap, isScalar, type Document, type Scalar } from "yaml";
import { migrations } from "./migrations/migrations.ts";
import { settingsVersion } from "./schema.ts";

/**
 * Brings the document to the present version, keeping its comments, and returns which one it had. A document without
 * `version` is of version 0; one that is empty is of the present one. What is no version is left to the schema.
 */
export function migrate(document: Document): number {
  const version = versionOf(document);
  if (version >= settingsVersion) return version;
  const head = takeHead(document);
  for (const migration of migrations.slice(version, settingsVersion)) migration(document);
  setVersion(document, head);
  return version;
}

/** Of a document as it was read. */
function versionOf({ contents }: Document): number {
  if (!isMap(contents) || contents.items.length === 0) return settingsVersion;
  const version: unknown = contents.get("version") ?? 0;
  return Number.isInteger(version) && (version as number) >= 0 ? (version as number) : settingsVersion;
}

/** It is the first line, below the comment at the head of the file. */
function setVersion(document: Document, head: string | null): void {
  const { contents } = document;
  if (!isMap(contents)) return;
  contents.delete("version");
  const pair = document.createPair<Scalar, Scalar>("version", settingsVersion);
  pair.key.commentBefore = head;
  contents.items.unshift(pair);
}

/** The parser has it belong to the first name, which may move away. Up to a blank line, if there is one. */
function takeHead({ contents }: Document): string | null {
  const key = isMap(contents) ? contents.items[0]?.key : undefined;
  if (!isScalar(key) || !key.commentBefore) return null;
  const [head = "", ...rest] = key.commentBefore.split("\n\n");
  key.commentBefore = rest.length > 0 ? rest.join("\n\n") : null;
  return head;
}
