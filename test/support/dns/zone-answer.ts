/** What a name server answers: a pure function of the question and the zone as that server sees it. */
import { Packet } from "dns2";
import { characterStrings, parseCaa } from "./record-content.ts";
import type { ZoneRecord, ZoneView } from "./zone-store.ts";

type Resource = InstanceType<typeof Packet.Resource>;

export type Role = "authoritative" | "resolver";

const negativeTtlSeconds = 1;
const automaticTtlSeconds = 300;
const maxCnames = 8;

/** One question, answered from `view`; an authoritative server refuses what is outside the zone. */
export function answerQuery(request: Packet, view: ZoneView, role: Role): Packet {
  const response = Packet.createResponseFromRequest(request);
  const question = request.questions[0];
  response.header.aa = role === "authoritative" ? 1 : 0;
  response.header.ra = role === "resolver" ? 1 : 0;
  response.header.rcode = Packet.RCODE.NOERROR;
  if (!question || request.questions.length > 1) {
    response.header.rcode = Packet.RCODE.FORMERR;
    return response;
  }
  const name = question.name.toLowerCase();
  if (!within(name, view.zone)) {
    // A resolver knows the parents of the zone, which have no records of their own here, and nothing else.
    const above = within(view.zone, name);
    response.header.rcode =
      role === "authoritative" ? Packet.RCODE.REFUSED : Packet.RCODE[above ? "NOERROR" : "NXDOMAIN"];
    return response;
  }
  response.answers = collect(question.name, question.type, view);
  if (response.answers.length > 0) return response;
  if (name !== view.zone && !view.has(name)) response.header.rcode = Packet.RCODE.NXDOMAIN;
  response.authorities = [soa(view, negativeTtlSeconds)]; // RFC 2308 §3
  return response;
}

/** What is asked for at the name, after the CNAMEs that lead to it. */
function collect(asked: string, type: number, view: ZoneView): Resource[] {
  const answers: Resource[] = [];
  let name = asked;
  for (let hops = 0; hops <= maxCnames; hops++) {
    const records = recordsOf(name, view);
    const wanted = records.filter((record) => record.type === type || type === Packet.TYPE.ANY);
    answers.push(...wanted);
    const alias = records.find((record) => record.type === Packet.TYPE.CNAME);
    if (wanted.length > 0 || !alias?.domain) break;
    answers.push(alias);
    name = alias.domain;
  }
  return answers;
}

function recordsOf(name: string, view: ZoneView): Resource[] {
  const records = view.at(name).flatMap((record) => resourceOf(record, name) ?? []);
  return name.toLowerCase() === view.zone ? [...records, soa(view, negativeTtlSeconds), ...nameServers(view)] : records;
}

function resourceOf({ type, content, ttl: written }: ZoneRecord, name: string): Resource | undefined {
  const ttl = written === 1 ? automaticTtlSeconds : written;
  const resource = (code: number, data: Partial<Resource>): Resource =>
    new Packet.Resource({ name, type: code, class: Packet.CLASS.IN, ttl, ...data });
  switch (type) {
    case "A":
      return resource(Packet.TYPE.A, { address: content });
    case "AAAA":
      return resource(Packet.TYPE.AAAA, { address: content });
    case "TXT":
      return resource(Packet.TYPE.TXT, { data: characterStrings(content) ?? [content] });
    case "CAA": {
      const caa = parseCaa(content);
      return caa && resource(Packet.TYPE.CAA, { ...caa });
    }
    case "CNAME":
      return resource(Packet.TYPE.CNAME, { domain: content });
    case "NS":
      return resource(Packet.TYPE.NS, { ns: content });
    default:
      return undefined;
  }
}

function soa({ zone, serial }: ZoneView, ttl: number): Resource {
  const times = { refresh: 10_000, retry: 2_400, expiration: 604_800, minimum: negativeTtlSeconds };
  const names = { primary: `ns1.${zone}`, admin: `dns.${zone}` };
  return new Packet.Resource({
    name: zone,
    type: Packet.TYPE.SOA,
    class: Packet.CLASS.IN,
    ttl,
    serial,
    ...names,
    ...times,
  });
}

const nameServers = ({ zone }: ZoneView): Resource[] =>
  ["ns1", "ns2"].map(
    (host) =>
      new Packet.Resource({
        name: zone,
        type: Packet.TYPE.NS,
        class: Packet.CLASS.IN,
        ttl: 300,
        ns: `${host}.${zone}`,
      }),
  );

const within = (name: string, zone: string): boolean => name === zone || name.endsWith(`.${zone}`);
