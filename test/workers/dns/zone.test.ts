import { assert, array, integer, property, record as recordOf, constantFrom } from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredRecord } from "../../../workers/dns/provider.ts";
import {
  decideActual,
  decideChanges,
  isOurs,
  normaliseContent,
  readLagMs,
  splitChanges,
  takeBatch,
  type Change,
  type WantedRecord,
} from "../../../workers/dns/zone.ts";

const name = "a.nodes.example.test";
const mark = "postern 0123abcd";
const wish = (content: string, ttl = 60): WantedRecord => ({ name, type: "A", content, ttl, node: "n" });
const stored = (content: string, part: Partial<StoredRecord> = {}): StoredRecord => ({
  id: `id-${content}`,
  name,
  type: "A",
  content,
  ttl: 60,
  comment: `${mark} node n`,
  ...part,
});
const changesOf = (wanted: WantedRecord[], actual: StoredRecord[]): Change[] =>
  decideChanges(name, { wanted, actual, mark });

describe("the changes of a name", () => {
  test("are none when all is as it is wanted", () => {
    expect(changesOf([wish("1")], [stored("1")])).toEqual([]);
  });

  test("put a record in the place of one of its kind, in one step", () => {
    expect(changesOf([wish("2")], [stored("1")])).toEqual([
      { name, remove: "id-1", add: expect.objectContaining({ content: "2" }) },
    ]);
    expect(changesOf([{ ...wish("text"), type: "TXT" }], [stored("1")])).toEqual([
      { name, remove: "id-1" },
      { name, add: expect.objectContaining({ type: "TXT" }) },
    ]);
  });

  test("replace a record with another TTL by itself, whatever else changes", () => {
    const changes = changesOf([wish("3"), wish("1", 300)], [stored("0"), stored("1")]);
    expect(changes).toContainEqual({ name, remove: "id-1", add: expect.objectContaining({ content: "1", ttl: 300 }) });
    expect(changes).toHaveLength(2);
  });

  test("leave one of two that are the same", () => {
    expect(changesOf([wish("1")], [stored("1"), stored("1", { id: "twice" })])).toEqual([{ name, remove: "twice" }]);
  });

  test("never touch what is not ours, and want nothing twice", () => {
    const foreign = { comment: "by hand" };
    expect(changesOf([wish("1")], [stored("1", { ...foreign, ttl: 1 }), stored("9", foreign)])).toEqual([]);
    expect(changesOf([], [stored("9", { comment: "" })])).toEqual([]);
    expect(changesOf([], [stored("9", { comment: "postern 0123abcde" })])).toEqual([]);
  });

  test("bring any state to any other, in one go", () => {
    const contents = constantFrom("1", "2", "3", "4");
    const some = array(recordOf({ content: contents, ttl: constantFrom(60, 300) }), { maxLength: 4 });
    assert(
      property(some, some, array(contents, { maxLength: 2 }), (before, after, byHand) => {
        const wanted = [...new Map(after.map((one) => [one.content, wish(one.content, one.ttl)])).values()];
        const actual = [
          ...before.map(({ content, ttl }, at) => stored(content, { id: `ours-${at}`, ttl })),
          ...byHand.map((content, at) => stored(content, { id: `hand-${at}`, comment: "" })),
        ];
        const changes = changesOf(wanted, actual);
        const removed = new Set(changes.map(({ remove }) => remove));
        const made = changes.flatMap(({ add }): StoredRecord[] => (add ? [{ ...add, id: `made-${add.content}` }] : []));
        const result = [...actual.filter(({ id }) => !removed.has(id)), ...made];
        expect(changesOf(wanted, result)).toEqual([]);
        expect(result.filter(({ comment }) => comment === "")).toHaveLength(byHand.length);
        for (const { content } of wanted) expect(result.some((one) => one.content === content)).toBe(true);
      }),
    );
  });
});

test("a record is ours by the first two words of its comment", () => {
  expect(isOurs({ comment: mark }, mark)).toBe(true);
  expect(isOurs({ comment: `${mark} anything` }, mark)).toBe(true);
  expect(isOurs({ comment: `${mark}e` }, mark)).toBe(false);
  expect(isOurs({ comment: "" }, mark)).toBe(false);
});

describe("a batch", () => {
  const add = (label: string): Change => ({ name: label, add: { ...wish("1"), comment: "" } });
  const replace = (label: string): Change => ({ ...add(label), remove: "id" });
  const labels = (changes: readonly Change[]): string => changes.map((change) => change.name).join("");

  test("holds whole names, as many as there is room for", () => {
    expect(labels(takeBatch([[add("a"), add("a")], [add("b")], [add("c")]], 3))).toBe("aab");
    expect(labels(takeBatch([[add("a"), add("a")], [replace("b")], [add("c")]], 3))).toBe("aa");
    expect(takeBatch([], 3)).toEqual([]);
  });

  test("cuts a name that fits into none", () => {
    expect(labels(takeBatch([Array.from({ length: 5 }, () => add("a"))], 3))).toBe("aaa");
    expect(labels(takeBatch([[replace("a"), replace("a")]], 3))).toBe("a");
  });

  test("is halved between names, then within one, until one change is left", () => {
    const halves = (changes: Change[]): string[] | undefined => splitChanges(changes)?.map(labels);
    expect(halves([add("a"), add("a"), add("a"), add("b")])).toEqual(["aaa", "b"]);
    expect(halves([add("a"), add("b"), add("c"), add("d")])).toEqual(["ab", "cd"]);
    expect(halves([add("a"), add("a"), add("a")])).toEqual(["a", "aa"]);
    expect(halves([add("a")])).toBeUndefined();
    assert(
      property(array(constantFrom("a", "b", "c"), { minLength: 2, maxLength: 20 }), (names) => {
        const [left = [], right = []] = splitChanges(names.toSorted().map((one) => add(one))) ?? [];
        expect(left.length * right.length).toBeGreaterThan(0);
        expect(left.length + right.length).toBe(names.length);
      }),
    );
  });
});

describe("what is believed to stand at a name", () => {
  const now = 10 * readLagMs;
  const known = (content: string, madeAt: number) => ({ ...stored(content), madeAt });

  test("is what is shown, with what was made a moment ago and without what was removed", () => {
    const found = [stored("1"), stored("2")];
    const actual = decideActual(found, { known: [known("3", now - 1_000)], removed: new Set(["id-2"]), now });
    expect(actual.map(({ content }) => content)).toEqual(["1", "3"]);
  });

  test("does not have what was made long ago, or by others, and is not shown", () => {
    const gone = [known("1", now - readLagMs), known("2", 0)];
    expect(decideActual([], { known: gone, removed: new Set(), now })).toEqual([]);
  });
});

test.each([
  ["AAAA", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["AAAA", "::ffff:192.0.2.1", "::ffff:c000:201"],
  ["AAAA", "no address", "no address"],
  ["A", "192.0.2.1", "192.0.2.1"],
  ["TXT", "A Text", "A Text"],
  ["CAA", '0 issue "CA.example;b=1"', '0 issue "ca.example; b=1"'],
] as const)("%s %s is written %s", (type, content, normal) => {
  expect(normaliseContent({ type, content })).toBe(normal);
  expect(normaliseContent({ type, content: normal })).toBe(normal);
});

test("the size of a batch is never passed", () => {
  assert(
    property(array(array(integer({ min: 0, max: 1 }), { maxLength: 6 }), { maxLength: 10 }), (names) => {
      const changes = names.map((ofName, at) =>
        ofName.map((both): Change => ({
          name: `n${at}`,
          add: { ...wish("1"), comment: "" },
          ...(both && { remove: "x" }),
        })),
      );
      const size = takeBatch(changes, 7).reduce((sum, { remove }) => sum + (remove === undefined ? 1 : 2), 0);
      expect(size).toBeLessThanOrEqual(7);
    }),
  );
});
