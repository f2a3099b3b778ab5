// What Python packed, as rows again.
const DATA = JSON.parse(byId("data").textContent);
const SCAN = DATA.summary;
const SEVERITIES = ["critical", "high", "medium", "low", "informational"];
const DAY = 86400000;

function unpacked(packed) {
  const { words: texts, ids } = packed;
  const at = (column, row) => (typeof packed[column] === "number" ? packed[column] : packed[column][row]);
  const text = (column, row) => texts[at(column, row)];
  return ids.map((id, row) => {
    const account = text("account", row);
    const region = text("region", row);
    const end = text("end", row);
    const resource = text("front", row) + end;
    const parts = [resource, end, account, region];
    const whole = (number) => texts[number].replace(/[\u0001-\u0004]/g, (mark) => parts[mark.charCodeAt(0) - 1]);
    const many = (column) => packed[column][row].map((number) => texts[number]);
    const opened = text("opened", row);
    const status = text("status", row);
    const unconfirmed = text("unconfirmed", row);
    const changed = text("changed", row);
    return {
      row,
      id,
      account,
      region,
      resource,
      opened,
      status,
      unconfirmed,
      check: text("check", row),
      severity: text("severity", row),
      rank: SEVERITIES.indexOf(text("severity", row)),
      category: text("category", row),
      name: text("name", row) || account,
      short: short(resource),
      key: text("key", row),
      problems: packed.problems[row].map(whole),
      more: at("more", row),
      first: text("first", row),
      change: text("change", row),
      news: changed === SCAN.scan ? text("change", row) : "unchanged",
      history: pairs(many("history")),
      owner: text("owner", row),
      by: text("by", row),
      tags: packed.tags[row] && pairs(packed.tags[row].map((number) => texts[number])),
      usd: packed.usd[row],
      basis: text("basis", row),
      confidence: text("confidence", row),
      suppressed: text("suppressed", row),
      because: text("because", row),
      commands: packed.commands[row].map(whole),
      age: Math.max(0, Math.floor((Date.parse(SCAN.started) - Date.parse(opened)) / DAY)),
    };
  });
}

function pairs(flat) {
  const found = [];
  for (let at = 0; at < flat.length; at += 2) found.push([flat[at], flat[at + 1]]);
  return found;
}

// What people call it: the ARN without what account, region or an id already say.
function short(arn) {
  const parts = arn.split(":");
  const told = parts.length > 5 ? parts.slice(5).join(":") : arn;
  const last = told.slice(told.lastIndexOf("/") + 1);
  return /^[a-z]+-[0-9a-f]{8,17}$/.test(last) ? last : told || arn;
}

const FINDINGS = unpacked(DATA.findings);
const RESOLVED = unpacked(DATA.resolved);
const BY_ID = new Map([...RESOLVED, ...FINDINGS].map((finding) => [finding.id, finding]));
const titled = (check) => DATA.checks[check]?.title ?? check;
