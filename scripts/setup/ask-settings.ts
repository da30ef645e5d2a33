import type { Questions } from "./questions.ts";
import { externalAccountNames, mistakeOf, type Given } from "./settings.ts";

const maxAttempts = 3;

/** Asks for what is needed and not given. `stored`: secrets that the Worker has already, which nobody is asked for. */
export async function askSettings(
  given: Given,
  { questions, note, stored }: { questions: Questions; note: (text: string) => void; stored: ReadonlySet<string> },
): Promise<Given> {
  const answers: Record<string, string> = { ...given, DNS: "cloudflare" };
  const ask = async (name: string, question: string, options: { initial?: string; hidden?: boolean } = {}) => {
    for (let attempt = 0; answers[name] === undefined && attempt < maxAttempts; attempt += 1) {
      const answer = await questions.ask(question, options);
      if (answer === undefined) return;
      const mistake = mistakeOf(name, answer);
      if (mistake === undefined) answers[name] = answer;
      else note(`${name}: ${mistake}`);
    }
  };

  await ask("ZONE", "The zone that names of nodes end in (nodes.example.com)");
  if (!stored.has("CLOUDFLARE_API_TOKEN"))
    await ask("CLOUDFLARE_API_TOKEN", "The edge's API token (Zone → DNS → Edit for that zone only)", { hidden: true });
  await ask("ISSUER", "Who signs certificates: acme, or local for a closed network", { initial: "acme" });
  if (answers["ISSUER"] === "acme") {
    await ask("ACME_DIRECTORY", "ACME CAs, in the order of preference", { initial: "letsencrypt" });
    await ask("ACME_CONTACT", "E-mail address for the CA, if any");
    for (const [directory, names] of externalAccountNames(answers))
      if (names.some((name) => answers[name] === undefined && !stored.has(name)))
        for (const name of names)
          await ask(name, `${directory}: ${name.includes("HMAC") ? "HMAC key" : "key id"} of your account there`, {
            hidden: name.includes("HMAC"),
          });
  }
  await ask("RELAY_KEYS", "Public keys of the relays, comma-separated (relay.started in its log has it)");
  return answers;
}
