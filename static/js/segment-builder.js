// The segment builder. The textarea holds the truth (JSON); the form above it shows the same as
// nested groups and writes it back. The server counts, words and checks; this script only edits.
"use strict";

const subjects = JSON.parse(document.getElementById("segment-subjects").textContent);
const bySubject = new Map(subjects.map((subject) => [subject.id, subject]));
const builder = document.querySelector("[data-builder]");
const source = document.getElementById("definition");
const preview = document.getElementById("preview");
let root = null;
let serial = 0;

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// From JSON to what is shown. A leaf that the builder has no form for stays as JSON.

function read(tree, negated = false) {
  if (tree && typeof tree === "object" && "not" in tree && Object.keys(tree).length === 1) {
    return negated ? { kind: "group", join: "all", not: true, parts: [read(tree)] } : read(tree.not, true);
  }
  for (const join of ["all", "any"]) {
    if (Array.isArray(tree?.[join])) {
      return { kind: "group", join, not: negated, parts: tree[join].map((part) => read(part)) };
    }
  }
  return readLeaf(tree, negated) ?? { kind: "raw", not: negated, tree };
}

function readLeaf(tree, negated) {
  const subject = subjects.find(({ key: [kind, id] }) => tree?.[kind] === id);
  if (!subject) return null;
  const given = flatten(tree, subject.key[0]);
  const index = subject.operators.findIndex((operator) => fits(operator, tree, given));
  if (index < 0) return null;
  return { kind: "leaf", not: negated, subject: subject.id, operator: index, given };
}

function flatten(tree, kind) {
  const given = {};
  for (const [key, value] of Object.entries(tree)) {
    if (key === kind || key === "op") continue;
    if (key === "where" || key === "times") {
      const prefix = key === "times" ? "times." : "";
      for (const [inner, held] of Object.entries(value)) given[prefix + inner] = shown(held);
    } else if (Array.isArray(value) && key === "value" && typeof value[0] === "number") {
      value.forEach((one, place) => { given[`value.${place}`] = String(one); });
    } else given[key] = shown(value);
  }
  return given;
}

function shown(value) {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? null : String(value);
}

function fits(operator, tree, given) {
  if ((tree.op ?? "") !== operator.op) return false;
  const names = new Map(operator.inputs.map((input) => [input.name, input]));
  if (tree.event && !("times" in tree)) return names.has("times.at_least") && known(given, names);
  const needed = operator.inputs.filter((input) => !input.optional && !(input.name in given));
  return needed.length === 0 && known(given, names);
}

function known(given, names) {
  return Object.entries(given).every(([name, value]) => names.has(name) && value !== null);
}

// From what is shown to JSON. `paths` remembers where each element's clause stands.

function write(node) {
  if (node.kind === "group") {
    const group = { [node.join]: node.parts.map(write) };
    return node.not ? { not: group } : group;
  }
  const leaf = node.kind === "raw" ? node.tree : writeLeaf(node);
  return node.not ? { not: leaf } : leaf;
}

function writeLeaf(node) {
  const subject = bySubject.get(node.subject);
  const operator = subject.operators[node.operator];
  const tree = { [subject.key[0]]: subject.key[1] };
  if (operator.op) tree.op = operator.op;
  for (const input of operator.inputs) put(tree, input, (node.given[input.name] ?? "").trim());
  return tree;
}

function put(tree, input, text) {
  if (text === "" && input.optional) return;
  const value = typed(input.type, text);
  const [key, inner] = input.name.split(".");
  if (inner === undefined) tree[key] = value;
  else if (key === "value") (tree.value ??= []).push(value);
  else (tree[key] ??= {})[inner] = value;
}

function typed(type, text) {
  if (["number", "whole", "whole-choice"].includes(type)) return text === "" ? null : Number(text);
  if (type === "boolean") return text === "true";
  if (type === "texts") return text.split(",").map((one) => one.trim()).filter(Boolean);
  return text;
}

// Showing. `path` is the clause's place in the JSON, as the server names it.

function draw() {
  builder.replaceChildren(drawn(root, "$", null));
}

function drawn(node, path, parent) {
  const inside = node.not ? `${path}.not` : path;
  if (node.kind === "group") return drawnGroup(node, inside, path, parent);
  return drawnLeaf(node, inside, path, parent);
}

function drawnGroup(node, inside, path, parent) {
  const joins = [["all", "All of these hold"], ["any", "At least one of these holds"]];
  const join = choice("How the group joins", joins, node.join, (value) => { node.join = value; });
  const group = make("fieldset", { class: `clause-group${node.not ? " negated" : ""}`, "data-path": inside });
  group.append(
    make("legend", { class: "hidden-text" }, parent ? "Group of conditions" : "Conditions"),
    make("div", { class: "clause-head" }, join, negation(node), ...tail(node, parent, inside)),
    ...node.parts.map((part, place) => drawn(part, `${inside}.${node.join}[${place}]`, node)),
    make("div", { class: "clause-head" },
      button("Add condition", () => { add(node, fresh()); }),
      button("Add group", () => { add(node, { kind: "group", join: "any", not: false, parts: [fresh()] }); })),
    make("p", { class: "clause-error", "data-error-for": inside, hidden: true }),
  );
  return group;
}

function drawnLeaf(node, inside, path, parent) {
  const clause = make("div", { class: `clause${node.not ? " negated" : ""}`, "data-path": inside, role: "group", "aria-label": "Condition" });
  if (node.kind === "raw") clause.append(make("pre", {}, JSON.stringify(node.tree)));
  else clause.append(...asked(node));
  clause.append(
    make("div", { class: "clause-tail" }, negation(node), ...tail(node, parent, inside)),
    make("p", { class: "clause-error", "data-error-for": inside, hidden: true }),
  );
  return clause;
}

// The two pickers stay in place while what follows them changes: typing to choose goes on working.

function asked(node) {
  const row = make("div", { class: "clause-row" });
  const rest = make("div");
  const about = subjectChoice(node, () => { fillOperators(node, row, rest); changed(); });
  row.append(about);
  fillOperators(node, row, rest);
  return [row, rest];
}

function fillOperators(node, row, rest) {
  const operators = bySubject.get(node.subject).operators.map(({ label }, place) => [String(place), label]);
  const how = choice("How", operators, String(node.operator), (value) => {
    node.operator = Number(value);
    fillInputs(node, row, rest, how);
  });
  while (row.children.length > 1) row.lastChild.remove();
  row.append(how);
  fillInputs(node, row, rest, how);
}

function fillInputs(node, row, rest, how) {
  while (how.nextSibling) how.nextSibling.remove();
  const inputs = bySubject.get(node.subject).operators[node.operator].inputs;
  row.append(...inputs.filter((input) => !input.optional).map((input) => entry(node, input)));
  const more = inputs.filter((input) => input.optional);
  const open = more.some((input) => node.given[input.name]);
  rest.replaceChildren(...(more.length ? [make("details", { class: "clause-more", open }, make("summary", {}, "More"), make("div", { class: "clause-row" }, ...more.map((input) => entry(node, input))))] : []));
}

function subjectChoice(node, chosen) {
  const groups = new Map();
  for (const subject of subjects) {
    if (!groups.has(subject.group)) groups.set(subject.group, make("optgroup", { label: subject.group }));
    groups.get(subject.group).append(make("option", { value: subject.id, selected: subject.id === node.subject }, subject.label));
  }
  const select = make("select", { id: `clause-${serial += 1}`, "data-part": "subject" }, ...groups.values());
  select.addEventListener("change", () => {
    Object.assign(node, { subject: select.value, operator: 0, given: {} });
    chosen();
  });
  return labelled("What", select);
}

function entry(node, input) {
  if (input.default && !(input.name in node.given)) node.given[input.name] = input.default;
  if (input.options) {
    const held = node.given[input.name] ?? input.options[0][0];
    node.given[input.name] = held;
    return choice(input.label, input.options, held, (value) => { node.given[input.name] = value; });
  }
  const type = { number: "number", whole: "number", date: "date" }[input.type] ?? "text";
  const field = make("input", {
    id: `clause-${serial += 1}`, type, value: node.given[input.name] ?? "", "data-part": input.name,
    min: input.type === "whole" ? "0" : null, step: input.type === "number" ? "any" : null, autocomplete: "off",
    oninput: () => { node.given[input.name] = field.value; changed(); },
  });
  return labelled(input.label, field);
}

function choice(label, options, held, chosen) {
  const select = make("select", { id: `clause-${serial += 1}`, "data-part": label },
    ...options.map(([value, words]) => make("option", { value, selected: value === held }, words)));
  select.addEventListener("change", () => { chosen(select.value); if (label === "How the group joins") redraw(focusKey(select)); else changed(); });
  return labelled(label, select);
}

function labelled(words, control) {
  return make("label", { for: control.id }, make("span", {}, words), control);
}

function button(words, act, attributes = {}) {
  return make("button", { type: "button", class: "button small", onclick: act, ...attributes }, words);
}

function negation(node) {
  const press = button("Not", () => { node.not = !node.not; redraw(focusKey(press)); }, { "aria-pressed": String(node.not), title: "Everyone for whom this does not hold", "data-part": "not" });
  return press;
}

function tail(node, parent, inside) {
  const count = make("output", { class: "clause-count", "data-count-for": inside });
  if (!parent) return [count];
  const gone = button("Remove", () => {
    parent.parts.splice(parent.parts.indexOf(node), 1);
    redraw(focusKey(gone.closest(".clause-group, .clause").parentElement));
  }, { class: "button small quiet", "data-part": "remove" });
  return [gone, count];
}

function fresh() {
  const subject = subjects[0];
  return { kind: "leaf", not: false, subject: subject.id, operator: 0, given: {} };
}

function add(group, part) {
  group.parts.push(part);
  redraw(null);
  const clauses = builder.querySelectorAll("[data-part=subject]");
  const holder = [...clauses].at(-1);
  const place = [...builder.querySelectorAll(".clause, .clause-group")].find((n) => n.dataset.path.endsWith(`${group.join}[${group.parts.length - 1}]`));
  (place?.querySelector("select") ?? holder)?.focus();
}

// Focus stays where the person was, though the form is drawn anew.

function focusKey(node) {
  const clause = node?.closest?.("[data-path]");
  return clause ? `${clause.dataset.path.replaceAll(".not", "")}|${node.querySelector?.("select")?.dataset.part ?? node.dataset.part ?? ""}` : null;
}

function redraw(key) {
  draw();
  changed();
  if (!key) return;
  const [path, part] = key.split("|");
  const clause = [...builder.querySelectorAll("[data-path]")].find((n) => n.dataset.path.replaceAll(".not", "") === path);
  const target = clause && ([...clause.querySelectorAll("[data-part]")].find((n) => n.dataset.part === part) ?? clause.querySelector("select, button"));
  target?.focus();
}

function changed() {
  source.value = JSON.stringify(write(root), null, 2);
  source.dispatchEvent(new Event("segment-changed"));
}

// What the server says, put beside the clauses it is about.

function tell() {
  for (const node of builder.querySelectorAll("[data-count-for]")) {
    const said = preview.querySelector(`[data-count-path="${CSS.escape(node.dataset.countFor)}"]`);
    node.textContent = said ? said.textContent : "";
  }
  for (const node of builder.querySelectorAll("[data-error-for]")) { node.hidden = true; node.textContent = ""; }
  for (const node of builder.querySelectorAll(".wrong")) node.classList.remove("wrong");
  for (const problem of document.querySelectorAll("[data-problem-path]")) showProblem(problem.dataset.problemPath, problem.dataset.problem);
}

function showProblem(path, message) {
  const clauses = [...builder.querySelectorAll("[data-path]")];
  const owner = clauses.filter((n) => path === n.dataset.path || path.startsWith(`${n.dataset.path}.`)).sort((a, b) => b.dataset.path.length - a.dataset.path.length)[0];
  if (!owner) return;
  owner.classList.add("wrong");
  const line = [...owner.querySelectorAll("[data-error-for]")].find((n) => n.dataset.errorFor === owner.dataset.path);
  line.textContent = `${line.textContent} ${path.slice(owner.dataset.path.length + 1)} ${message}.`.trim();
  line.hidden = false;
}

function load() {
  let tree;
  try { tree = JSON.parse(source.value); } catch { return; }
  const shownTree = read(tree);
  root = shownTree.kind === "group" ? shownTree : { kind: "group", join: "all", not: false, parts: [shownTree] };
  draw();
}

source.addEventListener("change", load);
document.body.addEventListener("htmx:afterSwap", (event) => { if (event.target === preview) tell(); });
load();
tell();
