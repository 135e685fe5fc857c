// The run as it came: tables of numbers that point at texts. A row is one finding: a host, an object, a kind.

const DATA = JSON.parse($("data").textContent);
const S = DATA.strings;
const STATUSES = DATA.statuses;
const [FAIL, ERROR, NOT_ASSESSED, WARN, PASS, NOT_APPLICABLE] = STATUSES.keys();
const SEVERITIES = ["critical", "high", "medium", "low", "info"];
const SYMBOLS = { fail: "✕", error: "?", not_assessed: "○", warn: "!", pass: "✓", not_applicable: "–" };
const SECTIONS = DATA.heat.sections;

const HOSTS = DATA.hosts.map((row, index) => {
  const [name, address, roles, zone, cluster, vmm] = row.slice(0, 6).map((place) => S[place]);
  const [verdict, group, started, seconds, attempts, trouble] = row.slice(6);
  const told = trouble && trouble.map((place) => S[place]);
  return { index, name, address, roles, zone, cluster, vmm, verdict, group, started: S[started], seconds, attempts,
    trouble: told && { reason: told[0], stage: told[1], message: told[2], hint: told[3] }, first: 0, end: 0 };
});
const hostByName = new Map(HOSTS.map((host) => [host.name, host]));

const CHECKS = DATA.checks.map((places) => {
  const [id, title, article, severity, type, reference, why] = places.map((place) => S[place]);
  const items = article ? article.split(";") : [];
  const sections = [...new Set(items.map((item) => item.split("-")[0]))];
  return { id, title, items, sections, severity: SEVERITIES.indexOf(severity), type, reference, why };
});
const K = DATA.kinds;
const KINDS = K.check.length;

const total = DATA.runs.reduce((sum, runs) => sum + runs.reduce((n, value, at) => n + (at % 3 === 2 ? value : 0), 0), 0);
const rowHost = new Uint32Array(total);
const rowObject = new Uint32Array(total);
const rowKind = new Uint32Array(total);
const objectName = [];
const objectId = [];

DATA.runs.forEach((runs, host) => {
  const base = objectName.length;
  const objects = DATA.objects[host];
  for (let at = 0; at < objects.length; at += 2) {
    objectName.push(objects[at]);
    objectId.push(objects[at + 1]);
  }
  let row = host ? HOSTS[host - 1].end : 0;
  HOSTS[host].first = row;
  for (let at = 0; at < runs.length; at += 3) {
    for (let n = 0; n < runs[at + 2]; n += 1, row += 1) {
      rowHost[row] = host;
      rowKind[row] = runs[at];
      rowObject[row] = base + runs[at + 1] + n;
    }
  }
  HOSTS[host].end = row;
});

// The keys by which tickets know failures and warnings.
const keyOfRow = new Map();
DATA.keys.forEach((keys, host) => {
  for (let at = 0; at < keys.length; at += 2) keyOfRow.set(HOSTS[host].first + keys[at], keys[at + 1]);
});

// A text of a finding, with the names that it was told without.
function rowText(row, column) {
  const text = S[K[column][rowKind[row]]];
  if (!text) return "";
  return text.replace(/[\x01-\x03]/g, (stand) => (stand === "\x01" ? HOSTS[rowHost[row]].name
    : S[stand === "\x02" ? objectName[rowObject[row]] : objectId[rowObject[row]]]));
}

const rowCheck = (row) => CHECKS[K.check[rowKind[row]]];
const rowStatus = (row) => K.status[rowKind[row]];
const rowChange = (row) => DATA.changes[K.change[rowKind[row]]];
const rowWaiver = (row) => {
  const places = DATA.waivers[K.waiver[rowKind[row]]];
  if (!places.length) return null;
  const [id, owner, ticket, reason, expires] = places.map((place) => S[place]);
  return { id, owner, ticket, reason, expires };
};

const isHost = (row) => rowCheck(row).type === "host";

// What a row is about: the host itself, a name, an id where there is no name, or nothing that could be seen.
function rowAbout(row) {
  const name = S[objectName[rowObject[row]]] || S[objectId[rowObject[row]]];
  if (isHost(row) && name === HOSTS[rowHost[row]].name) return t("this.host");
  return name || `${rowCheck(row).type}: ${t("not.known")}`;
}

// Pieces of evidence of a row: what each of its probes answered of the object, or as a whole.
function rowEvidence(row) {
  const host = rowHost[row];
  const digests = new Map();
  for (let at = 0; at < DATA.digests[host].length; at += 2) {
    digests.set(S[DATA.digests[host][at]], S[DATA.digests[host][at + 1]]);
  }
  return S[K.evidence[rowKind[row]]].split(";").filter(Boolean).map((probe) => {
    const pieces = DATA.evidence[host].filter((piece) => S[piece[0]] === probe);
    const mine = pieces.find((piece) => piece[1] && piece[1] === objectId[rowObject[row]]);
    const piece = mine || pieces.find((candidate) => !candidate[1]);
    return { probe, digest: digests.get(probe) || "", text: piece ? S[piece[2]] : "" };
  });
}

const MACHINES = DATA.machines.host.map((host, at) => {
  const text = (column) => S[DATA.machines[column][at]];
  return { host, id: text("id"), idPlace: DATA.machines.id[at], name: text("name"), state: text("state"), mode: text("mode"),
    replication: text("replication"), health: DATA.machines.health[at], last: text("last"),
    sent: DATA.machines.sent[at], peak: DATA.machines.peak[at], written: DATA.machines.written[at] };
});
