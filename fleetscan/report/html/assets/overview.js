// What is known within five seconds: a sentence, four numbers, what explains the trouble, what is new.

function verdictSentence() {
  const { verdicts } = DATA.run;
  const n = HOSTS.length;
  const [fail, warn] = [verdicts[FAIL], verdicts[WARN]];
  const unassessed = verdicts[NOT_ASSESSED];
  const fresh = DATA.history?.counts.new;
  const errors = verdicts[ERROR] ? t("verdict.error", { k: verdicts[ERROR] }) : "";
  if (!n) return t("verdict.empty");
  if (unassessed === n) return t("verdict.none", { n });
  if (fail) {
    const critical = countRows((row) => rowStatus(row) === FAIL && rowCheck(row).severity === 0);
    return `${t("verdict.fail", { n, fail, k: fail })}${unassessed ? t("verdict.also", { k: unassessed }) : ""}`
      + `${errors}${critical ? t("verdict.critical", { k: critical }) : ""}`
      + `${fresh ? t("verdict.new", { k: fresh }) : ""}.`;
  }
  if (unassessed) return `${t("verdict.unassessed", { n, unassessed, k: unassessed })}${errors}${t("verdict.else")}.`;
  if (errors) return `${t("verdict.undecided", { n, error: verdicts[ERROR], k: verdicts[ERROR] })}${t("verdict.else")}.`;
  return warn ? t("verdict.warn", { n, warn, k: warn }) : t("verdict.fine", { n });
}

function countRows(test) {
  let count = 0;
  for (let row = 0; row < total; row += 1) if (test(row)) count += 1;
  return count;
}

const STALE_MONTHS = 6;

function drawOverview() {
  const { run } = DATA;
  const { verdicts, counts } = run;
  $("verdict").textContent = verdictSentence();
  $("context").textContent = t("context", { title: run.title || run.playbook, playbook: run.playbook, version: run.playbookVersion, run: run.id,
    start: moment(run.started), end: moment(run.ended, { timeStyle: "medium" }) });
  const stale = run.data.filter(([, , months]) => months > STALE_MONTHS);
  const notices = [...(run.interrupted ? [t("interrupted")] : []), ...run.notices,
    ...(stale.length ? [t("stale", { lists: stale.map(([id, date]) => `${id} (${date})`).join(", ") })] : [])];
  $("notices").replaceChildren(...(notices.length ? [el("ul", { class: "notices", "aria-label": t("notices") }, notices.map((notice) => el("li", {}, notice)))] : []));
  const waived = countRows((row) => rowStatus(row) === FAIL && rowWaiver(row));
  const failures = t("number.failing.sub", { n: counts[FAIL] }) + (waived ? t("number.failing.waived", { n: waived }) : "");
  const open = counts[NOT_ASSESSED] + counts[ERROR];
  $("numbers").replaceChildren(
    figure(t("number.hosts"), HOSTS.length, [PASS, WARN, ERROR].filter((status) => verdicts[status] || status === PASS).map((status) => counted(status, verdicts[status])).join(", "), {}),
    figure(t("number.failing"), verdicts[FAIL], failures, { status: ["fail"] }, FAIL),
    figure(t("number.unassessed"), verdicts[NOT_ASSESSED], t("number.unassessed.sub", { n: open }), { status: ["not_assessed", "error"] }, NOT_ASSESSED),
    newFigure());
}

function newFigure() {
  const { history } = DATA;
  if (!history) return figure(t("number.new"), null, t("number.new.none"));
  const { new: fresh, fixed, still_failing: still } = history.counts;
  return figure(t("number.new"), fresh, t("number.new.sub", { fixed, still }), { change: "new" }, FAIL);
}

function figure(title, value, below, wanted, status) {
  const symbol = value && status !== undefined ? el("span", { class: `mark ${statusClass(status)}`, "aria-hidden": "true" }, SYMBOLS[STATUSES[status]]) : "";
  const inside = [el("span", { class: "title" }, title), el("span", { class: "value" }, symbol, value === null ? "–" : number(value)), el("span", { class: "quiet" }, below)];
  return wanted && value !== null ? filterLink(inside, wanted, { class: "figure" }) : el("div", { class: "figure" }, inside);
}

const DIAGNOSES = 10;

// Machines with the same trouble for the same reasons share an entry, however many hosts they are on.
function diagnosisItem(group) {
  const [first] = group;
  const names = group.map((told) => S[told.vm]);
  const shown = names.slice(0, 6).join(", ") + (names.length > 6 ? ` ${t("and.more", { n: names.length - 6 })}` : "");
  return el("li", {},
    el("p", {}, el("strong", { translate: "no" }, shown), el("span", { class: "quiet" }, " ", t("diagnoses.on", { hosts: "" }),
      someHosts(group.flatMap((told) => told.hosts))), ": ", foreign("span", S[first.says])),
    first.causes.length ? el("ul", {}, first.causes.map((cause, at) => causeItem(cause, group.map((told) => told.causes[at][0]))))
      : el("p", { class: "quiet" }, first.unseen.length ? t("diagnoses.unseen", { what: first.unseen.map((place) => S[place]).join(", ") }) : t("diagnoses.unknown")));
}

function someHosts(places) {
  const names = [...new Set(places)].map((place) => S[place]);
  return [joined(names.slice(0, 4).map(nameLink)), names.length > 4 ? ` ${t("and.more", { n: names.length - 4 })}` : ""];
}

function causeItem([, check, article, because], hosts) {
  const names = new Set(hosts);
  const where = names.size === 1 ? { host: S[hosts[0]] } : { status: ["fail", "warn"] };
  return el("li", {}, `${t("diagnoses.because")} `, foreign("span", S[because]), " (", someHosts(hosts), ", ",
    filterLink(S[article] || S[check], { ...where, check: S[check] }), ")");
}

const overviewParts = { growing: null };

// Why hosts have no verdict: one cause (an account, a firewall) often keeps many away.
function drawTroubles() {
  const rows = DATA.troubles.map(([label, name, count, reason, stage, message, hint]) => el("li", {},
    el("p", {}, foreign("code", S[reason]), " · ", el("strong", {}, t("heat.hosts", { n: count })), " ",
      count === 1 ? nameLink(S[name]) : filterLink(S[label], { q: S[reason], status: ["not_assessed"] }, { translate: "no" })),
    el("p", { class: "quiet" }, count > 1 ? `${S[name]}: ` : "", foreign("span", S[message]), S[hint] && [" ", t("host.try", { hint: "" }), foreign("span", S[hint])])));
  section("troubles", t("troubles"), ...(rows.length ? [el("ul", { class: "diagnoses unseen-hosts" }, rows)] : []));
}

function drawDiagnoses() {
  const groups = new Map();
  for (const told of DATA.diagnoses) {
    const key = JSON.stringify([told.says, told.causes.map(([, check, , because]) => [check, because]), told.unseen]);
    groups.set(key, [...(groups.get(key) || []), told]);
  }
  if (!groups.size) return section("diagnoses", "");
  overviewParts.growing = growing([...groups.values()], DIAGNOSES, diagnosisItem, "diagnoses.more");
  const [list, more] = overviewParts.growing.nodes;
  list.setAttribute("role", "list");
  list.classList.add("diagnoses");
  section("diagnoses", t("diagnoses"), list, more);
}

function drawChanges() {
  const { history } = DATA;
  if (!history) return section("changes", "");
  const items = Object.entries(history.counts).map(([name, count]) => el("li", {},
    count ? filterLink(`${number(count)} ${t(`change.${name}`)}`, { change: name }) : `${number(count)} ${t(`change.${name}`)}`,
    history.gone[name] ? el("span", { class: "quiet" }, ` (${t("change.gone", { n: history.gone[name] })})`) : ""));
  const moves = history.moves.map(([name, before, after]) => {
    const named = (places) => places.map((place) => S[place]).join(", ");
    return el("li", {}, el("strong", { translate: "no" }, S[name]), " ", t("change.move", { before: named(before), after: named(after) }));
  });
  section("changes", t("changes", { run: S[history.run], date: moment(history.started) }), el("ul", { class: "inline" }, items),
    ...(moves.length ? [heading(3, t("change.moves")), el("ul", {}, moves)] : []));
}
