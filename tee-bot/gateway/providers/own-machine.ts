import { isLoopbackUrl } from "../../../shared/loopback.ts";
import type { Location, Trust } from "./provider.ts";

/**
 * Whose machine a server of models is. On this one it is the user's own; elsewhere only if the user says so: an address
 * of a private network tells nothing about who else is in it.
 */
export function decidePlace(url: string, trust: "local" | "plain" | undefined): { location: Location; trust: Trust } {
  const decided = trust ?? (isLoopbackUrl(new URL(url)) ? "local" : "plain");
  return { trust: decided, location: decided === "local" || isLoopbackUrl(new URL(url)) ? "local" : "cloud" };
}
