import type { DurableObject } from "cloudflare:workers";

/**
 * A Durable Object as its callers see it: every method answers later. Stands in for the stub type of workers-types
 * (5.20261103.1), which turns a union such as Result into a union of promises that nothing accepts.
 */
export type Remote<T extends DurableObject> = {
  readonly [M in Exclude<keyof T, keyof DurableObject>]: T[M] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};
