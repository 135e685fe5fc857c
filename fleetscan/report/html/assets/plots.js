// Charts: bars whose lengths are percentages, so that they fit any width; each with the same numbers as a table.

const PATTERNS = { warn: "M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", not_assessed: "M1,1 h1.6 v1.6 h-1.6 z", error: "M0,3 h6 M3,0 v6" };

// The same patterns as in the cells of the map, for whoever does not see the colours.
function drawPatterns() {
  const made = Object.entries(PATTERNS).map(([name, path]) =>
    svg("pattern", { id: `p-${name}`, width: "6", height: "6", patternUnits: "userSpaceOnUse" },
      svg("rect", { width: "6", height: "6", class: `ground-${name}` }), svg("path", { d: path, class: `lines-${name}` })));
  document.body.append(svg("svg", { class: "patterns", width: "0", height: "0", "aria-hidden": "true" }, svg("defs", {}, made)));
}

const swatch = (name, words) => el("span", { class: "key" }, svg("svg", { width: "12", height: "12", "aria-hidden": "true" },
  svg("rect", { width: "12", height: "12", class: `fill-${name}` })), words);

const TREND_HEIGHT = 96;

function drawTrend() {
  const nights = DATA.trend;
  const last = nights[nights.length - 1];
  const [, , hosts, fail, unassessed] = last;
  const most = Math.max(1, ...nights.map((night) => night[3] + night[4]));
  const slots = Math.max(nights.length, 8);
  const tall = (value) => (value / most) * TREND_HEIGHT;
  const bars = nights.map((night, at) => {
    const place = { x: `${(at / slots) * 100}%`, width: `${82 / slots}%` };
    const height = [tall(night[3]), tall(night[4])];
    return svg("g", {}, svg("title", {}, `${moment(night[1])}: ${number(night[3])} ${t("failing")}, ${number(night[4])} ${t("unassessed")}, ${t("heat.hosts", { n: night[2] })}`),
      svg("rect", { ...place, y: TREND_HEIGHT - height[0], height: height[0], class: "fill-fail" }),
      svg("rect", { ...place, y: TREND_HEIGHT - height[0] - height[1], height: height[1], class: "fill-not_assessed" }));
  });
  const columns = ["night", "run", "number.hosts", "failing", "unassessed", "failures"].map((key, at) => ({ title: t(key), number: at > 1 }));
  const rows = [...nights].reverse().map((night) => [moment(night[1]).replace(" UTC", ""), night[0], ...night.slice(2).map(number)]);
  const top = nights.reduce((one, other) => (other[3] + other[4] > one[3] + one[4] ? other : one));
  const axis = el("p", { class: "axis quiet" }, el("span", {}, day(nights[0][1])), nights.length > 1 ? el("span", {}, day(last[1])) : t("trend.none"));
  if (nights.length > 1) axis.style.width = `${(nights.length / slots) * 100}%`; // as far as the bars go
  $("trend").replaceChildren(heading(2, t("trend"), { class: "small" }),
    el("p", { class: "quiet scale" }, t("trend.most", { n: top[3] + top[4], all: top[2] })),
    svg("svg", { class: "trend", width: "100%", height: String(TREND_HEIGHT), role: "img", "aria-label": t("trend.alt", { fail, unassessed, n: hosts }) }, bars),
    axis,
    el("p", { class: "keys" }, swatch("fail", t("failing")), swatch("not_assessed", t("unassessed"))),
    nights.length > 1 ? asTable(columns, rows, t("trend")) : "");
}

const HEALTH = ["critical", "warning", "unknown", "normal", "off"];
const HEALTH_FILL = { critical: "fail", warning: "warn", unknown: "not_assessed", normal: "pass", off: "not_applicable" };

function healthOf(machine) {
  if (!machine.replication || machine.replication === "Disabled") return "off";
  return { 1: "normal", 2: "warning", 3: "critical" }[machine.health] || "unknown";
}

// A machine counts once: as its primary host sees it, and where several do, as the one that is most worried.
function eachMachine() {
  const found = new Map();
  const weight = (machine) => (machine.mode === "Primary" ? 0 : 10) + HEALTH.indexOf(healthOf(machine));
  for (const machine of MACHINES) {
    const known = found.get(machine.id);
    if (!known || weight(machine) < weight(known)) found.set(machine.id, machine);
  }
  return [...found.values()];
}

function drawReplication() {
  const machines = eachMachine();
  if (!machines.length) return section("replication", t("replication"), el("p", { class: "quiet" }, t("replication.none")));
  section("replication", t("replication"), el("div", { class: "pair" },
    el("div", { class: "panel" }, healthPlot(machines)), el("div", { class: "panel" }, churnPlots(machines))));
}

function healthPlot(machines) {
  const zones = new Map([[t("health.all"), machines]]);
  const names = different(machines.map((machine) => HOSTS[machine.host].zone));
  if (names.length > 1 && names.length <= 12) {
    for (const machine of machines) {
      const zone = HOSTS[machine.host].zone || t("health.nozone");
      zones.set(zone, [...(zones.get(zone) || []), machine]);
    }
  }
  const rows = [...zones].map(([zone, members]) => [zone, members.length, ...HEALTH.map((health) => members.filter((machine) => healthOf(machine) === health).length)]);
  const columns = [{ title: t("health.zone") }, { title: t("machine"), number: true }, ...HEALTH.map((health) => ({ title: t(`health.${health}`), number: true }))];
  return [heading(3, t("health")), ...rows.map(healthBar), el("p", { class: "keys" }, HEALTH.map((health) => swatch(HEALTH_FILL[health], t(`health.${health}`)))),
    asTable(columns, rows.map(([zone, ...counts]) => [zone, ...counts.map(number)]), t("health"))];
}

function healthBar([zone, count, ...parts]) {
  let from = 0;
  const what = parts.map((part, at) => part && `${number(part)} ${t(`health.${HEALTH[at]}`)}`).filter(Boolean).join(", ");
  const bars = parts.map((part, at) => {
    const x = from;
    from += (part / count) * 100;
    return part ? svg("rect", { x: `${x}%`, width: `${(part / count) * 100}%`, height: "18", class: `fill-${HEALTH_FILL[HEALTH[at]]} edge` }) : "";
  });
  return el("div", { class: "bar" }, el("p", {}, el("strong", {}, zone), ` · ${t("health.alt", { n: count, what })}`),
    svg("svg", { width: "100%", height: "18", "aria-hidden": "true" }, bars));
}

const CHURN_ROWS = 8;

function churnPlots(machines) {
  const written = machines.filter((machine) => machine.written !== null);
  const sent = machines.filter((machine) => machine.sent !== null);
  if (!written.length && !sent.length) return [heading(3, t("churn")), el("p", { class: "quiet" }, t("churn.none"))];
  return [...(written.length ? churnPlot(written, "churn.written", (machine) => [machine.written]) : []),
    ...(sent.length ? churnPlot(sent, "churn", (machine) => [machine.sent, machine.peak]) : [])];
}

function churnPlot(machines, key, values) {
  const sorted = [...machines].sort((one, other) => values(other)[0] - values(one)[0]).slice(0, CHURN_ROWS);
  const most = Math.max(1, ...sorted.flatMap(values).filter(Boolean));
  const where = (machine) => `${machine.name || machine.id} · ${HOSTS[machine.host].name}`;
  const bars = sorted.map((machine) => {
    const [value, peak] = values(machine);
    return el("div", { class: "bar" }, el("p", {}, hostMachine(machine), el("span", { class: "value" }, bytesPerSecond(value))),
      svg("svg", { width: "100%", height: "10", "aria-hidden": "true" },
        peak ? svg("rect", { y: "4", height: "2", width: `${(peak / most) * 100}%`, class: "fill-line" }) : "",
        svg("rect", { height: "10", width: `${(value / most) * 100}%`, class: "fill-value" })));
  });
  const peaks = sorted.some((machine) => values(machine).length > 1);
  const columns = [{ title: t("machine") }, { title: t(peaks ? "average" : "written"), number: true }, ...(peaks ? [{ title: t("peak"), number: true }] : [])];
  return [heading(3, t(key)), el("p", { class: "quiet" }, t(`${key}.note`)), ...bars,
    asTable(columns, sorted.map((machine) => [where(machine), ...values(machine).map(bytesPerSecond)]), t(key))];
}

const hostMachine = (machine) => el("span", {}, el("strong", { translate: "no" }, machine.name || machine.id), " · ", hostLink(HOSTS[machine.host]));
