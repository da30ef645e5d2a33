import { Sensitive } from "../../../../shared/sensitive.ts";

/** With what is sensitive laid open, to be compared. */
export function revealed(value: unknown): unknown {
  if (value instanceof Sensitive) return { revealed: revealed(value.reveal()) };
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, revealed(held)]));
}
