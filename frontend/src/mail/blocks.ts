// What can be put into a mail. Texts are examples that say what belongs there.

import type { Editor } from "grapesjs";

export type Shared = { slug: string; name: string; kind: string };
export type Condition = { name: string; label: string };
export type Field = { tag: string; label: string };

const icon = (path: string) =>
  `<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">${path}</svg>`;

const ICONS = {
  heading: icon('<path d="M5 5v14M19 5v14M5 12h14"/>'),
  text: icon('<path d="M4 6h16M4 11h16M4 16h10"/>'),
  picture: icon('<rect x="3" y="5" width="18" height="14" rx="2"/><path d="m4 17 5-5 4 4 3-3 4 4"/>'),
  button: icon('<rect x="3" y="8" width="18" height="8" rx="4"/>'),
  columns: icon('<rect x="3" y="5" width="7.5" height="14"/><rect x="13.5" y="5" width="7.5" height="14"/>'),
  divider: icon('<path d="M3 12h18"/>'),
  space: icon('<path d="M4 6h16M4 18h16M12 9v6"/>'),
  person: icon('<circle cx="12" cy="8" r="3.5"/><path d="M5 20c1-4 4-6 7-6s6 2 7 6"/>'),
  condition: icon('<path d="M12 3v6m0 0-6 6v6m6-12 6 6v6"/>'),
  header: icon('<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M3 9h18"/>'),
  footer: icon('<rect x="3" y="4" width="18" height="16" rx="2"/><path d="M3 15h18"/>'),
  shared: icon('<path d="M8 12h8M4 8l4 4-4 4M20 8l-4 4 4 4"/>'),
};

/** Stands where a picture is still to be chosen. */
export const NO_PICTURE =
  "data:image/svg+xml,%3Csvg xmlns=%27http://www.w3.org/2000/svg%27 width=%27600%27 height=%27200%27%3E%3Crect width=%27600%27 height=%27200%27 fill=%27%23e2e6e6%27/%3E%3Ctext x=%27300%27 y=%27106%27 font-family=%27sans-serif%27 font-size=%2718%27 text-anchor=%27middle%27 fill=%27%2352605e%27%3EChoose a picture%3C/text%3E%3C/svg%3E";

const section = (inner: string) => `<mj-section background-color="#ffffff"><mj-column>${inner}</mj-column></mj-section>`;

export function addBlocks(editor: Editor, words: { shared: Shared[]; conditions: Condition[] }): void {
  const blocks = editor.Blocks;
  const add = (id: string, name: string, media: string, content: string, category = "Content") =>
    blocks.add(id, { label: name, media, content, category, select: true, attributes: { title: name } });
  add("heading", "Heading", ICONS.heading, '<mj-text font-size="24px" line-height="1.3"><h2>Say what this is about</h2></mj-text>');
  add("text", "Text", ICONS.text, "<mj-text>Write here, in short sentences.</mj-text>");
  add("image", "Image", ICONS.picture, `<mj-image src="${NO_PICTURE}" alt=""></mj-image>`);
  add("button", "Button", ICONS.button, '<mj-button href="https://" background-color="#0b6b63" color="#ffffff" font-size="16px" inner-padding="14px 24px">Say what happens</mj-button>');
  add("divider", "Divider", ICONS.divider, '<mj-divider border-width="1px" border-color="#d5dcdb"></mj-divider>');
  add("space", "Space", ICONS.space, '<mj-spacer height="20px"></mj-spacer>');
  add("one", "One column", ICONS.columns, section("<mj-text>Write here.</mj-text>"), "Layout");
  add(
    "two",
    "Two columns",
    ICONS.columns,
    '<mj-section background-color="#ffffff"><mj-column><mj-text>Left</mj-text></mj-column><mj-column><mj-text>Right</mj-text></mj-column></mj-section>',
    "Layout",
  );
  add("personal", "Greeting by name", ICONS.person, '<mj-text>Dear {{ contact.given_name | default("neighbor") }},</mj-text>', "Personal");
  for (const one of words.conditions) {
    add(`when-${one.name}`, `Only if ${one.label}`, ICONS.condition, conditional(one.name), "Personal");
  }
  add(
    "header",
    "Header",
    ICONS.header,
    '<mj-section background-color="#ffffff"><mj-column><mj-text font-size="18px" font-weight="600">{{ organisation.name }}</mj-text></mj-column></mj-section>',
    "Layout",
  );
  add(
    "footer",
    "Footer",
    ICONS.footer,
    '<mj-section><mj-column><mj-text font-size="14px">{{ organisation.name }}, {{ organisation.postal_address }}<br /><a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text></mj-column></mj-section>',
    "Layout",
  );
  for (const one of words.shared) addShared(editor, one);
}

/** Offer a block that templates share. */
export function addShared(editor: Editor, one: Shared): void {
  if (one.kind === "layout") return;
  const attributes = { title: one.name };
  const said = { label: one.name, media: ICONS.shared, content: shared(one.slug), category: "Shared" };
  editor.Blocks.add(`shared-${one.slug}`, { ...said, select: true, attributes });
}

const encoded = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const piece = (source: string, words: string) =>
  `<mj-raw><div class="attune-piece" data-attune-tag="${encoded(source)}">${words}</div></mj-raw>`;

function conditional(name: string): string {
  const words = name.replaceAll("_", " ");
  return (
    piece(`{% if when.${name} %}`, `Only if: ${words}`) +
    section("<mj-text>Only these people read this.</mj-text>") +
    piece("{% endif %}", "End of “only if”")
  );
}

export function shared(slug: string): string {
  return piece(`<mj-include path="${slug}" />`, `Shared block: ${slug}`);
}
