/** Everything around an order, in memory: what it does is written down, and can be made to fail. */
import type { AlpnResponder, ChallengeRecord, Presented, Sighting } from "../../../shared/acme/ports.ts";
import type { Admission, AdmissionRequest, Issuing, OrderParts } from "../../../shared/acme/ports.ts";
import { stepOrder, type AcmeOrder, type OrderStep } from "../../../shared/acme/order.ts";
import { ManualClock } from "../../tee-bot/support/manual-clock.ts";
import { createCsr } from "./certificates.ts";
import { ScriptedCa } from "./scripted-ca.ts";

export const startOfTime = Date.UTC(2026, 10, 21, 12);
const maxSteps = 2_000;
const hostnames = ["alice.nodes.example.test", "bob.nodes.example.test"];
const csr = createCsr(hostnames);

const nobody = new Proxy({} as never, {
  get: () => () => {
    throw new Error("away");
  },
});

export const sightings = (...sees: Sighting["sees"][]): Sighting[] =>
  sees.map((state, at) => ({ server: `resolver-${at + 1}`, kind: "resolver", sees: state }));

/** Admits all until it is told otherwise. */
export class ScriptedAdmissions {
  readonly asked: (AdmissionRequest & { queue: boolean })[] = [];
  readonly settled: string[] = [];
  answer: (queue: boolean) => Admission = () => ({ admitted: true });
  settleFails = 0;

  async admit(request: AdmissionRequest, { queue }: { queue: boolean }): Promise<Admission> {
    this.asked.push({ ...request, queue });
    return await Promise.resolve(this.answer(queue));
  }

  async settle(order: string, outcome: "issued" | "failed"): Promise<void> {
    if (this.settleFails-- > 0) throw new Error("the account's object is away");
    this.settled.push(`${order} ${outcome}`);
    await Promise.resolve();
  }
}

export class OrderWorld {
  readonly clock = new ManualClock(startOfTime);
  readonly ca: ScriptedCa;
  readonly admissions: ScriptedAdmissions;
  readonly issuing: (Issuing & { ca: ScriptedCa; admissions: ScriptedAdmissions })[];
  readonly records = new Map<string, readonly ChallengeRecord[]>();
  /** Of the TXT records, in their order. */
  readonly written: string[] = [];
  presents: () => Presented = () => ({ state: "written" });
  withdrawFails = 0;
  sees: () => readonly Sighting[] = () => sightings("all", "all");
  looks = 0;
  random = (): number => 0.5;
  alpn: (AlpnResponder & { readonly answers: Map<string, string> }) | undefined;
  /** Whoever is asked throws, as over RPC. */
  away = false;
  order: AcmeOrder | undefined;
  readonly steps: OrderStep[] = [];

  constructor({ cas = 1 } = {}) {
    this.issuing = Array.from({ length: cas }, (_, at) => {
      const directory = `https://ca-${at + 1}.example/directory`;
      const ca = new ScriptedCa({ directory, clock: this.clock });
      return { directory, ca, admissions: new ScriptedAdmissions() };
    });
    const [first] = this.issuing;
    if (!first) throw new Error("A world has at least one CA.");
    this.ca = first.ca;
    this.admissions = first.admissions;
  }

  /** Everything that has been done to the world. */
  get effects(): string[] {
    const admissions = this.issuing.flatMap((one) => [
      ...one.admissions.asked.map(() => "admit"),
      ...one.admissions.settled,
    ]);
    const changes = new Set(["createOrder", "completeChallenge", "finalize"]);
    const calls = this.issuing.flatMap((one) => one.ca.calls.filter((call) => changes.has(call)));
    return [...admissions, ...calls, ...this.written];
  }

  get parts(): OrderParts {
    const { clock, random } = this;
    if (this.away)
      return {
        issuing: this.issuing.map(({ directory }) => ({ directory, ca: nobody, admissions: nobody })),
        records: nobody,
        propagation: nobody,
        clock,
        random,
      };
    return {
      issuing: this.issuing,
      records: {
        present: async (order, records) => {
          const presented = this.presents();
          if (presented.state === "written") this.records.set(order, records);
          this.written.push(`${presented.state} ${records.map(({ hostname }) => hostname).join()}`);
          return await Promise.resolve(presented);
        },
        withdraw: async (order) => {
          if (this.withdrawFails-- > 0) throw new Error("the zone's object is away");
          this.records.delete(order);
          this.written.push("withdrawn");
          await Promise.resolve();
        },
      },
      propagation: {
        look: () => {
          this.looks++;
          return Promise.resolve(this.sees());
        },
      },
      ...(this.alpn && { alpn: this.alpn }),
      clock,
      random,
    };
  }

  /** Answers over TLS in this process, as long as it lives. */
  withAlpn(): void {
    const answers = new Map<string, string>();
    this.alpn = {
      answers,
      present: (hostname, keyAuthorization) => Promise.resolve(void answers.set(hostname, keyAuthorization)),
      withdraw: (hostname) => void answers.delete(hostname),
    };
  }

  async begin(changes: Partial<AcmeOrder> = {}): Promise<void> {
    this.order = { id: "order-1", node: "node-1", csr: await csr, hostnames, progress: "", ...changes };
  }

  /** Makes one step; what it returns is lost when the process dies before it is stored. */
  async step({ stored = true } = {}): Promise<OrderStep> {
    if (!this.order) await this.begin();
    const order = this.order as AcmeOrder;
    const step = await stepOrder(order, this.parts);
    this.steps.push(step);
    if (stored && step.status === "processing") this.order = { ...order, progress: step.progress };
    return step;
  }

  /** Goes on until the order has ended, or `until` is so; time passes as the steps want it. */
  async run(until: (step: OrderStep, world: OrderWorld) => boolean = () => false): Promise<OrderStep> {
    for (let count = 0; count < maxSteps; count++) {
      const step = await this.step();
      if (step.status !== "processing" || until(step, this)) return step;
      this.clock.advance(step.retryAfterMs);
    }
    throw new Error(`No end after ${maxSteps} steps: ${JSON.stringify(this.steps.at(-1))}`);
  }

  get stage(): string {
    const text = this.order?.progress || '{"stage":{"name":"new"}}';
    return (JSON.parse(text) as { stage: { name: string } }).stage.name;
  }

  /** Hours since the beginning. */
  get hours(): number {
    return (this.clock.now() - startOfTime) / 3_600_000;
  }
}
