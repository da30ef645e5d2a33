import type { Registration } from "../../shared/registry/messages.ts";

/** The alias, or the 52-character name, at the port of the relays. */
export function publicUrlOf(registration: Registration | undefined): string | null {
  const hostname = registration?.hostnames[0];
  if (hostname === undefined) return null;
  const port = registration?.relays[0]?.port ?? 443;
  return `https://${hostname}${port === 443 ? "" : `:${port}`}`;
}
