import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  hashLeaf,
  perfectRoots,
  rootOf,
  sameHash,
} from "../../../../../tee-bot/attestation/transparency/log/merkle.ts";
import { leafHash, treeHash } from "../../../../support/ct-tree.ts";

const leaves = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, at) => leafHash(Buffer.from([at, at >> 8])));

it("the root over perfect trees is the root by the definition of RFC 6962", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 600 }), (count) => {
      expect(Buffer.from(rootOf(perfectRoots(leaves(count))))).toEqual(treeHash(leaves(count)));
    }),
  );
});

it("the empty tree has the hash of nothing", () => {
  expect(Buffer.from(rootOf([])).toString("hex")).toBe(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

it("a leaf in parts hashes as the whole", () => {
  expect(Buffer.from(hashLeaf(Buffer.from("ab"), Buffer.from("c")))).toEqual(leafHash(Buffer.from("abc")));
});

it("a hash that is missing is the same as none", () => {
  expect(sameHash(undefined, undefined)).toBe(false);
  expect(sameHash(leaves(1)[0], leaves(1)[0])).toBe(true);
});
