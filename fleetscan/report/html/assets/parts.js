// Small things that several parts of the page show alike.

const statusClass = (status) => `s-${STATUSES[status]}`;

const counted = (status, n) => t(`counted.${STATUSES[status]}`, { n });

function badge(status, count) {
  const name = STATUSES[status];
  return el("span", { class: `badge ${statusClass(status)}` }, el("span", { class: "symbol", "aria-hidden": "true" }, SYMBOLS[name]),
    count === undefined ? t(`status.${name}`) : counted(status, count));
}

// Text of checks and hosts stays in the language in which it was written.
const foreign = (tag, text, properties) => el(tag, { lang: "en", ...properties }, text);

// Addresses are fragments of this page only; names in them are encoded.
const hostAddress = (host) => `#host=${encodeURIComponent(host.name)}`;
const link = (text, address, properties) => el("a", { href: address, ...properties }, text);
const hostLink = (host) => link(host.name, hostAddress(host), { translate: "no" });
const nameLink = (name) => (hostByName.has(name) ? hostLink(hostByName.get(name)) : name);
const filterLink = (text, wanted, properties) => link(text, addressOf({ ...EMPTY, ...wanted }), properties);

// A reference comes from the playbook, not from a host; still only https leads out of the page.
function referenceLink(text) {
  return /^https:\/\/[\w.-]+\/[\w\-./~%#?=&+]*$/.test(text)
    ? el("a", { href: text, rel: "noopener noreferrer", target: "_blank" }, text) : text;
}

const joined = (nodes, separator = ", ") => nodes.flatMap((node, at) => (at ? [separator, node] : [node]));

const heading = (level, text, properties) => el(`h${level}`, properties, text);

function section(id, title, ...children) {
  const part = $(id);
  part.replaceChildren();
  part.hidden = !children.length;
  if (children.length) part.append(heading(2, title, { id: `${id}-title`, tabindex: "-1" }), ...children.flat());
}

function table(columns, rows, properties) {
  const head = el("tr", {}, columns.map((column) => el("th", { scope: "col", class: column.number ? "number" : null }, column.title)));
  const body = rows.map((row) => el("tr", {}, row.map((cell, at) => el("td", { class: columns[at].number ? "number" : null }, cell))));
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": properties.label },
    el("table", { class: properties.class || "plain" }, el("thead", {}, head), el("tbody", {}, body)));
}

const asTable = (columns, rows, label) =>
  el("details", { class: "alternative" }, el("summary", {}, t("as.table")), table(columns, rows, { label }));

// A list that shows its beginning, and more on demand.
function growing(items, step, make, moreLabel) {
  const list = el("div", { class: "growing" });
  let shown = 0;
  const more = button("", () => grow(shown + step), { class: "more" });
  function grow(until) {
    const end = Math.min(until, items.length);
    const focus = end > shown && document.activeElement === more;
    const fresh = items.slice(shown, end).map((item) => make(item));
    list.append(...fresh);
    shown = end;
    more.textContent = t(moreLabel, { n: items.length - shown });
    more.hidden = shown >= items.length;
    if (focus) fresh[0]?.querySelector("a, button, summary")?.focus();
  }
  grow(step);
  return { nodes: [list, more], all: () => grow(items.length), list };
}
