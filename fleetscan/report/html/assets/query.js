// Which findings are wanted, in which order. Filters look at kinds, hosts and objects, each once, and then at the rows.

const EMPTY = { q: "", status: [], severity: "", section: "", zone: "", role: "", change: "", waived: "", host: "", group: "", check: "" };
const COLUMNS = ["status", "severity", "host", "object", "check", "found", "expected", "item"];

const query = { ...EMPTY, sort: "status", down: false };

const only = (length, test) => Uint8Array.from({ length }, (_, index) => (test(index) ? 1 : 0));

const lower = (text) => text.normalize("NFKC").toLowerCase();
const haystacks = { kind: null, host: null, object: null };

function prepareSearch() {
  if (haystacks.kind) return;
  haystacks.kind = Array.from({ length: KINDS }, (_, kind) => {
    const check = CHECKS[K.check[kind]];
    const texts = ["message", "observed", "expected", "reason"].map((column) => S[K[column][kind]]);
    return lower([check.id, check.title, check.items.join(" "), ...texts].join("\n"));
  });
  haystacks.host = HOSTS.map((host) => lower(`${host.name}\n${host.address}\n${host.roles}\n${host.zone}\n${host.cluster}`));
  haystacks.object = objectName.map((place, index) => lower(`${S[place]}\n${S[objectId[index]]}`));
}

function wantedKind(wanted, kind) {
  const check = CHECKS[K.check[kind]];
  return (!wanted.status.length || wanted.status.includes(STATUSES[K.status[kind]]))
    && (!wanted.severity || SEVERITIES[check.severity] === wanted.severity)
    && (!wanted.section || check.sections.includes(wanted.section))
    && (!wanted.check || check.id === wanted.check)
    && (!wanted.change || DATA.changes[K.change[kind]] === wanted.change)
    && (!wanted.waived || (wanted.waived === "yes") === (K.waiver[kind] > 0));
}

function wantedHost(wanted, host) {
  return (!wanted.host || host.name === wanted.host)
    && (!wanted.group || host.group === Number(wanted.group))
    && (!wanted.zone || host.zone === wanted.zone)
    && (!wanted.role || host.roles.split("+").includes(wanted.role));
}

function termHits(term) {
  const hits = (texts) => only(texts.length, (index) => texts[index].includes(term));
  return { term, kind: hits(haystacks.kind), host: hits(haystacks.host), object: hits(haystacks.object) };
}

// The rows that are wanted, in the order of the run.
function select(wanted) {
  const kinds = only(KINDS, (kind) => wantedKind(wanted, kind));
  const hosts = only(HOSTS.length, (index) => wantedHost(wanted, HOSTS[index]));
  const terms = lower(wanted.q).split(/\s+/).filter(Boolean);
  if (terms.length) prepareSearch();
  const hits = terms.map(termHits);
  const found = new Uint32Array(total);
  let count = 0;
  for (let row = 0; row < total; row += 1) {
    if (!kinds[rowKind[row]] || !hosts[rowHost[row]]) continue;
    let all = true;
    for (const hit of hits) {
      if (!hit.kind[rowKind[row]] && !hit.host[rowHost[row]] && !hit.object[rowObject[row]] && keyOfRow.get(row) !== hit.term) {
        all = false;
        break;
      }
    }
    if (all) found[count++] = row;
  }
  return found.subarray(0, count);
}

// Ranks: the place of each value among the different ones, computed once for a column.
const ranks = new Map();
const numeric = new Intl.Collator("en", { numeric: true });

function rankTexts(texts) {
  const different = [...new Set(texts)];
  different.sort(different.length < 20000 ? numeric.compare : undefined);
  const places = new Map(different.map((text, place) => [text, place]));
  return Uint32Array.from(texts, (text) => places.get(text));
}

function rankOf(column) {
  if (ranks.has(column)) return ranks.get(column);
  const kinds = (text) => ({ of: rowKind, rank: rankTexts(Array.from({ length: KINDS }, (_, kind) => text(kind))) });
  const severity = (kind) => CHECKS[K.check[kind]].severity;
  const makers = {
    status: () => ({ of: rowKind, rank: Uint32Array.from(K.status, (status, kind) => status * SEVERITIES.length + severity(kind)) }),
    severity: () => ({ of: rowKind, rank: Uint32Array.from(K.status, (status, kind) => severity(kind) * STATUSES.length + status) }),
    host: () => ({ of: rowHost, rank: rankTexts(HOSTS.map((host) => host.name)) }),
    object: () => ({ of: rowObject, rank: rankTexts(objectName.map((place, index) => S[place] || S[objectId[index]])) }),
    check: () => kinds((kind) => CHECKS[K.check[kind]].id),
    found: () => kinds((kind) => S[K.observed[kind]]),
    expected: () => kinds((kind) => S[K.expected[kind]]),
    item: () => kinds((kind) => CHECKS[K.check[kind]].items.join(";")),
  };
  ranks.set(column, makers[column]());
  return ranks.get(column);
}

// Rank and position become one number, so that the browser's own sort of numbers does the work, and equals keep their order.
function order(rows, column, down) {
  const { of, rank } = rankOf(column);
  const highest = rank.reduce((most, value) => Math.max(most, value), 0);
  const keys = Float64Array.from(rows, (row) => (down ? highest - rank[of[row]] : rank[of[row]]) * total + row);
  keys.sort();
  return Uint32Array.from(keys, (key) => key % total);
}

// A query in the address: `#f=status=fail&section=RP`, so that a view can be handed over.
function addressOf(wanted) {
  const parameters = new URLSearchParams();
  for (const name of Object.keys(EMPTY)) if (wanted[name]?.length) parameters.set(name, String(wanted[name]));
  if (wanted.sort && (wanted.sort !== "status" || wanted.down)) parameters.set("sort", (wanted.down ? "-" : "") + wanted.sort);
  return `#f=${parameters}`;
}

function queryFrom(address) {
  const parameters = new URLSearchParams(address.replace(/^#f=/, ""));
  const wanted = { ...EMPTY, status: [], sort: "status", down: false };
  for (const name of Object.keys(EMPTY)) {
    if (parameters.has(name)) wanted[name] = name === "status" ? parameters.get(name).split(",") : parameters.get(name);
  }
  const sort = parameters.get("sort") || "";
  if (COLUMNS.includes(sort.replace("-", ""))) Object.assign(wanted, { sort: sort.replace("-", ""), down: sort.startsWith("-") });
  return wanted;
}
