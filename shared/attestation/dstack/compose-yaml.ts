import { isScalar, parseDocument, visit } from "yaml";
import { rejected } from "../rejected.ts";

/** Real ones have a few kB; reading takes time with every character. */
export const maxComposeFileLength = 128 * 1024;
const maxAliases = 100;

/**
 * A Docker Compose file as Docker Compose reads it: merge keys (`<<`) merged, and no key twice, of which two readers might
 * take different ones. Throws `evidence-rejected` for anything else.
 */
export function parseComposeYaml(text: string): unknown {
  if (text.length > maxComposeFileLength)
    throw rejected(`The Docker Compose file has more than ${maxComposeFileLength} characters.`);
  try {
    // The library's own look for keys that come twice takes the square of their number.
    const document = parseDocument(text, { uniqueKeys: false, merge: true, logLevel: "silent" });
    let isUnique = true;
    visit(document, {
      Map(_, { items }) {
        isUnique &&= new Set(items.map(({ key }) => (isScalar(key) ? key.value : key))).size === items.length;
      },
    });
    if (document.errors.length === 0 && isUnique) return document.toJS({ maxAliasCount: maxAliases });
  } catch {
    // deeper than the stack, or more aliases than there may be: said below
  }
  throw rejected("The Docker Compose file is not YAML that has one meaning.");
}
