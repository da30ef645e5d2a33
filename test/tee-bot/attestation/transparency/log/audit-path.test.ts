import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { appendLeaf, provePrefix } from "../../../../../tee-bot/attestation/transparency/log/audit-path.ts";
import { rootOf } from "../../../../../tee-bot/attestation/transparency/log/merkle.ts";
import { auditPath, leafHash, treeHash } from "../../../../support/ct-tree.ts";

const leaves = (count: number): Buffer[] => Array.from({ length: count }, (_, at) => leafHash(Buffer.from([at])));
const place = fc.integer({ min: 1, max: 200 }).chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: size - 1 })));

describe("the proof of an entry", () => {
  it("tells the root of the tree before it, which grows into the whole one", () => {
    fc.assert(
      fc.property(place, ([size, index]) => {
        const all = leaves(size);
        const proof = { index, leafHash: all[index]!, path: auditPath(index, all) };
        let perfect = provePrefix(proof, { size, root: treeHash(all) });
        expect(Buffer.from(rootOf(perfect!))).toEqual(treeHash(all.slice(0, index)));
        for (let at = index; at < size; at++) perfect = appendLeaf(perfect!, at, all[at]!);
        expect(Buffer.from(rootOf(perfect!))).toEqual(treeHash(all));
      }),
    );
  });

  it("is none for another place, leaf, root or size, nor longer, shorter or with another bit", () => {
    fc.assert(
      fc.property(place, fc.nat(), ([size, index], seed) => {
        const all = leaves(size);
        const path = auditPath(index, all);
        const tree = { size, root: treeHash(all) };
        const good = { index, leafHash: all[index]!, path };
        const bad = Buffer.from(path[seed % Math.max(1, path.length)] ?? all[0]!);
        bad[seed % 32]! ^= 1;
        expect(provePrefix({ ...good, leafHash: bad }, tree)).toBeUndefined();
        expect(provePrefix(good, { ...tree, root: bad })).toBeUndefined();
        expect(provePrefix({ ...good, path: [...path, bad] }, tree)).toBeUndefined();
        expect(provePrefix({ ...good, index: size }, tree)).toBeUndefined();
        if (size > 1) {
          expect(provePrefix({ ...good, index: (index + 1) % size }, tree)).toBeUndefined();
          expect(provePrefix({ ...good, path: path.slice(1) }, tree)).toBeUndefined();
          expect(provePrefix({ ...good, path: path.with(seed % path.length, bad) }, tree)).toBeUndefined();
        }
      }),
    );
  });
});
