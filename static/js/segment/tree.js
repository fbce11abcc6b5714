// From JSON to what is shown, and back. A node is a group, a leaf, or JSON that has no form.
// A leaf keeps the JSON values of its inputs in `given`, so what nobody edits comes back as it was.
"use strict";

const language = JSON.parse(document.getElementById("segment-language").textContent);
const bySubject = new Map(language.subjects.map((subject) => [subject.id, subject]));
// What many conditions offer alike comes once.
for (const input of language.subjects.flatMap(({ operators }) => operators.flatMap(({ inputs }) => inputs))) {
  if (input.listed) input.options = language[input.listed];
}
const COUNTED = ["exactly", "at_least", "at_most"];
const UNITS = ["seconds", "minutes", "hours", "days", "weeks", "months", "years"];
const TESTS = [["equals", "is"], ["not_equals", "is not"], ["gte", "is at least"], ["gt", "is more than"], ["lte", "is at most"], ["lt", "is less than"], ["contains", "contains"], ["starts_with", "starts with"], ["ends_with", "ends with"], ["matches", "fits the pattern"], ["before", "is before"], ["after", "is after"], ["exists", "is known"]];
const WORDY = new Set(["contains", "starts_with", "ends_with", "matches", "before", "after"]);
let serial = 0;

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const only = (tree, key) => isObject(tree) && key in tree && Object.keys(tree).length === 1;

function fresh(node) {
  serial += 1;
  return { key: `n${serial}`, not: false, ...node };
}

function group(join, parts, more = {}) {
  return fresh({ kind: "group", join, count: 1, house: false, parts, ...more });
}

function newLeaf(subject = language.subjects[0].id) {
  return fresh({ kind: "leaf", subject, operator: 0, given: {}, nested: [], shape: {}, untouched: true });
}

function readTree(tree, negated = false) {
  if (only(tree, "not")) return negated ? group("all", [readTree(tree)], { not: true }) : readTree(tree.not, true);
  const found = readGroup(tree) ?? readLeaf(tree) ?? fresh({ kind: "raw", tree });
  return Object.assign(found, { not: negated });
}

function readGroup(tree) {
  if (only(tree, "household")) {
    const inner = readGroup(tree.household);
    return inner && !inner.house ? Object.assign(inner, { house: true }) : group("all", [readTree(tree.household)], { house: true });
  }
  for (const join of ["all", "any"]) {
    if (only(tree, join) && Array.isArray(tree[join])) return group(join, tree[join].map((part) => readTree(part)));
  }
  const join = COUNTED.find((one) => isObject(tree) && one in tree);
  if (!join || !Array.isArray(tree.of) || Object.keys(tree).length !== 2) return null;
  return group(join, tree.of.map((part) => readTree(part)), { count: tree[join] });
}

function subjectOf(tree) {
  for (const kind of language.kinds) {
    if (!(kind in tree)) continue;
    if (isObject(tree[kind])) return bySubject.get(`leaf:${kind}`);
    const begins = isText(tree[kind]) && tree[kind].endsWith("*") ? bySubject.get(`${kind}:begins`) : undefined;
    return bySubject.get(`${kind}:${tree[kind]}`) ?? begins ?? bySubject.get(`${kind}:*`);
  }
  return undefined;
}

function readLeaf(tree) {
  if (!isObject(tree)) return null;
  const subject = subjectOf(tree);
  if (!subject) return null;
  const body = subject.whole ? tree[subject.kind] : tree;
  if (subject.whole && Object.keys(tree).length !== 1) return null;
  const { flat, nested } = flattened(body, subject);
  for (const [place, operator] of subject.operators.entries()) {
    const read = fitting(operator, flat);
    if (read) return fresh({ kind: "leaf", subject: subject.id, operator: place, nested, ...read });
  }
  return null;
}

// `where` of a list field may stand inside or outside; objects that inputs name by a dot open up.
function flattened(body, subject) {
  const flat = { ...body };
  const nested = [];
  if (!subject.whole && subject.value !== undefined) delete flat[subject.kind];
  if (subject.entries && isObject(flat.where)) {
    nested.push(...Object.keys(flat.where));
    Object.assign(flat, flat.where);
    delete flat.where;
  }
  for (const key of subject.objects) {
    if (!isObject(flat[key])) continue;
    for (const [inner, value] of Object.entries(flat[key])) flat[`${key}.${inner}`] = value;
    delete flat[key];
  }
  return { flat, nested };
}

function fitting(operator, flat) {
  const left = new Map(Object.entries(flat));
  if ((left.get("op") ?? "") !== operator.op) return null;
  left.delete("op");
  for (const [name, value] of Object.entries(operator.fixed ?? {})) {
    if (left.get(name) !== value) return null;
    left.delete(name);
  }
  const given = {};
  const shape = {};
  for (const input of operator.inputs) {
    if (!(CODECS[input.type] ?? CODECS.text).read(input, left, given, shape)) return null;
  }
  return left.size === 0 ? { given, shape } : null;
}

// One codec for each kind of input. `read` takes its keys out of `left`; false: not this form.

const plain = (accepts) => ({
  read(input, left, given) {
    if (!left.has(input.name)) return true;
    const value = left.get(input.name);
    if (!accepts(value, input)) return false;
    given[input.name] = value;
    return left.delete(input.name);
  },
  write(input, given, put) {
    const value = given[input.name];
    if (input.optional && (value === undefined || value === "" || value === null)) return;
    put(input.name, value ?? (input.type === "text" || input.type === "date" ? "" : null));
  },
});

const isText = (value) => typeof value === "string";
const isNumber = (value) => typeof value === "number" || value === null;
const isPoint = (value) => isText(value) || (isObject(value) && UNITS.includes(value.unit) && ("ago" in value || "ahead" in value));
const offered = (input, value) => input.options.some(([option]) => option === value);

const isPropertyTest = (row) => isObject(row) && isText(row.property) && TESTS.some(([op]) => op === row.op) && (row.value === undefined || typeof row.value !== "object") && Object.keys(row).every((key) => ["property", "op", "value"].includes(key));

const several = (accepts) => ({
  read(input, left, given, shape) {
    const name = [input.name, ...(input.aliases ?? [])].find((one) => left.has(one));
    if (name === undefined) return true;
    const value = left.get(name);
    const list = Array.isArray(value) ? value : [value];
    if (!list.every((one) => accepts(one, input))) return false;
    given[input.name] = list;
    shape[input.name] = { name, single: !Array.isArray(value) };
    return left.delete(name);
  },
  write(input, given, put, shape) {
    const list = given[input.name] ?? [];
    if (input.optional && list.length === 0) return;
    const was = shape[input.name];
    if (was && list.length === 1 && was.single) put(was.name, list[0]);
    else put(input.name, list);
  },
});

const windowCodec = {
  read(input, left, given) {
    const keys = ["since", "before", "during", ...UNITS.flatMap((unit) => [`within_${unit}`, `next_${unit}`])].filter((key) => left.has(key));
    const spans = keys.filter((key) => key !== "since" && key !== "before");
    if (spans.length > 1 || (spans.length === 1 && keys.length > 1)) return false;
    const fits = (key, value) => {
      if (key === "during") return language.periods.some(([period]) => period === value);
      return spans.includes(key) ? typeof value === "number" : isPoint(value);
    };
    if (!keys.every((key) => fits(key, left.get(key)))) return false;
    given[input.name] = Object.fromEntries(keys.map((key) => [key, left.get(key)]));
    keys.forEach((key) => left.delete(key));
    return true;
  },
  write(input, given, put) {
    for (const [key, value] of Object.entries(given[input.name] ?? {})) put(key, value);
  },
};

const timesCodec = {
  read(input, left, given) {
    const keys = ["at_least", "at_most", "exactly"].filter((key) => left.has(`times.${key}`));
    if (keys.length > 1) return false;
    given.times = keys.length ? { how: keys[0], count: left.get(`times.${keys[0]}`) } : { how: "", count: 1 };
    keys.forEach((key) => left.delete(`times.${key}`));
    return true;
  },
  write(input, given, put) {
    const { how, count } = given.times ?? { how: "", count: 1 };
    if (how) put(`times.${how}`, count);
  },
};

// `form.*`, typed without its star.
const beginning = {
  read(input, left, given) {
    const value = left.get(input.name);
    if (!isText(value) || !value.endsWith("*")) return value === undefined;
    given[input.name] = value.slice(0, -1);
    return left.delete(input.name);
  },
  write(input, given, put) {
    const start = (given[input.name] ?? "").replace(/\*+$/, "");
    put(input.name, start ? `${start}*` : "");
  },
};

const CODECS = {
  beginning,
  text: plain(isText),
  date: plain(isText),
  number: plain(isNumber),
  whole: plain(isNumber),
  point: plain(isPoint),
  choice: plain((value, input) => offered(input, value) || (Boolean(input.listed) && isText(value))),
  boolean: plain((value) => typeof value === "boolean"),
  pair: plain((value, input) => Array.isArray(value) && value.length === 2 && value.every((one) => (input.of === "point" ? isPoint(one) : isNumber(one)))),
  conditions: plain((value) => Array.isArray(value) && value.every(isPropertyTest)),
  texts: several(isText),
  numbers: several(isNumber),
  codes: several(isText),
  choices: several((value, input) => offered(input, value)),
  window: windowCodec,
  times: timesCodec,
};

// Writing. `places` remembers where each node's JSON stands, as the server names it.

function writeTree(node, path = "$", places = new Map()) {
  const inside = node.not ? `${path}.not` : path;
  places.set(node.key, inside);
  let tree;
  if (node.kind === "group") tree = writeGroup(node, inside, places);
  else tree = node.kind === "raw" ? node.tree : writeLeaf(node);
  return node.not ? { not: tree } : tree;
}

function writeGroup(node, path, places) {
  const at = node.house ? `${path}.household` : path;
  const counted = COUNTED.includes(node.join);
  const list = counted ? "of" : node.join;
  const parts = node.parts.map((part, place) => writeTree(part, `${at}.${list}[${place}]`, places));
  const tree = counted ? { [node.join]: node.count, of: parts } : { [node.join]: parts };
  return node.house ? { household: tree } : tree;
}

function writeLeaf(node) {
  const subject = bySubject.get(node.subject);
  const operator = subject.operators[node.operator];
  const body = subject.whole || subject.value === undefined ? {} : { [subject.kind]: subject.value };
  const inner = {};
  const put = (name, value) => {
    const [key, part] = name.split(".");
    const into = node.nested.includes(key) ? inner : body;
    if (part === undefined) into[key] = value;
    else (into[key] ??= {})[part] = value;
  };
  if (operator.op) body.op = operator.op;
  for (const [name, value] of Object.entries(operator.fixed ?? {})) put(name, value);
  for (const input of operator.inputs) (CODECS[input.type] ?? CODECS.text).write(input, node.given, put, node.shape);
  if (Object.keys(inner).length) body.where = inner;
  return subject.whole ? { [subject.kind]: body } : body;
}

// Looking around in the tree.

function parentOf(node, within) {
  if (within.kind !== "group") return null;
  if (within.parts.includes(node)) return within;
  for (const part of within.parts) {
    const found = parentOf(node, part);
    if (found) return found;
  }
  return null;
}

function nodeByKey(key, within) {
  if (within.key === key) return within;
  for (const part of within.parts ?? []) {
    const found = nodeByKey(key, part);
    if (found) return found;
  }
  return null;
}
