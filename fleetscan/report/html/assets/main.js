// Everything is drawn from the data, again when the language changes; the address says what is looked at.

function change(changes) {
  Object.assign(query, changes);
  history.replaceState(null, "", addressOf(query));
  apply();
}

let announcement = 0;

function apply() {
  grid.rows = order(select(query), query.sort, query.down);
  showQuery();
  showRows();
  const words = t("rows.count", { n: grid.rows.length, all: total });
  clearTimeout(announcement);
  announcement = setTimeout(() => {
    $("count").textContent = words; // a reader is told once, when typing has paused
  }, 150);
}

function follow() {
  const address = location.hash;
  if (address.startsWith("#f=")) {
    Object.assign(query, queryFrom(address));
    apply();
    $("findings").scrollIntoView({ block: "start", behavior: "instant" });
    $("findings-title").focus({ preventScroll: true });
  } else if (address.startsWith("#host=")) {
    openHost(new URLSearchParams(address.slice(1)).get("host"));
  }
}

function draw() {
  translate(document);
  document.body.classList.toggle("nothing", !HOSTS.length);
  document.title = `${DATA.run.title || DATA.run.playbook} · ${DATA.run.id}`;
  $("nav").setAttribute("aria-label", t("nav"));
  const other = LANGUAGES.find((name) => name !== language.name);
  Object.assign($("language"), { textContent: t("language"), title: t("language.hint"), lang: other });
  showTheme();
  drawOverview();
  drawTrend();
  drawHeat();
  drawTroubles();
  drawDiagnoses();
  drawChanges();
  drawReplication();
  drawGrid();
  drawFilters();
  drawHosts();
  $("footer").textContent = t("footer", { version: DATA.run.version, run: DATA.run.id });
  apply();
}

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (darkSystem.matches ? "dark" : "light")) === "dark";

function showTheme() {
  $("theme").textContent = t(isDark() ? "theme.light" : "theme.dark");
}

// Paper has no buttons and no scrolling: what a reader would have opened is open, and closed again afterwards.
const opened = [];

function beforePrint() {
  if (opened.length) return;
  heatParts.growing?.all();
  overviewParts.growing?.all();
  hostParts.growing?.all();
  for (const kind of ["details.host", ".host details:not(.evidence)"]) {
    for (const part of $("hosts").querySelectorAll(kind)) {
      if (part.open) continue;
      part.open = true;
      opened.push(part);
      if (part.id) complete(part, HOSTS[Number(part.id.slice(1))]);
    }
  }
}

function afterPrint() {
  for (const part of opened.splice(0)) part.open = false;
}

function start() {
  speak(preferredLanguage());
  const theme = preferences.get("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
  drawPatterns();
  draw();
  $("language").addEventListener("click", () => {
    speak(LANGUAGES.find((name) => name !== language.name));
    preferences.set("language", language.name);
    draw();
    $("language").focus();
  });
  $("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    preferences.set("theme", document.documentElement.dataset.theme);
    showTheme();
  });
  darkSystem.addEventListener("change", showTheme);
  $("detail").addEventListener("click", (event) => {
    if (event.target === $("detail")) $("detail").close();
  });
  addEventListener("hashchange", follow);
  addEventListener("resize", () => requestAnimationFrame(paint));
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  follow();
  document.documentElement.dataset.ready = String(Math.round(performance.now()));
}

start();
