/** Where a message is written: its text, what it replies to, and files. */
import { send, type Draft, type SeenMessage } from "./conversation.ts";

/** As Signal's, for one message. */
const maxFiles = 32;
const maxFileBytes = 10 * 1024 * 1024;

export interface Composer {
  replyTo(message: SeenMessage): void;
}

export function openComposer(form: HTMLFormElement): Composer {
  const text = find(form, "textarea", HTMLTextAreaElement);
  const input = find(form, "input", HTMLInputElement);
  const list = find(form, "#files", HTMLUListElement);
  const trouble = find(form, "#trouble", HTMLElement);
  const quoted = find(form, "#quoted", HTMLElement);
  let quote: number | undefined;
  let files: File[] = [];

  const showFiles = (): void => {
    list.replaceChildren(
      ...files.map(({ name }) => Object.assign(document.createElement("li"), { textContent: name })),
    );
  };
  const forgetQuote = (): void => {
    quote = undefined;
    quoted.hidden = true;
  };
  const submit = async (): Promise<void> => {
    if (text.value.trim() === "" && files.length === 0) return;
    trouble.textContent = "";
    try {
      const attachments = await Promise.all(files.map(readFile));
      const draft: Draft = {
        text: text.value,
        ...(quote !== undefined && { quote }),
        ...(attachments.length > 0 && { attachments }),
      };
      await send(draft);
      text.value = "";
      files = [];
      showFiles();
      forgetQuote();
    } catch (error) {
      trouble.textContent = error instanceof Error ? error.message : "Not sent.";
    }
    text.focus();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  input.addEventListener("change", () => {
    const chosen = [...(input.files ?? [])];
    const large = chosen.find(({ size }) => size > maxFileBytes);
    trouble.textContent = large ? `${large.name} is larger than 10 MiB.` : "";
    files = [...files, ...chosen.filter((file) => file !== large)].slice(0, maxFiles);
    input.value = "";
    showFiles();
  });
  find(quoted, "button", HTMLButtonElement).addEventListener("click", () => {
    forgetQuote();
    text.focus();
  });
  return {
    replyTo: ({ timestamp, from, text: said }) => {
      quote = timestamp;
      find(quoted, "span", HTMLElement).textContent = `Reply to ${from}: ${said.slice(0, 80)}`;
      quoted.hidden = false;
      text.focus();
    },
  };
}

export function find<T extends Element>(within: ParentNode, selector: string, form: new () => T): T {
  const found = within.querySelector(selector);
  if (found instanceof form) return found;
  throw new Error(`The page has no ${selector}.`);
}

async function readFile(file: File): Promise<NonNullable<Draft["attachments"]>[number]> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { filename: file.name, contentType: file.type || "application/octet-stream", base64: btoa(binary) };
}
