/** Where a setting stands below the top of the file: `["gateway", "providers", 1, "url"]`. */
export type SettingPath = readonly (string | number)[];

const plainName = /^[A-Za-z_][\w-]*$/;

/** As people write it: `gateway.providers[1].url`, `gateway.aliases["gpt-4.1"]`. */
export function formatPath(path: SettingPath): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!plainName.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}

/** Reads what {@link formatPath} writes; undefined when it is no path. */
export function parsePath(text: string): SettingPath | undefined {
  const step = /\.?([A-Za-z_][\w-]*)|\[(\d{1,6})\]|\[("(?:[^"\\]|\\.)*")\]/y;
  const path: (string | number)[] = [];
  while (step.lastIndex < text.length) {
    const found = step.exec(text);
    if (!found) return undefined;
    const [whole, name, index, quoted] = found;
    if (name !== undefined && whole.startsWith(".") === (path.length === 0)) return undefined;
    const read = name ?? (index === undefined ? unquote(quoted) : Number(index));
    if (read === undefined) return undefined;
    path.push(read);
  }
  return path.length === 0 ? undefined : path;
}

export function isSamePath(one: SettingPath, other: SettingPath): boolean {
  return one.length === other.length && one.every((step, index) => step === other[index]);
}

/** What stands there in plain data; undefined when nothing does. */
export function valueAt(data: unknown, path: SettingPath): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    data,
  );
}

function unquote(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as string);
  } catch {
    return undefined; // an escape that JSON does not know
  }
}
