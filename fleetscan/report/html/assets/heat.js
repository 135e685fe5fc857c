// Hosts × sections of the article. A cell shows a symbol, a number and a pattern, and leads to the findings behind it.

const HEAT_ROWS = 24;
const heatParts = { growing: null };

function drawHeat() {
  const { rows } = DATA.heat;
  if (!rows.length) return section("heat", "");
  const title = DATA.run.playbook === "asr-hyperv" ? t("heat") : t("heat.sections");
  const body = el("tbody");
  const more = button("", () => grow(rows.length), { class: "more" });
  let shown = 0;
  function grow(until) {
    const from = shown;
    const asked = document.activeElement === more;
    shown = Math.min(until, rows.length);
    body.append(...rows.slice(from, shown).map((row, at) => heatRow(row, from + at)));
    more.hidden = shown >= rows.length;
    more.textContent = t("heat.more", { n: rows.length - shown });
    if (asked) body.children[from]?.querySelector("a")?.focus();
  }
  grow(rows.length > HEAT_ROWS + 6 ? HEAT_ROWS : rows.length);
  heatParts.growing = { all: () => grow(rows.length) };
  const head = el("tr", {}, el("th", { scope: "col" }, t("host")), SECTIONS.map((name) =>
    el("th", { scope: "col", title: sectionWords(name) }, el("abbr", { title: sectionWords(name) }, name))));
  section("heat", title, el("p", { class: "quiet" }, t("heat.note")),
    el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": title },
      el("table", { class: "heat" }, el("thead", {}, head), el("tbody", { class: "all" }, allHosts()), body)),
    more, legend());
}

function heatRow(row, place) {
  const many = row.hosts.length > 1;
  const name = many ? filterLink(S[row.label], { group: String(place) }, { translate: "no", class: "names", title: S[row.label] }) : hostLink(HOSTS[row.hosts[0]]);
  return el("tr", {}, el("th", { scope: "row" }, badgeMark(row.verdict), many ? el("strong", {}, t("heat.hosts", { n: row.hosts.length }), " ") : "", name),
    SECTIONS.map((section, at) => heatCell(section, row.cells[2 * at], row.cells[2 * at + 1], { group: String(place) })));
}

const badgeMark = (status) => el("span", { class: `mark ${statusClass(status)}`, title: t(`status.${STATUSES[status]}`) },
  el("span", { "aria-hidden": "true" }, SYMBOLS[STATUSES[status]]), el("span", { class: "unseen" }, `${t(`status.${STATUSES[status]}`)}: `));

function heatCell(section, status, count, wanted) {
  if (status >= STATUSES.length) return el("td", {}, el("span", { class: "cell nothing" }, el("span", { class: "unseen" }, t("heat.nothing", { section }))));
  const name = STATUSES[status];
  const words = t("heat.cell", { section, what: counted(status, count) });
  const quiet = status === PASS || status === NOT_APPLICABLE;
  return el("td", {}, filterLink([el("span", { "aria-hidden": "true" }, SYMBOLS[name] + (quiet ? "" : ` ${number(count)}`)), el("span", { class: "unseen" }, words)],
    { ...wanted, section, status: [name] }, { class: `cell ${statusClass(status)}`, title: words }));
}

// The sum over the fleet: the worst status of each section, and how many findings have it.
function allHosts() {
  if (DATA.heat.rows.length < 2) return [];
  const cells = SECTIONS.map((section, at) => {
    const worst = Math.min(...DATA.heat.rows.map((row) => row.cells[2 * at]));
    const count = DATA.heat.rows.reduce((sum, row) => sum + (row.cells[2 * at] === worst ? row.cells[2 * at + 1] : 0), 0);
    return heatCell(section, worst, count, {});
  });
  return [el("tr", {}, el("th", { scope: "row" }, t("heat.all")), cells)];
}

const legend = () => el("p", { class: "legend", role: "group", "aria-label": t("legend") }, [FAIL, WARN, ERROR, NOT_ASSESSED, PASS, NOT_APPLICABLE].map((status) => badge(status)));
