// The table of all findings. Only the rows that can be seen exist; they are filled anew while it is scrolled.

const ROW = 34;
const TALLEST = 8_000_000; // pixels; browsers end an element's height at 17 or 33 millions
const SPARE = 8;

const grid = { rows: new Uint32Array(0), pool: [], first: 0, active: 0, view: null, stage: null, table: null, body: null };

function drawGrid() {
  const head = el("tr", { "aria-rowindex": "1" }, COLUMNS.map((column) => {
    const sorter = button(t(column), () => change({ sort: column, down: query.sort === column && !query.down }));
    sorter.append(el("span", { class: "arrow", "aria-hidden": "true" }));
    return el("th", { scope: "col", class: `c-${column}`, "data-column": column }, sorter);
  }));
  grid.body = el("tbody");
  grid.table = el("table", { "aria-labelledby": "findings-title" }, el("thead", {}, head), grid.body);
  grid.stage = el("div", { class: "stage" }, grid.table);
  grid.view = el("div", { class: "view", tabindex: "0", role: "region", "aria-label": t("grid.help") }, grid.stage);
  grid.view.addEventListener("scroll", () => requestAnimationFrame(paint), { passive: true });
  grid.view.addEventListener("keydown", steer);
  grid.body.addEventListener("click", (event) => {
    const line = event.target.closest("tr");
    if (line && !event.target.closest("a")) openFinding(grid.rows[line.place]);
  });
  grid.pool = [];
  $("grid").replaceChildren(grid.view, el("p", { id: "none", class: "none", hidden: true }, t("rows.none")));
  showRows();
}

// What is seen of the rows, and how far they are scrolled; a list that is too tall is scrolled in proportion.
function geometry() {
  const height = Math.min(grid.rows.length * ROW, TALLEST);
  const space = Math.max(grid.view.clientHeight - ROW, ROW);
  const fit = Math.max(1, Math.floor(space / ROW));
  return { height, fit, last: Math.max(grid.rows.length - fit, 0), room: Math.max(height - space, 1), tall: height < grid.rows.length * ROW };
}

function showRows() {
  grid.active = 0;
  grid.table.setAttribute("aria-rowcount", String(grid.rows.length + 1));
  grid.stage.style.height = `${Math.min(grid.rows.length * ROW, TALLEST) + ROW}px`;
  grid.view.hidden = !grid.rows.length;
  $("none").hidden = Boolean(grid.rows.length);
  for (const title of grid.table.querySelectorAll("th")) {
    const sorted = title.dataset.column === query.sort;
    if (sorted) title.setAttribute("aria-sort", query.down ? "descending" : "ascending");
    else title.removeAttribute("aria-sort");
  }
  grid.view.scrollTop = 0;
  paint();
}

function paint() {
  const { fit, last, room, tall } = geometry();
  const top = grid.view.scrollTop;
  const exact = tall ? Math.round((top / room) * last) : Math.floor(top / ROW);
  grid.first = Math.max(0, Math.min(exact, last) - (tall ? 0 : SPARE));
  const count = Math.min(fit + 2 * SPARE, grid.rows.length - grid.first);
  grid.table.style.top = `${tall ? top : grid.first * ROW}px`; // a transform would carry the sticky heading away
  while (grid.pool.length < count) grid.pool.push(line());
  const focused = grid.body.contains(document.activeElement);
  grid.pool.forEach((made, at) => (at < count ? fillLine(made, grid.first + at) : made.remove()));
  if (focused) (opener(grid.active) || grid.view).focus({ preventScroll: true });
}

// The button of a row, while that row exists.
const opener = (place) => grid.pool.find((made) => made.isConnected && made.place === place)?.cellOf.check.firstChild;

function line() {
  const made = el("tr");
  made.cellOf = Object.fromEntries(COLUMNS.map((column) => [column, made.appendChild(el("td", { class: `c-${column}` }))]));
  made.cellOf.host.append(el("a", { href: "#hosts", tabindex: "-1", translate: "no" }));
  made.cellOf.check.append(el("button", { type: "button", class: "open", lang: "en" }));
  return made;
}

function fillLine(made, place) {
  const row = grid.rows[place];
  const check = rowCheck(row);
  const status = rowStatus(row);
  const host = HOSTS[rowHost[row]];
  const cells = made.cellOf;
  if (!made.isConnected) grid.body.append(made);
  made.place = place;
  made.setAttribute("aria-rowindex", String(place + 2));
  const changed = rowChange(row);
  const tags = [changed === "new" && "change.new", rowWaiver(row) && "waived.yes"].filter(Boolean);
  cells.status.replaceChildren(badge(status), ...tags.map((key) => el("span", { class: "tag" }, t(key))));
  cells.severity.textContent = t(`severity.${SEVERITIES[check.severity]}`);
  cells.host.firstChild.textContent = host.name;
  cells.host.firstChild.href = hostAddress(host);
  cells.object.textContent = rowAbout(row);
  cells.check.firstChild.textContent = check.id;
  cells.check.firstChild.tabIndex = place === grid.active ? 0 : -1;
  cells.found.textContent = rowText(row, "observed") || (status === PASS ? "" : rowText(row, "message"));
  cells.expected.textContent = rowText(row, "expected");
  cells.item.textContent = check.items.join(", ");
}

// Arrow keys move between rows: one of them is a tab stop, as in a list box.
function steer(event) {
  const { fit } = geometry();
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: fit, PageUp: -fit, Home: -Infinity, End: Infinity };
  if (!(event.key in steps) || event.target.closest("thead") || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const inside = grid.body.contains(document.activeElement);
  const next = inside || Math.abs(steps[event.key]) !== 1 ? grid.active + steps[event.key] : grid.active;
  activate(Math.max(0, Math.min(next, grid.rows.length - 1)));
}

function activate(place) {
  grid.active = place;
  const { fit, last, room, tall } = geometry();
  const from = tall ? Math.round((grid.view.scrollTop / room) * last) : grid.view.scrollTop / ROW;
  if (place < from || place > from + fit - 1) {
    const first = Math.max(0, Math.min(place < from ? place : place - fit + 1, last));
    grid.view.scrollTop = tall ? (first / last) * room : first * ROW;
  }
  paint();
  opener(place)?.focus({ preventScroll: true });
}
