import type { Place } from "../../shared/registry/messages.ts";

/** Relays within the same band are about equally near: about 5 ms there and back. */
const bandKm = 500;
const earthRadiusKm = 6371;

/** Without a place of its own the node may be anywhere; a relay without one is the last resort. */
export function distanceBand(from: Place | undefined, to: Place | undefined): number {
  if (!from) return 0;
  return to ? Math.floor(distanceKm(from, to) / bandKm) : Number.MAX_SAFE_INTEGER;
}

/** Along the great circle (haversine). */
export function distanceKm(from: Place, to: Place): number {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const half = (a: number, b: number): number => Math.sin(radians(b - a) / 2) ** 2;
  const h =
    half(from.latitude, to.latitude) +
    Math.cos(radians(from.latitude)) * Math.cos(radians(to.latitude)) * half(from.longitude, to.longitude);
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}
