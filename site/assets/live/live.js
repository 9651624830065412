// What every live page shares: the engine in a worker, asked in words of JSON, and elements made without markup.
// Nothing is fetched before the first touch. Text from a contract becomes text, never markup.
"use strict";

const Live = (() => {
  const script = document.currentScript.src;
  const base = new URL(".", script).href;
  const version = new URL(script).search;

  // Why this page cannot run the engine, or nothing.
  function cannot() {
    if (location.protocol === "file:")
      return "This page was opened from a folder, and browsers run no programs from one. Open it through a server: in"
        + " the project's folder run “make serve”, or “python -m http.server” in this site’s folder, and go to the address it names.";
    if (typeof Worker !== "function" || typeof WebAssembly !== "object" || typeof DecompressionStream !== "function")
      return "This browser cannot run Python in a page (it lacks WebAssembly, workers or DecompressionStream). A"
        + " current Firefox, Chrome, Edge or Safari can; so can the notebooks and the command line of the kit.";
    return "";
  }

  let worker, number = 0, waiting = new Map(), listeners = [];
  const measured = {};

  function start() {
    // A worker made from a blob is held to the page's own policy; one made from an address would not be.
    const source = `self.LIVE_BASE = ${JSON.stringify(base)}; self.early = []; onmessage = (event) => early.push(event); import(${JSON.stringify(base + "worker.js" + version)});`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    worker = new Worker(address, { type: "module" });
    const own = worker;
    measured.began = performance.now();
    worker.onmessage = ({ data }) => {
      const asked = waiting.get(data.id);
      waiting.delete(data.id);
      if (!asked) return;
      if (data.failed !== undefined) return asked.no(new Error(data.failed));
      measured.first ??= performance.now() - measured.began;
      Object.assign(measured, { times: data.times, took: data.took });
      asked.yes(JSON.parse(data.text));
    };
    worker.onerror = (event) => crashed(own, event.message || "the engine stopped");
  }

  // A worker that has died is replaced at the next question; what was asked of it fails, and the page keeps its state.
  function crashed(which, why) {
    if (which !== worker) return;
    worker.terminate();
    worker = undefined;
    const lost = [...waiting.values()];
    waiting.clear();
    lost.forEach((asked) => asked.no(new Error(why)));
    listeners.forEach((tell) => tell("The engine stopped and will be started again at your next change. Nothing is lost."));
  }

  // The answer to a question: what it is, or a `Refused` with every fault.
  class Refused extends Error {
    constructor(faults) { super(faults.map((fault) => fault.said).join("\n")); this.faults = faults; }
  }
  async function ask(verb, asked = {}, needs = []) {
    if (!worker) start();
    const id = ++number;
    const got = await new Promise((yes, no) => {
      waiting.set(id, { yes, no });
      worker.postMessage({ id, request: { ask: verb, ...asked }, needs });
    });
    if (got.refused) throw new Refused(got.refused);
    return got.is;
  }

  // An element: its attributes (an `on…` is a listener, `null` is none), and children that are elements or text.
  function make(tag, attributes = {}, ...children) {
    const svg = /^(svg|g|path|line|rect|circle|text|polyline|title|tspan)$/.test(tag) && attributes.svg !== false && tag !== "title";
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false || name === "svg") continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "value" && tag !== "option") element.value = value;
      else if (name === "checked" || name === "selected" || name === "disabled" || name === "open") element[name] = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  }

  const dollars = (amount, digits = 0) => {
    const text = Math.abs(amount).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return (amount < 0 && Number(text.replace(/,/g, "")) !== 0 ? "−$" : "$") + text;
  };
  const percent = (share) => `${(100 * share).toFixed(share && share < 0.01 ? 1 : 0)}%`;

  // A table that scrolls by itself; a heading that begins with > is of numbers.
  function table(caption, headings, rows, more = {}) {
    const right = headings.map((heading) => heading.startsWith(">"));
    const cell = (content, n) => make(n ? "td" : "th", { scope: n ? null : "row", class: right[n] ? "number" : null }, content);
    return make("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": caption },
      make("table", { class: "table", ...more },
        make("caption", {}, caption),
        make("thead", {}, make("tr", {}, headings.map((heading, n) =>
          make("th", { scope: "col", class: right[n] ? "number" : null }, heading.replace(">", ""))))),
        make("tbody", {}, rows.map((row) => make("tr", {}, row.map(cell))))));
  }

  // A contract's text as a link's fragment, and back.
  async function packed(text) {
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    let binary = "";
    for (let n = 0; n < bytes.length; n += 4096) binary += String.fromCharCode(...bytes.subarray(n, n + 4096));
    return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }
  async function unpacked(fragment, most = 250000) {
    const bytes = Uint8Array.from(atob(fragment.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const parts = [];
    let size = 0;
    for (let got = await reader.read(); !got.done; got = await reader.read()) {
      size += got.value.length;
      if (size > most) throw new Error("more than a contract may be");
      parts.push(got.value);
    }
    return new Blob(parts).text();
  }

  return { ask, base, cannot, dollars, make, measured, packed, percent, Refused, table, unpacked,
    onCrash: (tell) => listeners.push(tell), worker: () => worker };
})();
