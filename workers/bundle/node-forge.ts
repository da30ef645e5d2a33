/**
 * Instead of node-forge (300 KB when minified): acme-client looks at `pki.rsa` when it is loaded, and uses the rest in
 * its older interface `forge` only, which the edge does not call.
 */
export const pki = {
  rsa: {
    generateKeyPair(): never {
      throw new Error("node-forge is not in the edge's bundle");
    },
  },
};
