// The table of findings. What it shows stands in the address, so that a view can be linked.
const NOBODY = " "; // No owner is called so: names are without spaces around them.
const PAGE = 100;
const CHANGES = ["new", "reopened", "worsened", "eased", "suppressed", "unchanged"];

const STATUSES = {
  open: (finding) => finding.status === "open",
  suppressed: (finding) => finding.status === "suppressed",
  unconfirmed: (finding) => finding.status === "open" && finding.unconfirmed !== "",
};
const FILTERS = {
  severity: ["Severity", (finding, value) => (value.endsWith("+") ? finding.rank <= SEVERITIES.indexOf(value.slice(0, -1)) : finding.severity === value)],
  category: ["Category", (finding, value) => finding.category === value],
  status: ["Status", (finding, value) => STATUSES[value]?.(finding) ?? false],
  change: ["This scan", (finding, value) => finding.news === value],
  account: ["Account", (finding, value) => finding.account === value],
  region: ["Region", (finding, value) => finding.region === value],
  owner: ["Owner", (finding, value) => (finding.owner || NOBODY) === value],
  check: ["Check", (finding, value) => finding.check === value],
};
const GROUPS = {
  check: ["check", (finding) => finding.check, (finding) => titled(finding.check)],
  account: ["account", (finding) => finding.account, (finding) => name(finding.name)],
  owner: ["owner", (finding) => finding.owner || NOBODY, (finding) => (finding.owner ? name(finding.owner) : h("i", {}, "nobody"))],
  region: ["region", (finding) => finding.region, (finding) => finding.region],
};

const text = (left, right) => (left < right ? -1 : left > right ? 1 : 0);
// [key in the address, heading, order, class]
const COLUMNS = [
  ["severity", "Severity", (left, right) => left.rank - right.rank, ""],
  ["check", "Finding", (left, right) => text(titled(left.check), titled(right.check)), "wide-cell"],
  ["resource", "Resource", (left, right) => text(left.short, right.short), "break"],
  ["account", "Account", (left, right) => text(left.name, right.name), "break"],
  ["region", "Region", (left, right) => text(left.region, right.region), ""],
  ["owner", "Owner", (left, right) => text(left.owner || "\uffff", right.owner || "\uffff"), "break"],
  ["age", "Days", (left, right) => left.age - right.age, "number"],
  ["usd", "USD", (left, right) => (left.usd ?? -1) - (right.usd ?? -1), "number"],
  ["status", "State", (left, right) => text(state(left), state(right)), ""],
];
const NAMES = ["q", ...Object.keys(FILTERS), "sort", "group", "page"];

let view = {}; // Of NAMES, those that are set.
let shown = []; // The findings that the view asks for, in its order.
let open = new Set(); // Groups that are unfolded.

function state(finding) {
  if (finding.status === "suppressed") return "suppressed";
  if (finding.unconfirmed) return "unconfirmed";
  return finding.news === "unchanged" ? "open" : finding.news;
}

function read(address) {
  const told = new URLSearchParams(address.slice(1));
  return Object.fromEntries(NAMES.filter((each) => told.get(each)).map((each) => [each, told.get(each)]));
}

function written(view, finding) {
  const told = new URLSearchParams(NAMES.filter((each) => view[each]).map((each) => [each, view[each]]));
  if (finding) told.set("finding", finding);
  return `#${told}`;
}

const haystacks = new Map();
function haystack(finding) {
  if (!haystacks.has(finding)) {
    const { check, name: account, resource, owner, problems, tags, id, region, key } = finding;
    const told = [check, titled(check), account, finding.account, resource, region, key, owner, id, ...problems];
    for (const [tag, value] of tags ?? []) told.push(`${tag}=${value}`);
    haystacks.set(finding, told.join("\n").toLowerCase());
  }
  return haystacks.get(finding);
}

function selected() {
  const wanted = (view.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const filters = Object.keys(FILTERS).filter((each) => view[each]);
  const found = FINDINGS.filter(
    (finding) =>
      filters.every((each) => FILTERS[each][1](finding, view[each])) &&
      (!wanted.length || wanted.every((word) => haystack(finding).includes(word))),
  );
  const [, column, down] = ordering();
  if (column) found.sort((left, right) => (down ? -1 : 1) * column[2](left, right) || left.row - right.row);
  return found;
}

function ordering() {
  const key = (view.sort ?? "").replace("-", "");
  return [key, COLUMNS.find((each) => each[0] === key), (view.sort ?? "").startsWith("-")];
}

function change(different) {
  const next = { ...view, page: "", ...different };
  history.replaceState(null, "", written(next));
  apply(next);
}

function apply(next) {
  if (next.group !== view.group) open = new Set();
  view = next;
  shown = selected();
  draw();
}

function draw() {
  fields();
  const group = GROUPS[view.group];
  byId("rows").replaceChildren(h("table", { class: "findings", role: "table", "aria-labelledby": "findings" }, head(), group ? groups(group) : body(paged(shown))));
  pages(group ? grouped(group).size : shown.length);
  const usd = shown.reduce((sum, each) => sum + (each.usd ?? 0), 0);
  const what = shown.length === FINDINGS.length ? counted(FINDINGS.length, "finding") : `${count(shown.length)} of ${counted(FINDINGS.length, "finding")}`;
  const parts = [what, group ? counted(grouped(group).size, group[0]) : "", usd ? `${money(usd)} USD a month` : ""];
  const more = DATA.more ? `And ${count(DATA.more)} more, in findings.jsonl.gz: this page has the worst.` : "";
  byId("count").textContent = `${parts.filter(Boolean).join(", ")}. ${more}`;
}

const place = () => Math.max(1, Math.floor(Number(view.page)) || 1);
const paged = (list) => list.slice((place() - 1) * PAGE, place() * PAGE);

function head() {
  const [key, , down] = ordering();
  const cell = ([column, heading, , kind]) => {
    const sorted = column === key ? (down ? "descending" : "ascending") : null;
    const first = ["age", "usd"].includes(column) ? `-${column}` : column;
    const next = column !== key ? first : down ? column : `-${column}`;
    return h(
      "th",
      { scope: "col", role: "columnheader", class: kind, "aria-sort": sorted },
      h("button", { type: "button", class: sorted, "data-sort": column, onclick: () => refocused(() => change({ sort: next }), column) }, heading),
    );
  };
  return h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, COLUMNS.map(cell)));
}

// The head is drawn anew: who sorted by it stays on it.
function refocused(act, column) {
  act();
  document.querySelector(`[data-sort="${column}"]`).focus();
}

const body = (list) => h("tbody", { role: "rowgroup" }, list.length ? list.map(line) : h("tr", { role: "row" }, h("td", { role: "cell", colspan: COLUMNS.length }, "No finding is like that.")));

function line(finding) {
  const said = state(finding);
  const cells = {
    severity: chip(finding.severity),
    check: [h("a", { href: written(view, finding.id) }, titled(finding.check)), h("span", { class: "evidence" }, finding.problems[0] ?? "")],
    resource: name(finding.short),
    account: name(finding.name),
    region: finding.region,
    owner: finding.owner ? name(finding.owner) : h("i", {}, "nobody"),
    age: count(finding.age),
    usd: finding.usd == null ? "" : money(finding.usd),
    status: h("span", { class: `state ${said}` }, said),
  };
  return h(
    "tr",
    { role: "row" },
    COLUMNS.map(([key, heading, , kind]) => h("td", { role: "cell", class: `${kind} ${key}`, "data-heading": heading }, cells[key])),
  );
}

function grouped([, key]) {
  const found = new Map();
  for (const finding of shown) {
    if (!found.has(key(finding))) found.set(key(finding), []);
    found.get(key(finding)).push(finding);
  }
  return found;
}

function groups(group) {
  // As sorted; without an order, where the worst is most.
  const all = [...grouped(group)];
  if (!view.sort) all.sort((left, right) => worse(left[1], right[1]));
  return paged(all).flatMap(([key, list]) => folding(group, key, list));
}

function worse(left, right) {
  for (const severity of SEVERITIES) {
    const [here, there] = [left, right].map((list) => list.filter((each) => each.severity === severity).length);
    if (here !== there) return there - here;
  }
  return 0;
}

function folding([, , label], key, list) {
  const counts = {};
  for (const each of list) counts[each.severity] = (counts[each.severity] ?? 0) + 1;
  const usd = list.reduce((sum, each) => sum + (each.usd ?? 0), 0);
  const button = h("button", { type: "button", class: "fold", "aria-expanded": String(open.has(key)) }, label(list[0]));
  const told = [listed(counts), usd ? `${money(usd)} USD a month` : ""].filter(Boolean).join("; ");
  const title = h("tr", { role: "row", class: "group" }, h("th", { role: "rowheader", scope: "rowgroup", colspan: COLUMNS.length }, button, h("span", { class: "told" }, told)));
  const rows = h("tbody", { role: "rowgroup", class: "folded" }, title);
  const unfold = () => rows.append(...list.slice(0, PAGE).map(line), ...rest(list.length - PAGE));
  if (open.has(key)) unfold();
  button.addEventListener("click", () => {
    const unfolded = open.delete(key);
    button.setAttribute("aria-expanded", String(!unfolded));
    if (unfolded) return rows.replaceChildren(title);
    open.add(key);
    return unfold();
  });
  return rows;
}

const rest = (more) =>
  more > 0 ? [h("tr", { role: "row" }, h("td", { role: "cell", colspan: COLUMNS.length }, `And ${count(more)} more: filter, or show without groups.`))] : [];

function pages(all) {
  const last = Math.max(1, Math.ceil(all / PAGE));
  const go = (to) => () => {
    change({ page: to > 1 ? String(to) : "" });
    byId("findings").scrollIntoView();
    byId("findings").focus({ preventScroll: true });
  };
  const here = Math.min(place(), last);
  const buttons = [
    h("button", { type: "button", disabled: here <= 1, onclick: go(here - 1) }, "Previous"),
    h("span", {}, `Page ${count(here)} of ${count(last)}`),
    h("button", { type: "button", disabled: here >= last, onclick: go(here + 1) }, "Next"),
  ];
  byId("pages").replaceChildren(...(last > 1 ? buttons : []));
}

// The form, made once; afterwards it only shows the view.
function fields() {
  for (const each of byId("filters").elements) {
    const value = view[each.name] ?? "";
    if (each.tagName === "SELECT" && ![...each.options].some((option) => option.value === value)) each.append(h("option", { value }, value));
    if (each.name && each.value !== value && each !== document.activeElement) each.value = value;
  }
}

function form() {
  const values = (of, label = (finding) => of(finding)) => {
    const found = new Map(FINDINGS.map((each) => [of(each), label(each)]));
    return [...found].sort((left, right) => text(left[1], right[1]));
  };
  const choices = {
    severity: SEVERITIES.flatMap((each, at) => [[each, each], ...(at % 4 ? [[`${each}+`, `${each} or worse`]] : [])]),
    category: values((each) => each.category),
    status: Object.keys(STATUSES).map((each) => [each, each]),
    change: CHANGES.map((each) => [each, each]),
    account: values((each) => each.account, (each) => each.name),
    region: values((each) => each.region),
    owner: values((each) => each.owner || NOBODY, (each) => each.owner || "nobody"),
    check: values((each) => each.check, (each) => titled(each.check)),
  };
  const select = (key, label, options, none) =>
    h(
      "label",
      {},
      h("span", {}, label),
      h("select", { name: key, onchange: (event) => change({ [key]: event.target.value }) }, h("option", { value: "" }, none), options.map(([value, told]) => h("option", { value }, told))),
    );
  let waiting;
  const typed = (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change({ q: event.target.value }), 120);
  };
  const clear = () => {
    clearTimeout(waiting);
    byId("filters").reset();
    change(Object.fromEntries(NAMES.map((each) => [each, ""])));
  };
  byId("filters").append(
    h("label", { class: "search" }, h("span", {}, "Search"), h("input", { type: "search", name: "q", autocomplete: "off", spellcheck: "false", placeholder: "check, account, resource, owner, tag", oninput: typed })),
    ...Object.entries(FILTERS).map(([key, [label]]) => select(key, label, choices[key], "all")),
    select("group", "Group by", Object.keys(GROUPS).map((each) => [each, each]), "nothing"),
    h("button", { type: "button", onclick: clear }, "Clear"),
  );
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
}
