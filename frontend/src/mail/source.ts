// Between the MJML that is stored and what the drawing board can hold.
//
// The board keeps elements that it knows. Whatever it would lose is put where it cannot: the head
// stays outside, and a merge tag, a shared block or an element of ours that stands between boxes
// becomes a labelled piece, which turns back into itself when the mail is read off the board.

export type Parts = { before: string; open: string; inner: string; after: string };

const BODY = /(<mj-body\b(?:[^>"']|"[^"]*"|'[^']*')*>)([\s\S]*)(<\/mj-body\s*>[\s\S]*)$/i;
const VOID = /<(mj-[\w-]+)((?:[^>"']|"[^"]*"|'[^']*')*?)\s*\/>/g;
const KEPT = /<mj-include\b(?:[^>"']|"[^"]*"|'[^']*')*?(?:\/>|>\s*<\/mj-include\s*>)|<\/?mj-layout\b[^>]*>|<mj-slot\s*(?:\/>|>\s*<\/mj-slot\s*>)/gi;
const PIECE = /<mj-raw[^>]*>\s*<(\w+)[^>]*data-attune-tag="([^"]*)"[^>]*>[\s\S]*?<\/\1>\s*<\/mj-raw>/gi;
const TAG = /\{%[\s\S]*?%\}|\{\{[\s\S]*?\}\}/g;
const FULL = new Set(["mj-text", "mj-button", "mj-raw", "mj-table", "mj-navbar-link", "mj-social-element"]);
const BLOCKS = /(<\/?mj-[\w-]+(?:[^>"']|"[^"]*"|'[^']*')*>)/g;

/** Take the body out; null where there is none to draw. */
export function split(source: string): Parts | null {
  const found = BODY.exec(source);
  if (!found) return null;
  return { before: source.slice(0, found.index), open: found[1]!, inner: found[2]!, after: found[3]! };
}

export function join(parts: Parts, body: string): string {
  return `${parts.before}${body.trimEnd()}${parts.after.replace(/^<\/mj-body\s*>/i, "")}`;
}

/** Make what the board takes: no void elements, and pieces for what it does not know. */
export function forBoard(parts: Parts): string {
  return `<mjml>${parts.open}${boxes(parts.inner)}</mj-body></mjml>`;
}

/** Make of some boxes' source what the board takes. */
export function boxes(source: string): string {
  const kept = source.replace(KEPT, (whole) => piece(whole));
  return pieces(kept.replace(VOID, "<$1$2></$1>"));
}

/** Return the source of one box as it stands on the board. */
export function sourceOf(box: string): string {
  return fromBoard(`<mj-body>${box}</mj-body>`).replace(/^<mj-body>\s*|\s*<\/mj-body>$/g, "");
}

/** Turn pieces back and lay the source out, a line for each box. */
export function fromBoard(mjml: string): string {
  const body = /<mj-body[\s\S]*<\/mj-body>/i.exec(mjml)?.[0] ?? "";
  const plain = body.replace(PIECE, (_, __, said: string) => decode(said));
  return laidOut(plain);
}

/** Wrap each merge tag that stands between boxes; those in the words of a box stay there. */
function pieces(source: string): string {
  let inside = 0;
  return source
    .split(BLOCKS)
    .map((part) => {
      const tag = /^<(\/?)(mj-[\w-]+)/.exec(part);
      if (tag && FULL.has(tag[2]!.toLowerCase())) {
        inside += tag[1] ? -1 : 1;
        return part;
      }
      return tag || inside > 0 ? part : part.replace(TAG, (whole) => piece(whole));
    })
    .join("");
}

function piece(whole: string): string {
  return `<mj-raw><div class="attune-piece" data-attune-tag="${encode(whole)}">${escaped(label(whole))}</div></mj-raw>`;
}

export function label(whole: string): string {
  const when = /\{%-?\s*(?:if|elif)\s+(.*?)\s*-?%\}/.exec(whole);
  if (when) return `Only if: ${when[1]!.replace(/^when\./, "").replaceAll("_", " ")}`;
  if (/\{%-?\s*else/.test(whole)) return "Otherwise";
  if (/\{%-?\s*endif/.test(whole)) return "End of “only if”";
  const shared = /path=["']([\w-]*)["']/.exec(whole);
  if (shared) return `Shared block: ${shared[1]}`;
  return whole;
}

function laidOut(body: string): string {
  const lines: string[] = [];
  let depth = 1;
  let words = "";
  let full = "";
  for (const part of body.split(BLOCKS)) {
    const tag = /^<(\/?)(mj-[\w-]+)/.exec(part);
    if (full) {
      words += part;
      if (tag?.[1] && tag[2] === full) {
        lines.push("  ".repeat(depth) + words);
        full = words = "";
      }
    } else if (!tag) {
      lines.push(...part.split("\n").map((one) => one.trim()).filter(Boolean).map((one) => "  ".repeat(depth) + one));
    } else if (tag[1]) {
      depth -= 1;
      const last = lines[lines.length - 1] ?? "";
      const opening = new RegExp(`^\\s*<${tag[2]}\\b(?:[^>"']|"[^"]*"|'[^']*')*>$`);
      if (opening.test(last)) lines[lines.length - 1] = last.replace(/>$/, " />");
      else lines.push("  ".repeat(depth) + part);
    } else if (FULL.has(tag[2]!)) {
      full = tag[2]!;
      words = part;
    } else {
      lines.push("  ".repeat(depth) + part);
      depth += 1;
    }
  }
  return lines.join("\n").trimStart();
}

function encode(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function decode(said: string): string {
  return new TextDecoder().decode(Uint8Array.from(atob(said), (one) => one.charCodeAt(0)));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The words of the head that staff change beside the board. */
export function headWord(source: string, element: "mj-title" | "mj-preview"): string {
  const found = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`, "i").exec(source);
  return found ? found[1]!.trim() : "";
}

export function withHeadWord(source: string, element: "mj-title" | "mj-preview", words: string): string {
  const whole = `<${element}>${words}</${element}>`;
  const there = new RegExp(`<${element}>[\\s\\S]*?</${element}>`, "i");
  if (there.test(source)) return source.replace(there, () => whole);
  if (!words) return source;
  if (/<mj-head>/i.test(source)) return source.replace(/<mj-head>/i, (head) => `${head}\n    ${whole}`);
  return source.replace(/<mj-body/i, (body) => `<mj-head>\n    ${whole}\n  </mj-head>\n  ${body}`);
}
