// A part for each host, made when it is opened: its trouble, its diagnoses, its problems, its machines.

const TELLING = [FAIL, ERROR, NOT_ASSESSED, WARN];
const SHOWN_HOSTS = 30;
const FULL = 3;
const hostParts = { growing: null, extra: null };

function drawHosts() {
  const bad = HOSTS.filter((host) => TELLING.includes(host.verdict));
  bad.sort((one, other) => one.group - other.group || one.index - other.index);
  const fine = DATA.heat.rows.map((row, place) => ({ row, place })).filter(({ row }) => !TELLING.includes(row.verdict));
  hostParts.growing = growing(bad, SHOWN_HOSTS, hostPart, "hosts.more");
  hostParts.extra = el("div");
  section("hosts", t("hosts"), el("p", { class: "quiet" }, t("hosts.note")), hostParts.extra, ...hostParts.growing.nodes,
    ...(fine.length ? [heading(3, t("hosts.fine")), el("ul", { class: "fine" }, fine.map(fineHosts))] : []));
}

function fineHosts({ row, place }) {
  const one = row.hosts.length === 1;
  const names = S[row.label];
  return el("li", {}, badge(row.verdict), " ", one ? hostLink(HOSTS[row.hosts[0]]) : filterLink(names, { group: String(place) }, { translate: "no" }),
    one ? "" : ` (${t("heat.hosts", { n: row.hosts.length })})`);
}

function countsOf(host) {
  const counts = new Array(STATUSES.length).fill(0);
  for (let row = host.first; row < host.end; row += 1) counts[rowStatus(row)] += 1;
  return counts;
}

function hostPart(host) {
  const counts = countsOf(host);
  const told = [FAIL, WARN, ERROR, NOT_ASSESSED].filter((status) => counts[status]);
  const part = el("details", { class: "host", id: `h${host.index}` },
    el("summary", {}, heading(3, host.name, { translate: "no" }), badge(host.verdict),
      el("span", { class: "quiet" }, [host.roles, host.zone, host.trouble?.reason].filter(Boolean).join(" · ")),
      el("span", { class: "counts" }, joined(told.map((status) => counted(status, counts[status]))))));
  part.addEventListener("toggle", () => complete(part, host));
  return part;
}

function complete(part, host) {
  if (part.dataset.made || !part.open) return;
  part.dataset.made = "yes";
  part.append(el("div", { class: "body" }, factsOf(host), troubleOf(host), diagnosesOf(host), problemsOf(host), undecidedOf(host), machinesOf(host),
    el("p", {}, filterLink(t("host.rest", { n: host.end - host.first }), { host: host.name }))));
}

function factsOf(host) {
  const facts = [
    host.address !== host.name && t("host.address", host),
    host.zone && t("host.zone", host), host.cluster && t("host.cluster", host), host.vmm && t("host.vmm", host),
    host.seconds === null ? t("host.never") : t("host.visit", { date: moment(host.started), seconds: host.seconds }),
    host.attempts > 1 && t("host.attempts", { n: host.attempts }),
  ];
  return el("p", { class: "quiet" }, facts.filter(Boolean).join(" · "));
}

function troubleOf(host) {
  const trouble = host.trouble;
  if (!trouble) return null;
  return el("div", { class: `note ${statusClass(NOT_ASSESSED)}` }, el("p", {}, t("host.trouble", trouble)),
    foreign("p", trouble.message), trouble.hint && el("p", {}, t("host.try", { hint: "" }), foreign("span", trouble.hint)));
}

function diagnosesOf(host) {
  const mine = DATA.diagnoses.filter((told) => told.hosts.some((name) => S[name] === host.name)
    || told.causes.some((cause) => S[cause[0]] === host.name));
  return mine.length ? [heading(4, t("host.diagnoses")), el("ul", { class: "diagnoses" }, mine.map((told) => diagnosisItem([told])))] : null;
}

// The rows of a host with one of the statuses, together by check, the gravest first.
function rowsByCheck(host, statuses) {
  const groups = new Map();
  for (let row = host.first; row < host.end; row += 1) {
    if (!statuses.includes(rowStatus(row))) continue;
    const key = `${rowStatus(row)} ${K.check[rowKind[row]]}`;
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  const urgency = ([row]) => rowStatus(row) * SEVERITIES.length + rowCheck(row).severity;
  return [...groups.values()].sort((one, other) => urgency(one) - urgency(other));
}

function problemsOf(host) {
  const groups = rowsByCheck(host, [FAIL, WARN]);
  return groups.length ? [heading(4, t("host.problems")), ...groups.map(problem)] : null;
}

function problem(rows) {
  const check = rowCheck(rows[0]);
  const full = (row) => [isHost(row) ? null : heading(6, rowAbout(row), { translate: "no" }), findingBody(row)];
  const rest = rows.slice(FULL);
  return el("article", { class: "problem" },
    el("div", { class: "badges" }, badge(rowStatus(rows[0])), el("span", {}, t(`severity.${SEVERITIES[check.severity]}`)), itemWords(check)),
    foreign("h5", check.title), foreign("p", check.id, { class: "quiet" }), rows.slice(0, FULL).flatMap(full),
    rest.length ? el("details", {}, el("summary", {}, t("and.more", { n: rest.length })), rest.flatMap(full)) : null);
}

// What could not be decided, by reason: one cause often hides many checks.
function undecidedOf(host) {
  const reasons = new Map();
  for (const rows of rowsByCheck(host, [ERROR, NOT_ASSESSED])) {
    const key = `${rowText(rows[0], "reason")}\n${rowText(rows[0], "message")}`;
    if (!reasons.has(key)) reasons.set(key, []);
    reasons.get(key).push(rows);
  }
  if (!reasons.size) return null;
  return [heading(4, t("host.unknown")), ...[...reasons.values()].map((groups) => {
    const [row] = groups[0];
    const count = groups.reduce((sum, rows) => sum + rows.length, 0);
    return el("article", { class: "problem" }, el("div", { class: "badges" }, badge(rowStatus(row), count), foreign("code", rowText(row, "reason"))),
      rowText(row, "message") !== host.trouble?.message && foreign("p", rowText(row, "message"), { class: "said" }),
      el("details", {}, el("summary", {}, t("check")), el("ul", {}, groups.map((rows) => foreign("li", `${rowCheck(rows[0]).id}: ${rowCheck(rows[0]).title}`)))));
  })];
}

function machinesOf(host) {
  const mine = MACHINES.filter((machine) => machine.host === host.index);
  if (!mine.length) return null;
  const problems = new Map();
  for (let row = host.first; row < host.end; row += 1) {
    if (rowStatus(row) !== FAIL && rowStatus(row) !== WARN) continue;
    const about = objectId[rowObject[row]];
    problems.set(about, (problems.get(about) || 0) + 1);
  }
  const columns = [["machine"], ["vm.state"], ["vm.replication"], ["vm.health"], ["vm.last"], ["vm.sent", true], ["vm.problems", true]];
  const written = mine.some((machine) => machine.written !== null);
  if (written) columns.splice(6, 0, ["vm.written", true]);
  const rows = mine.map((machine) => {
    const count = problems.get(machine.idPlace) || 0;
    return [machine.name || machine.id, machine.state, machine.replication || t("health.off"), t(`health.${healthOf(machine)}`),
      moment(machine.last).replace(" UTC", ""), bytesPerSecond(machine.sent), ...(written ? [bytesPerSecond(machine.written)] : []),
      count ? filterLink(number(count), { host: host.name, q: machine.id, status: ["fail", "warn"] }) : ""];
  });
  return [heading(4, t("host.machines")), table(columns.map(([key, numeral]) => ({ title: t(key), number: numeral })), rows, { label: t("host.machines") })];
}

// A host that is asked for by its address: it is opened where it stands, or on top when it is not in the list.
function openHost(name) {
  const host = hostByName.get(name);
  if (!host) return;
  if (!$(`h${host.index}`)) hostParts.extra.prepend(hostPart(host));
  const part = $(`h${host.index}`);
  part.open = true;
  complete(part, host);
  part.scrollIntoView({ block: "start", behavior: "instant" });
  part.querySelector("summary").focus({ preventScroll: true });
}
