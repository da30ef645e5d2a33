/** What a simulator is unless it is told otherwise. */
import type { Generation } from "./guest/generation.ts";

export const defaultGeneration: Generation = "0.6";
/** Hardware takes 10 to 30 ms for a quote, one at a time. */
export const defaultQuoteMs = 15;
