import { expect, test } from "vitest";
import { freshIdentity } from "../support/identities.ts";
import { decideChanges, isNewer } from "../../../workers/routing/publication.ts";

const { id: node } = await freshIdentity();
const { id: other } = await freshIdentity();
const publication = { node, epoch: 2, revision: 5, names: ["a.z", "b.z"] };

test.for<[number, number, boolean]>([
  [2, 6, true],
  [3, 1, true],
  [2, 5, false],
  [2, 4, false],
  [1, 9, false],
])("epoch %i, revision %i after epoch 2, revision 5 is newer: %s", ([epoch, revision, newer]) => {
  expect(isNewer({ epoch, revision }, publication)).toBe(newer);
});

test("the first publication is newer than none", () => {
  expect(isNewer(publication, undefined)).toBe(true);
});

test("a publication adds what is new, raises old epochs, removes what it lacks, and leaves the rest", () => {
  const changes = decideChanges(publication, [
    { name: "b.z", node, epoch: 1 },
    { name: "c.z", node, epoch: 1 },
    { name: "d.z", node: other, epoch: 7 },
  ]);
  expect(changes).toEqual([
    { name: "a.z", node, epoch: 2 },
    { name: "b.z", node, epoch: 2 },
    { name: "c.z", node: null },
  ]);
});

test("a publication of what is there already changes nothing", () => {
  expect(
    decideChanges(
      publication,
      publication.names.map((name) => ({ name, node, epoch: 2 })),
    ),
  ).toEqual([]);
});
