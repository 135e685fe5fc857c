// The controls above the table. They change the query; the query tells them what to show.

const different = (values) => [...new Set(values.filter(Boolean))].sort(numeric.compare);

function choice(name, title, values, words, any = "any") {
  const box = el("select", { id: `filter-${name}` }, el("option", { value: "" }, t(any)),
    values.map((value) => el("option", { value }, words(value))));
  box.addEventListener("change", () => change({ [name]: box.value }));
  return el("label", { class: "choice" }, el("span", {}, title), box);
}

function statusSwitch(name) {
  const counts = DATA.run.counts[STATUSES.indexOf(name)];
  const made = button("", () => {
    const on = query.status.includes(name);
    change({ status: on ? query.status.filter((other) => other !== name) : [...query.status, name] });
  }, { class: "switch", "data-status": name, "aria-pressed": "false" });
  made.append(badge(STATUSES.indexOf(name)), el("span", { class: "quiet" }, ` ${number(counts)}`));
  return made;
}

function drawFilters() {
  const search = el("input", { type: "search", id: "search", placeholder: t("search.hint"), autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => change({ q: search.value }));
  const sections = SECTIONS.filter((name) => CHECKS.some((check) => check.sections.includes(name)));
  const changes = DATA.changes.filter((name) => name && K.change.includes(DATA.changes.indexOf(name)));
  const word = (group) => (value) => t(`${group}.${value}`);
  $("filters").replaceChildren(
    el("label", { class: "choice search" }, el("span", {}, t("search")), search),
    el("div", { class: "switches", role: "group", "aria-label": t("status") },
      ["fail", "warn", "error", "not_assessed", "pass", "not_applicable"].map(statusSwitch)),
    choice("severity", t("severity"), SEVERITIES, word("severity")),
    choice("section", t("section"), sections, sectionWords),
    ...(different(HOSTS.map((host) => host.zone)).length > 1
      ? [choice("zone", t("zone"), different(HOSTS.map((host) => host.zone)), String)] : []),
    choice("role", t("role"), different(HOSTS.flatMap((host) => host.roles.split("+"))), String, "any.m"),
    ...(changes.length ? [choice("change", t("change"), changes, word("change"), "any.m")] : []),
    ...(DATA.waivers.length > 1 ? [choice("waived", t("waived"), ["yes", "no"], word("waived"))] : []),
    button(t("reset"), () => change({ ...EMPTY, status: [] }), { id: "reset" }),
  );
  showQuery();
}

// The names of the sections are those of the article that the built-in playbook follows.
function sectionWords(name) {
  const title = DATA.run.playbook === "asr-hyperv" ? LABELS[language.name][`section.${name}`] : "";
  return title ? `${name} · ${title}` : name;
}

function showQuery() {
  const search = $("search");
  if (search.value !== query.q) search.value = query.q;
  for (const made of $("filters").querySelectorAll("[data-status]")) {
    made.setAttribute("aria-pressed", String(query.status.includes(made.dataset.status)));
  }
  for (const name of ["severity", "section", "zone", "role", "change", "waived"]) {
    if ($(`filter-${name}`)) $(`filter-${name}`).value = query[name];
  }
  const chips = [];
  if (query.host) chips.push(["host", t("only.host", { name: query.host })]);
  if (query.group !== "") chips.push(["group", t("only.group", { name: S[DATA.heat.rows[Number(query.group)]?.label ?? 0] })]);
  if (query.check) chips.push(["check", t("only.check", { name: query.check })]);
  $("chips").replaceChildren(...chips.map(([name, words]) => {
    const made = button(words, () => {
      change({ [name]: "" });
      $("search").focus();
    }, { class: "chip", "aria-label": t("remove", { what: words }) });
    made.append(el("span", { "aria-hidden": "true" }, " ✕"));
    return made;
  }));
  const plain = Object.keys(EMPTY).every((name) => !query[name].length);
  $("reset").disabled = plain;
}
