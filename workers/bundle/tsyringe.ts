/**
 * The container that @peculiar/x509 keeps its algorithms in, without tsyringe and the reflect-metadata that it calls for
 * (40 KB when minified together). x509 registers classes whose constructors take nothing, and asks for the one or for all of them.
 */
type Class = new () => unknown;

const singletons = new Map<string, (() => unknown)[]>();

export const container = {
  registerSingleton(token: string, singleton: Class): void {
    let instance: unknown;
    singletons.set(token, [...all(token), () => (instance ??= new singleton())]);
  },

  resolveAll: (token: string): unknown[] => all(token).map((instanceOf) => instanceOf()),

  resolve(token: string): unknown {
    const last = all(token).at(-1);
    if (!last) throw new Error(`Nothing is registered as ${token}`);
    return last();
  },
};

export const injectable = () => (): void => {};

function all(token: string): (() => unknown)[] {
  return singletons.get(token) ?? [];
}
