/** The `.env` of a compose file: `NAME=value` lines, which are changed in place; whatever else is in it stays. */

export type Given = Readonly<Record<string, string>>;

const line = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$/;

/** Comments, quotes of either kind around a whole value. What a value may hold besides is not looked at. */
export function parseEnv(text: string): Given {
  const found: Record<string, string> = {};
  for (const one of text.split("\n")) {
    const [, name, value = ""] = line.exec(one) ?? [];
    if (name !== undefined) found[name] = /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
  }
  return found;
}

/** The text with these values; names that it did not have come at its end. */
export function changeEnv(text: string, changes: Given): string {
  const left = new Map(Object.entries(changes));
  const lines = text.split("\n").map((one) => {
    const name = line.exec(one)?.[1];
    const value = name === undefined ? undefined : left.get(name);
    if (name === undefined || value === undefined) return one;
    left.delete(name);
    return `${name}=${quote(value)}`;
  });
  while (lines.at(-1) === "") lines.pop();
  return [...lines, ...[...left].map(([name, value]) => `${name}=${quote(value)}`), ""].join("\n");
}

/** Compose would read `$` as the beginning of a variable, and a blank or `#` as the end. */
function quote(value: string): string {
  return /[\s#$"\\]/.test(value) ? `'${value}'` : value;
}
