// Making elements, and words in two languages. Text enters the page through text nodes and attributes only.

const $ = (id) => document.getElementById(id);

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return node;
}

const el = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

const svg = (tag, properties, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);

function button(text, action, properties) {
  const made = el("button", { type: "button", ...properties }, text);
  made.addEventListener("click", action);
  return made;
}

// Preferences outlive the page where the browser allows it; a file that is opened from a share often may not store.
const preferences = {
  get(name) {
    try {
      return localStorage.getItem(`fleetscan.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`fleetscan.${name}`, value);
    } catch {
      // It holds for this page, then.
    }
  },
};

const LANGUAGES = Object.keys(LABELS);
const language = { name: "en", plural: null, number: null, collator: null };

function speak(name) {
  language.name = LANGUAGES.includes(name) ? name : "en";
  language.plural = new Intl.PluralRules(language.name);
  language.number = new Intl.NumberFormat(language.name === "en" ? "en-GB" : language.name);
  document.documentElement.lang = language.name;
}

const preferredLanguage = () =>
  preferences.get("language") || (navigator.languages || ["en"]).map((tag) => tag.slice(0, 2).toLowerCase())
    .find((tag) => LANGUAGES.includes(tag)) || "en";

const number = (value) => language.number.format(value);

// A label `one|other` is chosen by `n` (or `k`); `{name}` is replaced by what stands for it, numbers in local form.
function t(key, values = {}) {
  let label = LABELS[language.name][key];
  if (label === undefined) return key;
  if (label.includes("|")) {
    const [one, other] = label.split("|");
    label = language.plural.select(values.k ?? values.n) === "one" ? one : other;
  }
  return label.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

function translate(root) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
}

// Times are UTC everywhere: a fleet lies in many zones, a log in one.
function moment(iso, parts = { dateStyle: "medium", timeStyle: "short" }) {
  const when = new Date(iso);
  if (!iso || Number.isNaN(when.getTime())) return iso || "";
  const text = new Intl.DateTimeFormat(language.name === "en" ? "en-GB" : language.name, { timeZone: "UTC", ...parts });
  return text.format(when) + (parts.timeStyle ? " UTC" : "");
}

const day = (iso) => moment(iso, { day: "numeric", month: "short" });

function bytesPerSecond(value) {
  if (value === null || value === undefined) return "";
  const units = language.name === "fr" ? ["o/s", "ko/s", "Mo/s", "Go/s"] : ["B/s", "kB/s", "MB/s", "GB/s"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = value < 10 && unit ? 1 : 0;
  return `${number(Number(value.toFixed(digits)))}\u00a0${units[unit]}`;
}
