import { isMap, isScalar, YAMLMap, type Document, type Pair } from "yaml";

/**
 * Version 0 has the node's settings at the top, named as the flags of `postern start`:
 *
 *     edge: https://edge.example.com         version: 1
 *     acme-account: node                 →   node:
 *     gateway-port: 8080                       edge: https://edge.example.com
 *     gateway: …                               acmeAccount: node
 *                                              ports: { gateway: 8080 }
 *                                            gateway: …
 */
export function nodeSection(document: Document): void {
  const root = document.contents;
  if (!isMap(root)) return;
  for (const [flag, ...path] of moved) {
    const index = root.items.findIndex(({ key }) => isScalar(key) && key.value === flag);
    const [pair] = index < 0 || document.hasIn(["node", ...path]) ? [] : root.items.splice(index, 1);
    if (pair) place(document, pair, path, tableIn(document, root, "node", index));
  }
}

const moved = [
  ["edge", "edge"],
  ["alias", "alias"],
  ["expose", "expose"],
  ["acme-account", "acmeAccount"],
  ["tunnel", "tunnel"],
  ["gateway-port", "ports", "gateway"],
  ["control-port", "ports", "control"],
  ["log-level", "logLevel"],
] as const;

/** Puts the pair there with its comments; only its name changes. */
function place(document: Document, pair: Pair, [first = "", second]: readonly string[], node: YAMLMap): void {
  const table = second === undefined ? node : tableIn(document, node, first, node.items.length);
  if (isScalar(pair.key)) {
    pair.key.value = second ?? first;
    if (table.items.length === 0) pair.key.spaceBefore = false;
  }
  table.items.push(pair);
}

/** The table of that name; a new one stands at `index`. */
function tableIn(document: Document, parent: YAMLMap, name: string, index: number): YAMLMap {
  const there: unknown = parent.get(name);
  if (isMap(there)) return there;
  const table = new YAMLMap(document.schema);
  if (parent.has(name)) parent.set(name, table);
  else parent.items.splice(index, 0, document.createPair(name, table));
  return table;
}
