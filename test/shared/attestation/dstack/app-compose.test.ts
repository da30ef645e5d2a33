import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { attempt } from "../../../../shared/attestation/attempt.ts";
import {
  hashCompose,
  maxComposeLength,
  parseAppCompose,
  readKeyProviderId,
} from "../../../../shared/attestation/dstack/app-compose.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const compose = (services: string, more: object = {}): string =>
  JSON.stringify({ runner: "docker-compose", docker_compose_file: `services:\n${services}`, ...more });
const images = (services: string): unknown => parseAppCompose(compose(services)).images;
const refusal = async (text: string): Promise<string | undefined> => (await attempt(() => parseAppCompose(text))).fault;

describe("the compose text", () => {
  it("is hashed as it stands, to the last space and letter", async () => {
    const text = '{ "name": "né"  }\n';
    expect(await hashCompose(text)).toBe(createHash("sha256").update(text).digest("hex"));
    expect(await hashCompose(text)).not.toBe(await hashCompose(JSON.stringify(JSON.parse(text))));
  });

  it.each([
    ["a name and a digest", `example.org/web@${digest}`, digest],
    ["a name, a tag and a digest", `example.org:5000/web:1.2@${digest}`, digest],
    ["a tag", "example.org/web:1.2", undefined],
    ["nothing but a name", "web", undefined],
    ["a digest cut short", `web@${digest.slice(0, -1)}`, undefined],
    ["a digest with more after it", `web@${digest}0`, undefined],
    ["a digest in a variable", "web@${DIGEST}", undefined],
  ])("names an image by %s", (_, image, expected) => {
    expect(images(`  web:\n    image: "${image}"\n`)).toEqual([{ service: "web", image, digest: expected }]);
  });

  it("names a service that is built where it runs, without an image", () => {
    expect(images("  web:\n    build: .\n")).toEqual([{ service: "web", image: undefined, digest: undefined }]);
  });

  it.each([
    ["is built as well", "build: ."],
    ["extends another, of a file that nobody has measured", "extends: { file: other.yml, service: web }"],
  ])("does not know a service by its digest that %s", (_, more) => {
    const image = `web@${digest}`;
    expect(images(`  web:\n    image: ${image}\n    ${more}\n`)).toEqual([
      { service: "web", image, digest: undefined },
    ]);
  });

  it("may bring in an image by a merge key, as Docker Compose reads it", () => {
    const merged = `  one: &one\n    image: web@${digest}\n  two:\n    <<: *one\n    ports: []\n`;
    expect(images(merged)).toMatchObject([{ digest }, { service: "two", digest }]);
  });

  it("is read in a time that grows with its length, however it is made", async () => {
    const keys = Array.from({ length: 12_000 }, (_, at) => `k${at}: a\n`).join("");
    const start = performance.now();
    expect(await refusal(JSON.stringify({ runner: "docker-compose", docker_compose_file: keys }))).toMatch(/services/);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("says when other files belong to it", () => {
    const text = { runner: "docker-compose", docker_compose_file: "include: [other.yml]\nservices: {}" };
    expect(parseAppCompose(JSON.stringify(text)).includesOthers).toBe(true);
    expect(parseAppCompose(compose("  web: {}\n")).includesOthers).toBe(false);
  });

  it.each([
    ["ABCD", "abcd"],
    ["", ""],
    ["no hex", ""],
    [undefined, ""],
  ])("asks for the key provider %j", (key_provider_id, id) => {
    expect(readKeyProviderId(JSON.stringify({ key_provider_id }))).toBe(id);
    expect(readKeyProviderId("{")).toBe("");
  });

  it.each(["pre_launch_script", "init_script"])("says when a %s runs beside the images", (name) => {
    const services = `  web:\n    image: web@${digest}\n`;
    expect(parseAppCompose(compose(services, { [name]: "docker run evil" })).hasScript).toBe(true);
    expect(parseAppCompose(compose(services, { [name]: "" })).hasScript).toBe(false);
  });

  it.each([
    ["no JSON", "{"],
    ["no compose file", JSON.stringify({ runner: "docker-compose" })],
    ["another runner", compose("  web: {}\n", { runner: "bash" })],
    ["a key twice", compose(`  web:\n    image: web@${digest}\n    image: web\n`)],
    ["a longer compose file than any", compose("#".repeat(128 * 1024))],
    ["a compose file that is no YAML", JSON.stringify({ runner: "docker-compose", docker_compose_file: "a: [" })],
    [
      "a compose file without services",
      JSON.stringify({ runner: "docker-compose", docker_compose_file: "volumes: {}" }),
    ],
    ["services that are a list", JSON.stringify({ runner: "docker-compose", docker_compose_file: "services: [web]" })],
    ["more than any has", " ".repeat(maxComposeLength + 1)],
    ["more services than any has", compose(Array.from({ length: 129 }, (_, at) => `  s${at}: {}\n`).join(""))],
    [
      "nesting that would end the stack",
      JSON.stringify({ runner: "docker-compose", docker_compose_file: `services: ${"[".repeat(50_000)}` }),
    ],
    [
      "anchors that would fill the memory",
      JSON.stringify({
        docker_compose_file: `a: &a [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, at) => {
          const [from, to] = [String.fromCharCode(97 + at), String.fromCharCode(98 + at)];
          return `${to}: &${to} [${Array.from({ length: 9 }, () => `*${from}`).join()}]\n`;
        }).join("")}services: *j\n`,
      }),
    ],
  ])("is refused with %s", async (_, text) => {
    expect(await refusal(text)).toMatch(/Compose|compose/);
  });
});
