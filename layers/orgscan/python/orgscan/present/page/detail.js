// One finding, all of it, in a dialog: Escape closes it, and the focus goes back to where it was.
const DETAIL = byId("detail");

const OWNED = {
  "resource-tag": "by a tag of the resource",
  "account-tag": "by a tag of its account",
  "ou-tag": "by a tag of its organizational unit",
  "alternate-contact": "as the account's alternate contact",
};

function detail(finding) {
  const check = DATA.checks[finding.check];
  const close = closing();
  opened(
    close,
    h("header", {}, h("p", {}, chip(finding.severity), ` ${finding.category}`, finding.news === "unchanged" ? "" : `, ${finding.news} in this scan`), close),
    h("h2", { id: "detail-title" }, titled(finding.check)),
    part("Evidence", evidence(finding)),
    check ? [part("Why it matters", prose(check.why)), part("What to do", prose(check.fix), ...commands(finding, check))] : null,
    part("About it", facts(finding)),
    finding.tags?.length ? part("Tags", pairsList(finding.tags)) : null,
    check ? part("More", references(finding, check)) : null,
    neighbours(finding),
  );
}

function opened(first, ...children) {
  DETAIL.replaceChildren();
  fill(DETAIL, {}, children);
  if (!DETAIL.open) DETAIL.showModal();
  DETAIL.scrollTop = 0;
  first.focus();
}

const closing = () => h("button", { type: "button", class: "close", onclick: () => DETAIL.close() }, "Close");

const part = (title, ...children) => h("section", {}, h("h3", {}, title), ...children);
const prose = (text) => text.split(/\n\s*\n/).filter(Boolean).map((each) => h("p", {}, marked(each.replaceAll("\n", " "))));
const pairsList = (pairs) => h("dl", {}, pairs.map(([term, told]) => [h("dt", {}, name(term)), h("dd", {}, name(told))]));

function evidence(finding) {
  const rest = finding.more ? h("li", {}, `and ${count(finding.more)} more, in findings.jsonl.gz`) : null;
  return [
    h("p", { class: "resource" }, h("code", {}, name(finding.resource)), finding.key ? [", part ", h("code", {}, name(finding.key))] : null),
    h("ul", {}, finding.problems.map((each) => h("li", {}, name(each))), rest),
  ];
}

// Lines end between words: no option loses its dashes to the line before.
const unbroken = (text) => text.split(/(\s+)/).map((part) => (part.trim() ? h("span", {}, part) : part));

function commands(finding, check) {
  const found = finding.commands.length ? [copied("AWS CLI", finding.commands.join("\n"))] : [];
  return check.cdk ? [...found, copied("CDK, Python", check.cdk)] : found;
}

function copied(title, text) {
  const code = h("pre", { tabindex: "0", "aria-label": title }, h("code", {}, unbroken(text)));
  const said = h("span", { role: "status" });
  const copy = async () => {
    const done = await toClipboard(text, code);
    said.textContent = done ? "Copied" : "Selected: copy it yourself";
  };
  return h("div", { class: "copied" }, h("div", { class: "title" }, h("h4", {}, title), said, h("button", { type: "button", onclick: copy }, "Copy")), code);
}

// Where the browser keeps the clipboard from pages (http, say), the text is at least selected.
async function toClipboard(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(shown);
    return false;
  }
}

function facts(finding) {
  const told = [
    ["Account", [name(finding.name), finding.name === finding.account ? null : ` (${finding.account})`]],
    ["Region", finding.region],
    ["Owner", finding.owner ? [name(finding.owner), `, named ${OWNED[finding.by] ?? ""}`] : "nobody is named"],
    ["Open since", `${day(finding.opened)}, ${counted(finding.age, "day")}`],
    finding.first === finding.opened ? null : ["First seen", day(finding.first)],
    finding.usd == null ? null : ["Saving", `${money(finding.usd)} USD a month, ${finding.confidence} confidence: ${finding.basis}`],
    ["Status", finding.status],
    finding.suppressed ? ["Suppressed by", h("code", {}, finding.suppressed)] : null,
    finding.unconfirmed ? ["Unconfirmed since", `${day(finding.unconfirmed)}: it could not be seen whether it is still so`] : null,
    finding.because ? ["Resolved, because", words(finding.because)] : null,
    ["History", history_(finding)],
    ["Id", h("a", { href: written({}, finding.id) }, finding.id)],
  ].filter(Boolean);
  return h("dl", {}, told.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

function history_(finding) {
  const events = finding.history.length ? finding.history : [[finding.first, "new"]];
  return h("ol", { class: "history" }, events.map(([when, what]) => h("li", {}, h("time", { datetime: when }, day(when)), ` ${what}`)));
}

function references(finding, check) {
  return h(
    "ul",
    {},
    check.maps.map((each) => h("li", {}, each)),
    check.refs.map((each) => h("li", {}, h("a", { href: each, rel: "noopener noreferrer", target: "_blank", referrerpolicy: "no-referrer" }, each))),
    h("li", {}, h("a", { href: filtered({ check: finding.check }) }, "All findings of ", h("code", {}, finding.check))),
  );
}

// Those before and behind it in the table, as it is filtered and sorted.
function neighbours(finding) {
  const at = shown.indexOf(finding);
  if (at < 0 || shown.length < 2) return null;
  const link = (to, label) => (shown[to] ? h("a", { href: written(view, shown[to].id), class: "button" }, label) : h("span", {}));
  return h("nav", { class: "pages", "aria-label": "Other findings" }, link(at - 1, "Previous"), h("span", {}, `${count(at + 1)} of ${count(shown.length)}`), link(at + 1, "Next"));
}

function missing(id) {
  const close = closing();
  opened(
    close,
    h("header", {}, h("p", {}, "No such finding"), close),
    h("h2", { id: "detail-title" }, "Not in this report"),
    h("p", {}, "The finding ", h("code", {}, name(id)), " is neither open, suppressed nor resolved in this scan. The report of another scan may have it."),
  );
}
