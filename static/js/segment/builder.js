// The segment builder. The textarea holds the truth (JSON); the form above it shows the same as
// nested groups and writes it back. The server counts, words and checks; this script only edits.
"use strict";

const builder = document.querySelector("[data-builder]");
const source = document.getElementById("definition");
const preview = document.getElementById("preview");
const turnNumber = document.getElementById("segment-turn");
let root = null;
let places = new Map();

function draw() {
  places = new Map();
  writeTree(root, "$", places);
  builder.replaceChildren(drawn(root, null, 0));
}

function drawn(node, parent, place) {
  return node.kind === "group" ? drawnGroup(node, parent, place) : drawnLeaf(node, parent, place);
}

function button(words, part, act, attributes = {}) {
  return make("button", { type: "button", class: "button small", "data-part": part, onclick: act, ...attributes }, words);
}

function joins(node) {
  const words = [["all", "All of these hold"], ["any", "At least one of these holds"]];
  const counted = [["exactly", "Exactly so many hold"], ["at_least", "At least so many hold"], ["at_most", "At most so many hold"]];
  return [...words, ...counted.filter(([join]) => language.groups.includes(join) || join === node.join)];
}

function drawnGroup(node, parent, place) {
  const join = picker("How the group joins", "join", joins(node), node.join, (value) => { node.join = value; redraw(node, "join"); });
  const head = make("div", { class: "clause-head" }, ...(parent ? [handle(node, "group", place)] : []), join);
  if (COUNTED.includes(node.join)) head.append(numberField("How many", "count", node.count, (count) => { node.count = count; changed(); }, { min: "0", max: String(node.parts.length) }));
  if (node.house) head.append(make("span", { class: "clause-house" }, "for someone in the household"));
  head.append(negation(node), ...(parent ? [menu(node)] : []), ...told(node));
  const list = make("ol", { class: "clause-list" }, ...withRemoved(node, node.parts.map((part, at) => make("li", {}, drawn(part, node, at)))));
  const foot = make("div", { class: "clause-foot" },
    button("Add condition", "add", () => addTo(node, newLeaf())),
    button("Add group", "add-group", () => addTo(node, group(node.join === "any" ? "all" : "any", [newLeaf()]))));
  if (language.groups.includes("household")) foot.append(button("Add household", "add-household", () => addTo(node, group("all", [newLeaf()], { house: true }))));
  return make("fieldset", { class: `clause-group${node.not ? " negated" : ""}`, "data-node": node.key, "data-path": places.get(node.key) },
    make("legend", { class: "hidden-text" }, parent ? `Group ${place + 1}` : "Conditions"), head, list, foot);
}

function drawnLeaf(node, parent, place) {
  const row = make("div", { class: "clause-main" });
  if (node.kind === "raw") row.append(rawField(node));
  else row.append(...asked(node));
  return make("div", { class: `clause${node.not ? " negated" : ""}`, "data-node": node.key, "data-path": places.get(node.key), role: "group", "aria-label": `Condition ${place + 1}` },
    make("div", { class: "clause-line" }, handle(node, "condition", place), row),
    make("div", { class: "clause-tail" }, negation(node), button("Remove", "remove", () => removeNode(node), { class: "button small quiet" }), menu(node), ...told(node)));
}

function asked(node) {
  const row = make("div", { class: "clause-row" });
  const rest = make("div");
  const subject = combobox({
    label: "What", part: "subject", value: bySubject.get(node.subject).label, find: async (text) => subjectsLike(text),
    chosen: (option) => {
      Object.assign(node, { subject: option.value, operator: 0, given: {}, nested: [], shape: {} });
      fill(node, row, rest);
      changed();
    },
  });
  row.append(subject.holder);
  fill(node, row, rest);
  return [row, rest];
}

function subjectsLike(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (one) => words.every((word) => `${one.label} ${one.group} ${one.also ?? ""}`.toLowerCase().includes(word));
  const starts = (one) => Number(!one.label.toLowerCase().startsWith(text.toLowerCase()));
  const found = language.subjects.filter(fits);
  if (text) found.sort((a, b) => starts(a) - starts(b));
  return found.map(({ id, label, group: of }) => ({ value: id, label, group: text ? undefined : of, note: text ? of : undefined }));
}

// What is asked stays in place while what follows it changes: typing to choose goes on working.
function fill(node, row, rest) {
  const { operators } = bySubject.get(node.subject);
  while (row.children.length > 1) row.lastChild.remove();
  if (operators.length > 1) {
    row.append(picker("How", "how", operators.map(({ label }, place) => [place, label]), node.operator, (place) => {
      switchTo(node, place);
      fill(node, row, rest);
      changed();
      row.querySelector("[data-part=how]").focus();
    }));
  } else row.append(make("span", { class: "clause-how" }, operators[0].label));
  const { inputs } = operators[node.operator];
  row.append(...inputs.filter((input) => !input.more).flatMap((input) => controls(node, input)));
  const more = inputs.filter((input) => input.more);
  const open = more.some((input) => node.given[input.name] !== undefined && Object.keys(node.given[input.name] ?? {}).length !== 0);
  rest.replaceChildren(...(more.length ? [make("details", { class: "clause-more", open }, make("summary", {}, "More"), make("div", { class: "clause-row" }, ...more.flatMap((input) => controls(node, input))))] : []));
}

// What was typed is kept where the other question takes the same kind of thing.
function switchTo(node, place) {
  const { operators } = bySubject.get(node.subject);
  const before = new Map(operators[node.operator].inputs.map((input) => [input.name, input]));
  const same = operators[place].inputs.filter((input) => before.get(input.name)?.type === input.type && before.get(input.name)?.of === input.of);
  node.given = Object.fromEntries(same.filter((input) => input.name in node.given).map((input) => [input.name, node.given[input.name]]));
  node.operator = place;
}

function rawField(node) {
  serial += 1;
  const field = make("textarea", { id: `clause-${serial}`, class: "source", rows: "3", spellcheck: "false", "data-part": "raw" });
  field.value = JSON.stringify(node.tree, null, 1);
  field.addEventListener("change", () => {
    try { node.tree = JSON.parse(field.value); } catch { say("That is not JSON yet"); return; }
    Object.assign(node, readTree(node.tree), { key: node.key, not: node.not });
    redraw(node, "handle");
  });
  return labelled("A condition that has no form yet, as JSON", field, { class: "wide" });
}

function handle(node, what, place) {
  return make("button", { type: "button", class: "clause-handle", "data-part": "handle", "aria-label": `Move ${what} ${place + 1}`, "aria-describedby": "clause-keys", title: "Arrows move it; Delete removes it", onclick: (event) => event.currentTarget.focus() }, "⠿");
}

function negation(node) {
  return button("Not", "not", () => turn(node), { "aria-pressed": String(node.not), title: "Everyone for whom this does not hold" });
}

function menu(node) {
  const act = (words, does) => make("button", { type: "button", onclick: () => does(node) }, words);
  const acts = [act("Move up", (one) => shift(one, -1)), act("Move down", (one) => shift(one, 1)), act("Put in a group", putIn), act("Take out of its group", (one) => takeOut(one)), act("Copy", duplicate)];
  if (node.kind === "group") acts.push(act("Keep the conditions, drop the group", dissolve), act("Remove the group", removeNode));
  return make("details", { class: "menu clause-menu" }, make("summary", { "data-part": "menu" }, make("span", { "aria-hidden": "true" }, "⋯"), make("span", { class: "hidden-text" }, "More to do")), make("div", { class: "menu-items" }, ...acts));
}

function told(node) {
  const path = places.get(node.key);
  return [make("output", { class: "clause-count", "data-count-for": path }), make("p", { class: "clause-error", "data-error-for": path, hidden: true })];
}

function addTo(parent, part) {
  parent.parts.push(part);
  redraw(part.kind === "group" ? part.parts[0] : part, "subject");
}

// Focus goes to a part of a node, though the form is drawn anew.
function redraw(node, part) {
  draw();
  changed();
  const holder = builder.querySelector(`[data-node="${node.key}"]`);
  const target = holder?.querySelector(`[data-part="${part}"]`) ?? holder?.querySelector("[data-part=subject], [data-part=join], button");
  target?.focus();
}

function* everyLeaf(node) {
  if (node.kind === "leaf") yield node;
  for (const part of node.parts ?? []) yield* everyLeaf(part);
}

// A newer question overtakes the older, here and on the server: `turn` tells which is newer.
function changed() {
  places = new Map();
  source.value = JSON.stringify(writeTree(root, "$", places), null, 2);
  turnNumber.value = String(Number(turnNumber.value) + 1);
  source.dispatchEvent(new Event("segment-changed"));
  clearTimeout(changed.timer);
  changed.timer = setTimeout(remember, 400);
}

// What the server says, put beside the clauses it is about.

function tell() {
  for (const node of builder.querySelectorAll("[data-count-for]")) {
    const said = preview.querySelector(`[data-count-path="${CSS.escape(node.dataset.countFor)}"]`);
    node.textContent = said ? said.textContent : "";
  }
  for (const node of builder.querySelectorAll("[data-error-for]")) { node.hidden = true; node.textContent = ""; }
  for (const node of builder.querySelectorAll(".wrong")) node.classList.remove("wrong", "waiting");
  for (const node of builder.querySelectorAll("[aria-invalid]")) node.removeAttribute("aria-invalid");
  for (const problem of document.querySelectorAll("[data-problem-path]")) showProblem(problem);
}

// Beside the clause, and in the list in words, with a way there: a JSON path is for the JSON view.
function showProblem(problem) {
  const { problemPath: path, problem: message } = problem.dataset;
  const inside = (n) => path === n.dataset.path || path.startsWith(`${n.dataset.path}.`);
  const owner = [...builder.querySelectorAll("[data-path]")].filter(inside).sort((a, b) => b.dataset.path.length - a.dataset.path.length)[0];
  if (!owner) return;
  const rest = path.slice(owner.dataset.path.length + 1).replace(/^where\./, "");
  const control = controlFor(owner, rest);
  const words = control?.closest("label")?.firstChild.textContent ?? control?.closest(".combo")?.querySelector("label").textContent ?? (rest.length > 40 ? "" : rest);
  const empty = control?.value === "" && !control.closest(".chips-field")?.querySelector(".chip");
  const said = empty ? `Fill in “${words}”` : `${words} ${message}`.trim();
  owner.classList.add("wrong");
  owner.classList.toggle("waiting", nodeByKey(owner.dataset.node, root)?.untouched === true);
  control?.setAttribute("aria-invalid", "true");
  const line = [...owner.querySelectorAll("[data-error-for]")].find((n) => n.dataset.errorFor === owner.dataset.path);
  line.textContent = `${line.textContent} ${said}.`.trim();
  line.hidden = false;
  const leaf = nodeByKey(owner.dataset.node, root)?.kind === "leaf";
  const about = (leaf && owner.querySelector("[data-part=subject]")?.value) || (leaf ? "Condition" : "Group");
  const target = control ?? owner.querySelector("[data-part=subject], [data-part=join]");
  problem.replaceChildren(make("button", { type: "button", class: "link-button", onclick: () => target?.focus() }, about), `: ${said}.`);
}

function controlFor(owner, rest) {
  const named = (part) => (n) => part && (n.dataset.part === part || n.dataset.part.startsWith(`${part}[`) || part.startsWith(`${n.dataset.part}[`));
  const parts = [...owner.querySelectorAll("[data-part]")].filter((n) => n.matches("input, select, textarea, fieldset"));
  return parts.find(named(rest)) ?? parts.find(named(rest.split(".").pop()));
}

function setRoot(tree) {
  const shown = readTree(tree);
  root = shown.kind === "group" && !shown.house ? shown : group("all", [shown]);
  draw();
  changed();
}

function load() {
  let tree;
  try { tree = JSON.parse(source.value); } catch { return; }
  const shown = readTree(tree);
  root = shown.kind === "group" && !shown.house ? shown : group("all", [shown]);
  draw();
  remember();
  nameCodes();
}

source.addEventListener("change", load);
builder.addEventListener("keydown", onKey);
document.querySelector("[data-undo]").addEventListener("click", undo);
document.querySelector("[data-redo]").addEventListener("click", redo);
document.body.addEventListener("htmx:afterSwap", (event) => { if (event.target === preview) tell(); });
load();
tell();
