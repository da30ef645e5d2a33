import { describe, expect, it } from "vitest";
import { edgeTiles, tilePath, widthIn } from "../../../../../tee-bot/attestation/transparency/log/tiles.ts";

describe("the path of a tile", () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, "tile/0/000"],
    [{ level: 1, index: 1_234_067, width: 256 }, "tile/1/x001/x234/067"],
    [{ level: 2, index: 1_000, width: 17 }, "tile/2/x001/000.p/17"],
    [{ level: "data", index: 999, width: 255 }, "tile/data/999.p/255"],
  ] as const)("%j is %s", (tile, path) => {
    expect(tilePath(tile)).toBe(path);
  });
});

describe("the tiles at the edge of a tree", () => {
  it("are those that the specification names for 70,000 entries", () => {
    expect(edgeTiles(70_000)).toEqual([
      { level: 2, index: 0, width: 1 },
      { level: 1, index: 1, width: 17 },
      { level: 0, index: 273, width: 112 },
    ]);
  });

  it.each([
    [0, []],
    [256, [{ level: 1, index: 0, width: 1 }]],
    [2 ** 40, [{ level: 5, index: 0, width: 1 }]],
  ])("of %d entries are %j", (size, tiles) => {
    expect(edgeTiles(size)).toEqual(tiles);
  });
});

it.each([
  [70_000, 0, 272, 256],
  [70_000, 0, 273, 112],
  [70_000, 0, 274, 0],
  [70_000, 1, 1, 17],
])("a tree of %d has, of level %d, tile %d with %d hashes", (size, level, index, width) => {
  expect(widthIn(size, level, index)).toBe(width);
});
