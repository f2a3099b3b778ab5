// Elements and words. Text becomes text, never markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  for (const child of children.flat(3)) if (child != null && child !== "") element.append(child);
  return element;
}

const h = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const byId = (id) => document.getElementById(id);

const count = (number) => number.toLocaleString("en-US");
const money = (usd) => usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const day = (moment) => moment.slice(0, 10);
const words = (name) => name.replaceAll("-", " ");
const percent = (part, whole) => (whole ? Math.floor((part * 100) / whole) : 0);
const total = (counts) => Object.values(counts).reduce((sum, each) => sum + each, 0);

// `code` as the documentation writes it.
const marked = (text) => text.split("`").map((part, odd) => (odd % 2 ? h("code", {}, part) : part));

// Names may be written from right to left: they must not turn their neighbours.
const name = (text) => h("bdi", {}, text);

function listed(counts, between = ", ") {
  return SEVERITIES.filter((each) => counts[each]).map((each) => `${count(counts[each])} ${each}`).join(between);
}

function section(id, title, ...children) {
  return h("section", { "aria-labelledby": id }, h("h2", { id, tabindex: "-1" }, title), ...children);
}

// Columns: [heading, class]; rows: lists of cells, the first of which names the row. Roles, because on a phone
// the style makes cards of rows, which some browsers take for the end of the table.
function table(caption, columns, rows, attributes) {
  const heads = columns.map(([text, kind]) => h("th", { scope: "col", role: "columnheader", class: kind }, text));
  const cells = (row) =>
    row.map((cell, at) => {
      const [heading, kind] = columns[at];
      if (!at) return h("th", { scope: "row", role: "rowheader", class: kind }, cell);
      return h("td", { role: "cell", class: kind, "data-heading": heading.toLowerCase() }, cell);
    });
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h(
      "table",
      { role: "table", ...attributes },
      h("caption", { class: "hidden" }, caption),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
      h("tbody", { role: "rowgroup" }, rows.map((row) => h("tr", { role: "row" }, cells(row)))),
    ),
  );
}
