// Charts are tables: a row's name, a bar, and the number that the bar shows.

// Link to the table of findings with these filters.
function filtered(filters) {
  return `#${new URLSearchParams(filters)}`;
}

// Parts: [class, number, name]. The widest bar has the length `longest`.
function bar(parts, longest) {
  const sum = parts.reduce((all, [, number]) => all + number, 0);
  const told = parts.filter(([, number]) => number).map(([, number, what]) => `${count(number)} ${what}`);
  const drawing = svg("svg", { class: "bar", role: "img", "aria-label": told.join(", ") || "none" });
  let from = 0;
  for (const [kind, number, what] of parts.filter((each) => each[1])) {
    const width = (number * 100) / longest;
    drawing.append(
      svg("rect", { class: kind, x: `${from}%`, width: `${width}%`, height: "100%" }, svg("title", {}, `${count(number)} ${what}`)),
    );
    if (width > 3 + 2.2 * String(number).length)
      drawing.append(svg("text", { class: kind, x: `${from + width / 2}%`, y: "50%" }, count(number)));
    from += width;
  }
  return [drawing, sum];
}

const bySeverity = (counts) => SEVERITIES.map((each) => [each, counts[each] ?? 0, each]);

// Rows: [label, counts by severity, link or nothing].
function severityBars(caption, heading, rows) {
  const longest = Math.max(1, ...rows.map((row) => total(row[1])));
  return table(
    caption,
    [[heading, "what"], ["By severity", "drawn"], ["Open", "number"]],
    rows.map(([label, counts, link]) => {
      const [drawing, sum] = bar(bySeverity(counts), longest);
      return [link ? h("a", { href: link }, label) : label, drawing, count(sum)];
    }),
    { class: "bars" },
  );
}

function legend(kinds) {
  return h("ul", { class: "legend" }, kinds.map((each) => h("li", { class: each }, each)));
}

// A line or stacked areas over the scans; `series`: [class, [value per scan]].
function areas(label, series, { top, floor = 0, stacked = true }) {
  const drawing = svg("svg", { class: "areas", viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": label });
  const scans = series[0][1].length;
  const x = (at) => (at * 100) / (scans - 1);
  const y = (value) => 100 - ((value - floor) * 100) / (top - floor || 1);
  let below = Array(scans).fill(floor);
  for (const [kind, values] of series) {
    const above = values.map((value, at) => (stacked ? below[at] + value : value));
    const points = [...above.map((value, at) => [at, value])];
    const back = below.map((value, at) => [at, value]).reverse();
    const path = (list) => list.map(([at, value]) => `${x(at).toFixed(2)},${y(value).toFixed(2)}`).join(" ");
    drawing.append(svg("polygon", { class: kind, points: path([...points, ...back]) }));
    drawing.append(svg("polyline", { class: kind, points: path(points) }));
    if (stacked) below = above;
  }
  return drawing;
}
