import { isMap, parseDocument, type Document, type Node, type ToStringOptions } from "yaml";
import { AppError } from "../../shared/errors.ts";
import { migrate } from "./migrate.ts";
import { settingsVersion } from "./schema.ts";
import { formatPath, type SettingPath } from "./path.ts";

/** The text with one setting changed; comments and order stay. Throws {@link AppError} when there is no such place. */
export function setSetting(text: string, path: SettingPath, value: unknown): string {
  return edit(text, (document) => {
    if (!isMap(document.contents)) document.contents = document.createNode({ version: settingsVersion });
    migrate(document);
    makeTables(document, path);
    try {
      // A single value is put into the place of the old one, with its comment.
      document.setIn(path, typeof value === "object" ? document.createNode(value) : value);
    } catch (error) {
      throw new AppError("bad-request", `Nothing can be set at ${formatPath(path)}.`, { cause: error });
    }
  });
}

/** Names without a value, whose lines may all be commented out, become tables where the path goes on below them. */
function makeTables(document: Document, path: SettingPath): void {
  for (const end of path.keys()) {
    const above = path.slice(0, end);
    if (end > 0 && document.hasIn(above) && (document.getIn(above) ?? null) === null)
      document.setIn(above, document.createNode({}));
  }
}

/** The text in the present shape, and the version it had; the same text when it has that shape already. */
export function migrateText(text: string): { readonly text: string; readonly from: number } {
  let from = 0;
  const migrated = edit(text, (document) => void (from = migrate(document)));
  return { text: migrated, from };
}

function edit(text: string, change: (document: Document) => void): string {
  const document = parseDocument<Node, false>(text, {
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
    logLevel: "error",
  });
  change(document as unknown as Document);
  return document.toString({ lineWidth: 0, ...styleOf(text) });
}

/** How the text is laid out, so that lines which nobody changes stay as they are. */
function styleOf(text: string): ToStringOptions {
  const [, indent = ""] = /^( +)[^\s#-]/m.exec(text) ?? [];
  return {
    indent: indent.length >= 2 && indent.length <= 8 ? indent.length : 2,
    indentSeq: !/^( *)[^\s#-][^\n]*:[^\S\n]*\n\1- /m.test(text),
    flowCollectionPadding: /[[{] \S/.test(text),
  };
}
