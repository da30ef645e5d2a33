import type { Sessions } from "../../attestation/near/sessions.ts";

/** What is told of the sessions in which upstreams were verified. */
export interface SessionView {
  /** The JSON text of one, whole. */
  find(id: string): string | undefined;
  /** The newest of each model, without its evidence; undefined: of all upstreams, all models. */
  list(upstream: string | undefined, model: string | undefined): object[];
}

export function viewSessions(sessions: Pick<Sessions, "get" | "current"> | undefined): SessionView {
  return {
    find(id) {
      const session = sessions?.get(id);
      return session && JSON.stringify(session.document);
    },
    list(upstream, model) {
      const all = sessions?.current() ?? [];
      const asked = all.filter(
        (one) => (upstream === undefined || one.upstream === upstream) && (model === undefined || one.model === model),
      );
      return asked.map(({ session: { id, document } }) => abbreviated(id, document));
    },
  };
}

/** Without `evidence.data`, which has hundreds of kilobytes (§8.1). Such an entry does not hash to its id. */
function abbreviated(id: string, document: object): object {
  const { evidence = {} } = document as { evidence?: { digest?: string } };
  return { session_id: id, ...document, evidence: { digest: evidence.digest } };
}
