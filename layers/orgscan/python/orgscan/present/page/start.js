// What the address asks for: a part of the page, a view of the table, a finding.
function follow(first) {
  const address = location.hash;
  if (!address.includes("=")) {
    if (DETAIL.open) DETAIL.close();
    // The start of the page is without a view; a link to a part of it leaves the view as it is.
    if (first || !address) apply({});
    return;
  }
  const id = new URLSearchParams(address.slice(1)).get("finding");
  const next = read(address);
  const moved = written(next) !== written(view);
  if (first || moved) apply(next);
  if (id) {
    if (BY_ID.has(id)) detail(BY_ID.get(id));
    else missing(id);
    return;
  }
  if (DETAIL.open) DETAIL.close();
  if (moved) byId("findings").scrollIntoView();
}

function theme() {
  const button = byId("theme");
  const dark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const label = () => (button.textContent = dark() ? "Light" : "Dark");
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    label();
  });
  button.hidden = false;
  label();
}

theme();
overview();
form();
byId("table").hidden = false;
DETAIL.addEventListener("close", () => history.replaceState(null, "", written(view)));
DETAIL.addEventListener("click", (event) => event.target === DETAIL && DETAIL.close());
addEventListener("hashchange", () => follow(false));
follow(true);
