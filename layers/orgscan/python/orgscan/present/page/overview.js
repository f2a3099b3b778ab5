// All above the table of findings and below it.

function gaps() {
  if (SCAN.complete) return null;
  const rows = SCAN.gaps.map((gap) => {
    const [label, meaning, advice] = DATA.reasons[gap.reason] ?? [gap.reason, "", ""];
    const help = h(
      "details",
      {},
      h("summary", {}, name(gap.detail)),
      h("p", {}, marked(meaning), "."),
      h("p", {}, h("b", {}, "What to do: "), marked(advice), "."),
    );
    return [label, help, count(gap.checks), count(gap.targets)];
  });
  const columns = [["Why", "reason"], ["In detail", ""], ["Checks", "number"], ["Targets", "number"]];
  const before = SCAN.coverage_before == null ? null : `The scan before saw ${SCAN.coverage_before}%.`;
  return section(
    "unseen",
    "Not seen",
    h("p", {}, "None of these checks counts as clean, and none of them closed a finding. Open a row to read what it means and what to do. ", before),
    folded(table("What was not seen", columns, rows), 8),
    SCAN.more_gaps ? h("p", {}, `And ${counted(SCAN.more_gaps, "other reason")}, in the logs.`) : null,
  );
}

// The first rows, and a button for the others.
function folded(region, most) {
  const rows = [...region.querySelectorAll("tbody > tr")].slice(most);
  if (!rows.length) return region;
  for (const row of rows) row.hidden = true;
  const show = () => {
    for (const row of rows) row.hidden = false;
    region.focus();
    button.remove();
  };
  const button = h("button", { type: "button", onclick: show }, `Show ${counted(rows.length, "more row")}`);
  return [region, button];
}

function fixes() {
  const { causes, removed } = DATA.fixes;
  if (!causes.length) return null;
  const shares = SEVERITIES.filter((each) => removed[each]?.[0]).map(
    (each) => `${percent(...removed[each])}% of ${each} findings (${count(removed[each][0])} of ${count(removed[each][1])})`,
  );
  const rows = causes.map(([check, counts, accounts, usd]) => [
    h("a", { href: filtered({ check, status: "open" }) }, titled(check)),
    bar(bySeverity(counts), Math.max(...causes.map((each) => total(each[1]))))[0],
    count(total(counts)),
    count(accounts),
    usd ? money(usd) : "",
  ]);
  const columns = [["Cause", "what"], ["By severity", "drawn"], ["Open", "number"], ["Accounts", "number"], ["USD a month", "number"]];
  return section(
    "fixes",
    "Top fixes",
    h("p", { class: "lead" }, `Closing ${causes.length === 1 ? "this cause" : `these ${causes.length} causes`} removes ${shares.slice(0, 2).join(" and ")}.`),
    table("Causes to close first", columns, rows, { class: "bars fixes" }),
  );
}

function charts() {
  const categories = new Map();
  for (const [severity, families] of Object.entries(SCAN.open))
    for (const [family, number] of Object.entries(families))
      categories.set(family, { ...categories.get(family), [severity]: number });
  const worst = (left, right) => SEVERITIES.map((each) => (right[1][each] ?? 0) - (left[1][each] ?? 0)).find(Boolean) ?? 0;
  const { accounts, owners, ages, more_accounts: moreAccounts, more_owners: moreOwners } = DATA.rollup;
  const regions = Object.entries(DATA.regions).sort(worst);
  const bounds = [["7", "a week or less"], ["30", "a month or less"], ["90", "90 days or less"], ["365", "a year or less"], ["older", "older"]];
  const aged = bounds.map(([bound, label]) => [
    label,
    Object.fromEntries(SEVERITIES.map((each) => [each, ages[each]?.[bound] ?? 0])),
  ]);
  const open = (filters) => filtered({ ...filters, status: "open" });
  const panel = (title, caption, heading, rows, more) =>
    rows.length
      ? h("div", { class: "panel" }, h("h3", {}, title), severityBars(caption, heading, rows), more ? h("p", { class: "more" }, more) : null)
      : null;
  const panels = [
    panel("By category", "Open findings by category and severity", "Category", [...categories].sort(worst).map(([family, counts]) => [family, counts, open({ category: family })])),
    panel("By age", "Open findings by age and severity", "Open for", Object.keys(ages).length ? aged : []),
    panel("By owner", "Owners with the worst open findings", "Owner", owners.map(([owner, counts]) => [owner ? name(owner) : h("i", {}, "nobody"), counts, open({ owner: owner || NOBODY })]), moreOwners ? `and ${counted(moreOwners, "other owner")}` : ""),
    panel("Worst accounts", "Accounts with the worst open findings", "Account", accounts.filter((each) => total(each[2])).map(([id, label, counts]) => [name(label || id), counts, open({ account: id })]), moreAccounts ? `and ${counted(moreAccounts, "other account")}` : ""),
    panel("By region", "Open findings by region and severity", "Region", regions.slice(0, 10).map(([region, counts]) => [region, counts, open({ region })]), regions.length > 10 ? `and ${counted(regions.length - 10, "other region")}` : ""),
  ];
  return section("charts", "Where", legend(SEVERITIES), h("div", { class: "panels" }, panels));
}

function trend() {
  const scans = DATA.trend;
  if (scans.length < 2) return null;
  const [first, last] = [scans[0], scans.at(-1)];
  const sums = scans.map((each) => total(each.open));
  const series = SEVERITIES.map((each) => [each, scans.map((scan) => scan.open[each] ?? 0)]);
  const coverage = scans.map((each) => each.coverage);
  const floor = Math.min(95, Math.floor(Math.min(...coverage) / 5) * 5);
  const top = Math.max(1, ...sums);
  const rows = [...scans].reverse().map((scan) => [
    scan.started.slice(0, 16).replace("T", " "),
    `${scan.coverage}%`,
    ...SEVERITIES.map((each) => count(scan.open[each] ?? 0)),
    money(scan.monthly_usd),
  ]);
  const columns = [["Scan, UTC", ""], ["Coverage", "number"], ...SEVERITIES.map((each) => [each, "number"]), ["USD a month", "number"]];
  const chart = (title, drawing, high, low) =>
    h(
      "figure",
      { class: "trend" },
      h("figcaption", {}, title),
      h("div", { class: "plot" }, h("span", { class: "high" }, high), h("span", { class: "base" }, low), drawing),
      h("div", { class: "span" }, h("span", {}, day(first.started)), h("span", {}, day(last.started))),
    );
  const what = `Open findings of ${scans.length} scans, from ${count(sums[0])} to ${count(sums.at(-1))}`;
  return section(
    "trend",
    "Trend",
    h("p", {}, `The last ${scans.length} scans ${SCAN.schedule ? "of the same schedule" : "on demand"}: open findings went from ${count(sums[0])} to ${count(sums.at(-1))}, coverage from ${first.coverage}% to ${last.coverage}%.`),
    legend(SEVERITIES),
    h(
      "div",
      { class: "panels" },
      chart("Open findings", areas(what, series, { top }), count(top), "0"),
      chart("Coverage", areas(`Coverage from ${first.coverage}% to ${last.coverage}%`, [["coverage", coverage]], { top: 100, floor, stacked: false }), "100%", `${floor}%`),
    ),
    h("details", {}, h("summary", {}, "The same in numbers"), table("Trend over scans", columns, rows)),
  );
}

function savings() {
  if (!DATA.savings.length) return null;
  const sums = DATA.savings.map((each) => total(each[1]));
  const longest = Math.max(1, ...sums);
  const kinds = ["high", "medium", "low"];
  const rows = DATA.savings.map(([check, amounts, findings, unpriced], at) => [
    h("a", { href: filtered({ check, status: "open", sort: "-usd" }) }, titled(check)),
    bar(kinds.map((each) => [`sure-${each}`, Math.round(amounts[each] ?? 0), `USD a month, ${each} confidence`]), longest)[0],
    money(sums[at]),
    count(findings),
    unpriced ? count(unpriced) : "",
  ]);
  const columns = [["Check", "what"], ["By confidence", "drawn"], ["USD a month", "number"], ["Findings", "number"], ["Unpriced", "number"]];
  return section(
    "savings",
    "Savings",
    h("p", {}, `About ${money(SCAN.monthly_usd)} USD a month at list prices`, SCAN.unpriced ? `, and ${counted(SCAN.unpriced, "finding")} without a price` : "", ". In the total a resource counts once, with its largest saving. Confidence: high where a whole resource goes, medium where it shrinks, low where a share is assumed."),
    h("ul", { class: "legend" }, kinds.map((each) => h("li", { class: `sure-${each}` }, `${each} confidence`))),
    folded(table("Savings by check", columns, rows, { class: "bars" }), 10),
  );
}

const VERDICTS = [["passed", "passed"], ["failed", "failed"], ["accepted", "accepted"], ["not_judged", "not judged"]];

function compliance() {
  const rows = DATA.compliance.map((each) => [
    h("details", {}, h("summary", {}, each.framework), h("p", {}, each.title), controls(each)),
    bar(VERDICTS.map(([verdict, label]) => [verdict, each[verdict], label]), Math.max(1, each.with_checks))[0],
    ...VERDICTS.map(([verdict]) => count(each[verdict])),
    `${count(each.with_checks)} of ${count(each.controls)}`,
  ]);
  if (!rows.length) return null;
  const columns = [["Framework", "what"], ["Verdicts", "drawn"], ...VERDICTS.map(([, label]) => [label, "number"]), ["With checks", "number"]];
  return section(
    "compliance",
    "Compliance",
    h("p", {}, "Of controls that have checks. A control passes only if everything was seen and nothing was found; accepted: only suppressed findings; not judged: something was not seen. Open a framework for what did not pass."),
    h("ul", { class: "legend" }, VERDICTS.map(([verdict, label]) => h("li", { class: verdict }, label))),
    table("Controls by framework", columns, rows, { class: "bars" }),
  );
}

function controls(framework) {
  if (!framework.list.length) return h("p", {}, "Every control with checks passed.");
  const link = (check) => h("a", { href: filtered({ check }) }, check);
  return h(
    "ul",
    { class: "controls" },
    framework.list.map(([control, verdict, findings, accounts, checks]) =>
      h("li", {}, h("b", {}, control), ` ${words(verdict)}`, findings ? `, ${counted(findings, "finding")} in ${counted(accounts, "account")}` : "", ": ", checks.map((each, at) => [at ? ", " : "", link(each)])),
    ),
  );
}

function tagging() {
  const told = DATA.tags;
  if (!told.judged) return null;
  const list = (title, heading, rows) =>
    h("div", { class: "panel" }, h("h3", {}, title), table(title, [[heading, "what"], ["Compliant", "number"], ["Of", "number"], ["", "number"]], rows));
  const cells = (label, each) => [label, count(each.compliant), count(each.judged), `${each.percent}%`];
  const named = Object.fromEntries(FINDINGS.map((each) => [each.account, each.name]));
  return section(
    "tags",
    "Tags",
    h("p", {}, `${told.percent}% of ${counted(told.judged, "resource")} carry the tags that the policies ask for. The least compliant:`),
    h(
      "div",
      { class: "panels" },
      list("By account", "Account", told.accounts.map((each) => cells(name(named[each.account] ?? each.account), each))),
      list("By owner", "Owner", told.owners.map((each) => cells(each.owner === "*" ? h("i", {}, "others") : each.owner ? name(each.owner) : h("i", {}, "nobody"), each))),
    ),
  );
}

function endings() {
  if (!SCAN.suppressions.length) return null;
  const rows = SCAN.suppressions.map((each) => [name(each.what), name(each.owner), each.expires, count(each.findings)]);
  return section("endings", "Suppressions that end", table("Suppressions that end", [["What", ""], ["Owner", ""], ["Last day", "date"], ["Findings", "number"]], rows));
}

function accounts() {
  const { account_changes: moves, more_account_changes: more, skipped } = SCAN;
  if (!moves.length && !skipped.length) return null;
  const rows = moves.map((each) => [name(each.name || each.account), each.account, each.change]);
  return section(
    "accounts",
    "Accounts",
    rows.length ? table("Accounts that came or went", [["Account", ""], ["Id", "number"], ["What happened", ""]], rows) : null,
    more ? h("p", {}, `And ${count(more)} more, in summary.json.`) : null,
    skipped.length ? h("p", {}, `Not active, so not scanned: `, skipped.map((each, at) => [at ? ", " : "", name(each)]), ".") : null,
  );
}

function resolved() {
  if (!RESOLVED.length) return null;
  const rows = RESOLVED.map((each) => [
    chip(each.severity),
    h("a", { href: filtered({ finding: each.id }) }, titled(each.check)),
    name(each.short),
    name(each.name),
    each.region,
    words(each.because),
    counted(each.age, "day"),
  ]);
  const columns = [["Severity", ""], ["Finding", "wide-cell"], ["Resource", "break"], ["Account", "break"], ["Region", ""], ["Why", ""], ["Was open", "number"]];
  return section(
    "resolved",
    "Resolved by this scan",
    folded(table("Findings that this scan closed", columns, rows), 10),
    DATA.more_resolved ? h("p", {}, `And ${count(DATA.more_resolved)} more, in resolved.jsonl.gz.`) : null,
  );
}

function spent() {
  const cost = SCAN.cost;
  if (!cost) return null;
  const usd = cost.usd < 0.005 ? "less than 0.01" : `about ${money(cost.usd)}`;
  return section(
    "spent",
    "What the scan cost",
    h("p", {}, `${usd} USD: ${counted(cost.calls, "API call")}${cost.throttled ? ` (${count(cost.throttled)} throttled)` : ""}, ${count(Math.round(cost.gb_seconds))} GB-seconds in ${counted(cost.invocations, "invocation")}.`),
  );
}

const chip = (severity) => h("span", { class: `chip ${severity}` }, severity);

const SHORT = { fixes: "Fixes", resolved: "Resolved", endings: "Suppressions", spent: "Cost" };

function overview() {
  byId("overview").append(...[gaps(), fixes(), charts(), trend(), savings(), compliance()].filter(Boolean));
  byId("after").append(...[resolved(), endings(), accounts(), tagging(), spent()].filter(Boolean));
  const heads = [...document.querySelectorAll("main h2[id]")].filter((head) => head.id !== "numbers");
  byId("parts").append(h("ul", {}, heads.map((head) => h("li", {}, h("a", { href: `#${head.id}` }, SHORT[head.id] ?? head.textContent)))));
}
