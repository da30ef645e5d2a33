import type { GatewaySettings } from "../settings.ts";

/** The node's own names for models. */
export type Aliases = ReadonlyMap<string, { readonly models: readonly string[]; readonly whole: boolean }>;

export function readAliases(aliases: GatewaySettings["aliases"]): Aliases {
  return new Map(
    Object.entries(aliases).map(([name, alias]) => {
      const { models, delivery } = Array.isArray(alias) ? { models: alias, delivery: "stream" } : alias;
      return [name, { models, whole: delivery === "whole" }];
    }),
  );
}

const maxNames = 100;

/**
 * The models that a name stands for, in the order in which they are to be tried. An alias may name another one; inside
 * of itself a name is that of a model, so that nothing goes round in circles (`gpt-4o: [gpt-4o, llama3.2]`).
 */
export function expandAlias(name: string, aliases: Aliases): readonly string[] {
  if (!aliases.has(name)) return [name];
  const names = new Set<string>();
  const expand = (one: string, within: readonly string[]): void => {
    const alias = within.includes(one) ? undefined : aliases.get(one);
    if (names.size >= maxNames) return;
    if (!alias) names.add(one);
    else for (const model of alias.models) expand(model, [...within, one]);
  };
  expand(name, []);
  return [...names];
}
