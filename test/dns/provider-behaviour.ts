/** What every provider of a zone's records does. Run for the one in memory (in workerd) and for Cloudflare's (in Node). */
import { expect, test } from "vitest";
import { ProviderError, type DnsProvider, type NewRecord } from "../../workers/dns/provider.ts";

export interface ProviderWorld {
  readonly provider: DnsProvider;
  readonly zone: string;
}

/** `use` is given a provider of an empty zone. */
export function describeProvider(use: (check: (world: ProviderWorld) => Promise<void>) => Promise<void>): void {
  const record = (zone: string, part: Partial<NewRecord> & { label?: string } = {}): NewRecord => {
    const { label = "a", ...rest } = part;
    return { name: `${label}.${zone}`, type: "A", content: "192.0.2.1", ttl: 60, comment: "postern 0", ...rest };
  };
  const failureOf = async (call: Promise<unknown>): Promise<string> => {
    const error: unknown = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ProviderError);
    return (error as ProviderError).kind;
  };

  test("shows at a name what was made there, as it was asked for", () =>
    use(async ({ provider, zone }) => {
      const caa = '0 issue "ca.example; accounturi=https://ca.example/acct/1; validationmethods=dns-01"';
      const posts = [
        record(zone),
        record(zone, { type: "AAAA", content: "2001:db8::1" }),
        record(zone, { type: "CAA", content: caa, ttl: 300 }),
        record(zone, { type: "TXT", content: 'with "quotes" and \\ backslash' }),
        record(zone, { label: "b" }),
      ];
      const made = await provider.apply({ deletes: [], posts });
      expect(made).toMatchObject(posts);
      expect(new Set(made.map(({ id }) => id)).size).toBe(posts.length);
      const found = await provider.at(`a.${zone}`);
      expect(found.toSorted(byId)).toEqual(made.slice(0, 4).toSorted(byId));
      expect(await provider.at(zone)).toEqual([]);
    }));

  test("shows the whole zone, page by page", () =>
    use(async ({ provider, zone }) => {
      const posts = Array.from({ length: 150 }, (_, at) => record(zone, { label: `n${at}` }));
      const made = await provider.apply({ deletes: [], posts });
      const seen: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await provider.page(cursor);
        seen.push(...page.records);
        cursor = page.next;
      } while (cursor !== undefined);
      expect(seen).toHaveLength(made.length);
      expect(seen).toEqual(expect.arrayContaining([...made]));
    }));

  test("shows an empty zone", () =>
    use(async ({ provider }) => {
      expect(await provider.page(undefined)).toEqual({ records: [], next: undefined });
    }));

  test("deletes before it makes, so that a record can be replaced by itself with another TTL", () =>
    use(async ({ provider, zone }) => {
      const [made] = await provider.apply({ deletes: [], posts: [record(zone)] });
      const again = record(zone, { ttl: 120 });
      await provider.apply({ deletes: [made?.id ?? ""], posts: [again] });
      expect(await provider.at(again.name)).toMatchObject([again]);
    }));

  test("knows identical records, and does all of a batch or nothing", () =>
    use(async ({ provider, zone }) => {
      const [made] = await provider.apply({ deletes: [], posts: [record(zone)] });
      const batch = { deletes: [], posts: [record(zone, { label: "b" }), record(zone, { ttl: 300 })] };
      expect(await failureOf(provider.apply(batch))).toBe("conflict");
      expect(await provider.at(`b.${zone}`)).toEqual([]);
      expect(await provider.at(`a.${zone}`)).toEqual([made]);
    }));

  test("cannot delete what is not there", () =>
    use(async ({ provider, zone }) => {
      const [made] = await provider.apply({ deletes: [], posts: [record(zone)] });
      const deletes = [made?.id ?? ""];
      await provider.apply({ deletes, posts: [] });
      expect(await failureOf(provider.apply({ deletes, posts: [record(zone, { label: "b" })] }))).toBe("conflict");
      expect(await provider.at(`b.${zone}`)).toEqual([]);
    }));

  test("takes a batch of as many records as it says, and no more", () =>
    use(async ({ provider, zone }) => {
      const posts = Array.from({ length: provider.maxBatch + 1 }, (_, at) => record(zone, { label: `n${at}` }));
      expect(await failureOf(provider.apply({ deletes: [], posts }))).toBe("refused");
      expect(await provider.apply({ deletes: [], posts: posts.slice(1) })).toHaveLength(provider.maxBatch);
    }));
}

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
