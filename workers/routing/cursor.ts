/** A state of one hub as relays keep it: `<generation>.<version>`. The generation is lost with the hub's storage. */
export interface Cursor {
  readonly generation: string;
  readonly version: number;
}

export function formatCursor({ generation, version }: Cursor): string {
  return `${generation}.${version}`;
}

export function parseCursor(text: string): Cursor | undefined {
  const match = /^([0-9a-f]{16})\.(\d{1,15})$/.exec(text);
  return match ? { generation: match[1] ?? "", version: Number(match[2]) } : undefined;
}

/** What the hub still knows; changes up to `forgotten` are gone. */
export interface Horizon extends Cursor {
  readonly forgotten: number;
}

/** The version to continue after, or undefined when the relay needs a snapshot. */
export function decideResume(since: string | undefined, horizon: Horizon): number | undefined {
  const cursor = since === undefined ? undefined : parseCursor(since);
  if (cursor?.generation !== horizon.generation) return undefined;
  return cursor.version >= horizon.forgotten && cursor.version <= horizon.version ? cursor.version : undefined;
}
