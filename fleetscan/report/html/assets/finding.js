// One finding in full: what, found against expected, what to do, who answers for it, since when, and what the host said.

function term(title, ...content) {
  return [el("dt", {}, title), el("dd", {}, ...content)];
}

function findingBody(row) {
  const check = rowCheck(row);
  const text = (column) => rowText(row, column);
  const reason = text("reason");
  return el("div", { class: "finding" },
    text("message") && foreign("p", text("message"), { class: "said" }),
    el("dl", {},
      text("observed") && term(t("found"), foreign("span", text("observed"))),
      text("expected") && term(t("expected"), foreign("span", text("expected"))),
      check.why && term(t("why"), foreign("span", check.why)),
      text("remedy") && term(t("remedy"), foreign("div", text("remedy"), { class: "said" }), planned(row)),
      waiverOf(row), changeOf(row),
      reason && !reason.startsWith("criterion.") && term(t("reason"), foreign("code", reason)),
      keyOfRow.has(row) && term(t("key"), el("code", {}, keyOfRow.get(row))),
      check.reference && term(t("reference"), referenceLink(check.reference))),
    evidenceOf(row));
}

function planned(row) {
  if (!rowText(row, "action")) return null;
  return el("p", { class: "quiet" }, t("action", { run: DATA.run.id, check: rowCheck(row).id }));
}

function waiverOf(row) {
  const waiver = rowWaiver(row);
  if (!waiver) return null;
  const ticket = waiver.ticket || t("waiver.none");
  return term(t("waived"), t("waiver", { ...waiver, ticket, date: moment(waiver.expires, { dateStyle: "medium" }) }));
}

function changeOf(row) {
  const name = rowChange(row);
  if (!name) return null;
  const since = S[K.since[rowKind[row]]];
  const open = since ? ` · ${t("change.open", { date: moment(since) })}` : "";
  return term(t("change"), t(`change.${name}`) + open);
}

function evidenceOf(row) {
  const pieces = rowEvidence(row);
  if (!pieces.length) return null;
  const told = pieces.filter((piece) => piece.text);
  return el("details", { class: "evidence" }, el("summary", {}, t("evidence")),
    pieces.map((piece) => [el("p", { class: "quiet" }, t("evidence.ref", piece)),
      piece.text && foreign("pre", piece.text, { tabindex: "0", "aria-label": piece.probe })]),
    told.length < pieces.length && el("p", { class: "quiet" }, t("evidence.none")));
}

const itemWords = (check) => (check.items.length ? el("span", { class: "items" }, check.items.join(", ")) : null);

function openFinding(row) {
  const dialog = $("detail");
  const check = rowCheck(row);
  const host = HOSTS[rowHost[row]];
  const toHost = link(t("to.host"), hostAddress(host), { class: "button" });
  toHost.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(
    el("div", { class: "badges" }, badge(rowStatus(row)), el("span", {}, t(`severity.${SEVERITIES[check.severity]}`)), itemWords(check)),
    foreign("h2", check.title, { id: "detail-title" }),
    el("p", { class: "where" }, el("span", { translate: "no" }, host.name), " · ", rowAbout(row), " · ", foreign("code", check.id)),
    findingBody(row),
    el("p", { class: "ends" }, toHost, button(t("close"), () => dialog.close(), { autofocus: true })));
  dialog.showModal();
}
