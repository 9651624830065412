// The workbench: one contract in a form and in its file, and what it says, pays and hides, at every change.
"use strict";

(() => {
  const { ask, dollars, make, percent, table } = Live;
  const mount = document.getElementById("workbench");
  if (!mount) return;
  if (Live.cannot()) {
    mount.prepend(make("p", { class: "live-cannot", role: "status" }, Live.cannot()));
    return;
  }

  const KEPT = "carecontracts.workbench";
  const MOST_KEPT = 200; // versions to go back to
  const QUIET = 350; // milliseconds without typing, after which the file is read
  const gallery = JSON.parse(document.getElementById("live-gallery")?.textContent || "[]");

  const state = { text: "", name: "", years: null, ownYears: false, opened: "", past: [], future: [], sound: "", costs: {} };
  let version = 0, typing = 0, against = "opened", theirs = "";

  // --- the page -------------------------------------------------------------------------------------------------

  const say = make("p", { class: "live-say", role: "status", "aria-live": "polite" });
  const faults = make("div", { class: "live-faults", role: "alert" });
  const button = (words, click, more = {}) => make("button", { type: "button", onclick: click, ...more }, words);

  const choose = make("select", { id: "wb-gallery" },
    make("option", { value: "" }, "Choose a contract…"),
    gallery.map(({ name, title }) => make("option", { value: name }, `${name}: ${title}`)));
  const pick = make("input", { type: "file", id: "wb-file", accept: ".yaml,.yml,text/*", onchange: openFile });
  const undo = button("Undo", () => back(state.past, state.future), { disabled: true });
  const redo = button("Redo", () => back(state.future, state.past), { disabled: true });
  const again = button("Open what you had last time", openKept, { hidden: true });
  const forget = button("Forget it", forgetKept, { hidden: true });
  const opening = make("div", { class: "live-bar", role: "group", "aria-label": "Open a contract" },
    make("label", { for: "wb-gallery" }, "From the gallery"), choose,
    make("label", { for: "wb-file" }, "Or a file of yours (YAML)"), pick, again, forget);
  choose.addEventListener("change", () => choose.value && openGallery(choose.value));

  const form = make("div", { class: "live-form" });
  const file = make("textarea", { id: "wb-yaml", spellcheck: "false", rows: "32", "aria-describedby": "wb-yaml-help", oninput: typed });
  const fileFaults = make("div", { class: "live-note" });
  const words = make("div", { class: "term-sheet live-words" });
  const statement = make("div");
  const yearsBox = make("div");
  const cash = make("div");
  const netsBox = make("div");
  const oddsBox = make("div");
  const trapsBox = make("div");
  const changesBox = make("div");
  const takeBox = make("div");

  const left = tabs("Change it", [
    ["form", "Form", form],
    ["yaml", "File", make("div", {}, make("label", { for: "wb-yaml" }, "The contract’s file"), file,
      make("p", { id: "wb-yaml-help", class: "live-note" }, "The same contract as text: a change here shows in the form, and one there shows here."), fileFaults)],
  ]);
  const right = tabs("What it does", [
    ["words", "Words", words], ["years", "Your years", yearsBox], ["statement", "Statement", statement],
    ["cash", "Cash", cash], ["nets", "Who nets what", netsBox], ["odds", "Odds", oddsBox],
    ["traps", "Traps", trapsBox], ["changes", "Changes", changesBox], ["take", "Take it", takeBox],
  ], () => seen());
  const bench = make("div", { class: "live-bench", hidden: true },
    make("div", { class: "live-bar", role: "group", "aria-label": "History" }, undo, redo), faults,
    make("div", { class: "live-sides" }, left.element, right.element));

  mount.replaceChildren(opening, say, bench);
  Live.onCrash((why) => tell(why));
  if (localStorage.getItem(KEPT)) again.hidden = forget.hidden = false;
  if (location.hash.startsWith("#c=")) openLink();
  let wide = innerWidth;
  addEventListener("resize", () => { if (state.sound && innerWidth !== wide) { wide = innerWidth; settled(); } }); // pictures fit anew
  addEventListener("hashchange", () => location.hash.startsWith("#c=") && openLink());

  function tell(text) { say.textContent = text; }

  function tabs(name, entries, changed = () => {}) {
    const list = make("div", { role: "tablist", "aria-label": name, class: "live-tabs" });
    const panels = entries.map(([id, label, content], n) => {
      const tab = make("button", { type: "button", role: "tab", id: `wb-tab-${id}`, "aria-controls": `wb-panel-${id}`,
        "aria-selected": n ? "false" : "true", tabindex: n ? "-1" : "0", onclick: () => show(n) }, label);
      list.append(tab);
      return make("div", { role: "tabpanel", id: `wb-panel-${id}`, "aria-labelledby": `wb-tab-${id}`, tabindex: "0", hidden: n > 0 }, content);
    });
    function show(n, focus = false) {
      [...list.children].forEach((tab, k) => {
        tab.setAttribute("aria-selected", k === n ? "true" : "false");
        tab.tabIndex = k === n ? 0 : -1;
        panels[k].hidden = k !== n;
      });
      if (focus) list.children[n].focus();
      changed();
    }
    list.addEventListener("keydown", (event) => {
      const now = [...list.children].indexOf(document.activeElement), last = entries.length - 1;
      const to = { ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now ? now - 1 : last, Home: 0, End: last }[event.key];
      if (to !== undefined) { event.preventDefault(); show(to, true); }
    });
    return { element: make("div", { class: "live-side" }, list, panels), show: (id) => show(entries.findIndex(([each]) => each === id)),
      now: () => entries[[...list.children].findIndex((tab) => tab.getAttribute("aria-selected") === "true")][0] };
  }

  // --- opening, going back, keeping ------------------------------------------------------------------------------

  async function openGallery(name) {
    tell("Loading Python and the engine: about 9 MB the first time, kept by your browser after that…");
    try { open(await ask("text_of", { name }), name); } catch (error) { failed(error); }
  }
  async function openFile() {
    const [given] = pick.files;
    if (!given) return;
    if (given.size > 250000) return tell(`${given.name} was not opened: a contract’s file has at most 250,000 bytes, this one has ${given.size.toLocaleString("en-US")}.`);
    open(await given.text(), given.name);
    pick.value = "";
  }
  async function openLink() {
    try {
      const text = await Live.unpacked(location.hash.slice(3));
      open(text, "the link");
    } catch { tell("The link does not hold a contract that can be read. Ask for it again, or open a file."); }
  }
  function openKept() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEPT));
      state.years = kept.years; state.ownYears = kept.ownYears; state.costs = kept.costs || {};
      open(kept.text, kept.name, true);
    } catch { forgetKept(); }
  }
  function forgetKept() {
    localStorage.removeItem(KEPT);
    again.hidden = forget.hidden = true;
    tell("Forgotten: nothing of your contract is kept in this browser.");
  }
  function keep() {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ text: state.text, name: state.name, years: state.years, ownYears: state.ownYears, costs: state.costs }));
      forget.hidden = false;
    } catch { /* a browser that keeps nothing */ }
  }
  function open(text, name, kept = false) {
    Object.assign(state, { text, name, opened: text, past: [], future: [], sound: "" });
    if (!kept) Object.assign(state, { years: null, ownYears: false, costs: {} });
    for (const box of [trapsBox, changesBox, netsBox, drawn, takeBox]) box.replaceChildren();
    against = "opened";
    theirs = "";
    bench.hidden = false;
    again.hidden = true;
    tell(`Opened ${name}. It stays in this browser: nothing of it is sent anywhere.`);
    shown(true);
  }
  function set(text, coalesce = false) {
    if (text === state.text) return shown();
    if (!coalesce || performance.now() - typing > 2000) state.past.push(state.text);
    typing = coalesce ? performance.now() : 0;
    if (state.past.length > MOST_KEPT) state.past.shift();
    state.future = [];
    state.text = text;
    shown();
  }
  function back(from, to) {
    if (!from.length) return;
    to.push(state.text);
    state.text = from.pop();
    tell(from === state.past ? "Undone." : "Done again.");
    shown();
  }

  // --- following every change ------------------------------------------------------------------------------------

  let timer;
  function typed() {
    clearTimeout(timer);
    timer = setTimeout(() => set(file.value, true), QUIET);
  }

  async function shown(opened = false) {
    const mine = ++version;
    const began = performance.now();
    undo.disabled = !state.past.length;
    redo.disabled = !state.future.length;
    if (file.value !== state.text) file.value = state.text;
    trapsBox.setAttribute("aria-busy", "true"); // until they are looked for anew
    keep();
    let found = [];
    try {
      const said = await ask("words", { contract: state.text });
      if (mine !== version) return;
      showWords(said);
      state.sound = state.text;
      if (!state.ownYears || !state.years) state.years = await plausible();
      if (mine !== version) return;
      await settled(mine);
    } catch (error) {
      if (mine !== version) return;
      found = faultsOf(error);
    }
    Live.measured.change = performance.now() - began;
    try {
      const made = await ask("form_of", { contract: state.text });
      if (mine !== version) return;
      showForm(made, found);
    } catch (error) { found = found.length ? found : faultsOf(error); }
    showFaults(found);
    if (opened) left.show("form");
    mount.dataset.ready = String(mine);
    seen();
  }

  async function plausible() {
    try {
      const asked = { contract: state.text };
      const lives = document.getElementById("wb-lives")?.value, cost = document.getElementById("wb-cost")?.value;
      if (Number(lives) > 0) asked.lives = Math.round(Number(lives));
      if (Number(cost) > 0) asked.cost = Number(cost);
      return await ask("years_for", asked);
    } catch (error) {
      if (!(error instanceof Live.Refused)) throw error;
      return { columns: ["year"], rows: [[""]], about: [] };
    }
  }

  function faultsOf(error) {
    if (error instanceof Live.Refused) return error.faults;
    failed(error);
    return [];
  }
  function failed(error) { console.error(error); tell(`Something went wrong: ${error.message} Your contract is kept; try again.`); }

  function showFaults(found) {
    if (!found.length) { faults.replaceChildren(); fileFaults.replaceChildren(); return; }
    const list = () => make("ol", {}, found.map((fault) => make("li", {},
      make("strong", {}, fault.where), ": ", fault.given, ". Allowed: ", fault.allowed, ". ", fault.do, ". ",
      fault.line ? button(`Go to line ${fault.line}`, () => toLine(fault.line)) : null,
      fieldOf(fault) ? button("Go to the field", () => toField(fault)) : null)));
    faults.replaceChildren(make("h3", {}, found.length === 1 ? "One thing to mend" : `${found.length} things to mend`),
      make("p", {}, "What is shown below is the last version that was sound."), list());
    fileFaults.replaceChildren();
  }
  function toLine(line) {
    left.show("yaml");
    const lines = file.value.split("\n"), start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    file.focus();
    file.setSelectionRange(start, start + (lines[line - 1] || "").length);
    file.scrollTop = Math.max(0, (line - 4) * (file.scrollHeight / lines.length));
  }
  function fieldOf(fault) {
    const term = (fault.term || "").split(".")[0];
    if (!term) return null;
    const part = fault.clause ?? fault.part;
    return [...form.querySelectorAll("[data-term]")].find((field) =>
      field.dataset.term === term && (part === null || part === undefined ? field.dataset.part === "" : field.dataset.part === String(part) || field.dataset.number === String(part)));
  }
  function toField(fault) {
    left.show("form");
    const field = fieldOf(fault);
    for (let fold = field.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    (field.querySelector("input,select,textarea,button") || field).focus();
  }

  // What costs more than a moment is asked when it is looked at.
  let quiet;
  function seen() {
    if (!state.sound) return;
    clearTimeout(quiet);
    const now = right.now();
    const jobs = { nets: showNets, traps: showTraps, changes: showChanges, take: showTake, odds: showOdds };
    if (jobs[now]) quiet = setTimeout(() => jobs[now](), now === "traps" ? 600 : 50);
  }

  // --- the form --------------------------------------------------------------------------------------------------

  async function change(place, value, how) {
    try { set(await ask("change", { contract: state.text, place, value, how })); } catch (error) { showFaults(faultsOf(error)); }
  }
  async function edit(verb, asked, done) {
    try { set(await ask(verb, { contract: state.text, ...asked })); tell(done); } catch (error) { showFaults(faultsOf(error)); }
  }

  function showForm(made, found) {
    const focused = document.activeElement && form.contains(document.activeElement) ? document.activeElement.id : "";
    const openNow = new Set([...form.querySelectorAll("details[open]")].map((fold) => fold.dataset.fold));
    const first = !form.childElementCount;
    const fold = (key, summary, ...content) => make("details", { "data-fold": key, open: openNow.has(key) }, make("summary", {}, summary), content);
    const clauses = made.clauses.map((clause, n) => fold(`clause ${clause.name || n}`, [`${n + 1}. ${clause.name || "a clause without a name"} `, make("small", {}, clause.label)],
      fields(clause, clause.name, n + 1, found),
      make("div", { class: "live-bar", role: "group", "aria-label": `Place of ${clause.name}` },
        button("Move up", () => edit("move", { place: ["clauses", n], to: n - 1 }, `${clause.name} is now paragraph ${n}.`), { disabled: !n, id: `wb-up-${n}` }),
        button("Move down", () => edit("move", { place: ["clauses", n], to: n + 1 }, `${clause.name} is now paragraph ${n + 2}.`), { disabled: n === made.clauses.length - 1, id: `wb-down-${n}` }),
        button("Remove", () => edit("remove", { place: ["clauses", n] }, `${clause.name} was removed; Undo brings it back.`), { id: `wb-remove-${n}` }))));
    const sections = made.sections.map((section) => fold(`section ${section.name}`, section.name === "measurement" ? "How the year is measured" : "What else is agreed",
      section.parts.map((part) => fold(`${section.name} ${part.name}`, part.name, fields(part, part.name, "", found)))));
    const agreement = make("fieldset", {}, make("legend", {}, "The agreement"),
      made.agreement.map((one) => field({ ...one, term: one.place[0], required: true, set: true }, "", "", found)),
      made.parties.map((party) => field({ place: party.place, term: "parties", label: `Party “${party.key}”`, how: "text", value: party.value, help: "", set: true }, "", "", found)),
      adder());
    form.replaceChildren(agreement, make("h3", {}, "Clauses, in the order in which they settle"), ...clauses, adding(made.clauses.length), ...sections);
    if (first) form.querySelector("details")?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
  }
  function adder() {
    const key = make("input", { type: "text", id: "wb-party", placeholder: "hospital" });
    return make("div", { class: "live-field" }, make("label", { for: "wb-party" }, "Add a party (a short name)"),
      make("div", { class: "live-bar" }, key, button("Add", () => key.value.trim() && change(["parties", key.value.trim()], `the ${key.value.trim()}`, "text"))));
  }
  let mechanisms;
  function adding(count) {
    const kind = make("select", { id: "wb-kind", onfocus: fill, onpointerdown: fill });
    async function fill() {
      if (kind.childElementCount) return;
      mechanisms ??= await ask("kinds");
      kind.append(...mechanisms.map((each) => make("option", { value: each.kind }, each.label)));
      about();
    }
    const note = make("p", { class: "live-note" });
    const about = () => { note.textContent = mechanisms?.find((each) => each.kind === kind.value)?.words || ""; };
    kind.addEventListener("change", about);
    fill();
    return make("div", { class: "live-field" }, make("label", { for: "wb-kind" }, "Add a clause"),
      make("div", { class: "live-bar" }, kind, button("Add", () => kind.value && edit("add_clause", { kind: kind.value, at: count }, "Added at the end: say its terms."), { id: "wb-add" })), note);
  }
  function fields(part, name, number, found) {
    const shownNow = part.fields.filter((one) => one.set || one.required);
    const rest = part.fields.filter((one) => !one.set && !one.required);
    return [make("div", { class: "live-fields" }, shownNow.map((one) => field(one, name, number, found))),
      rest.length ? make("details", { "data-fold": `more ${part.place.join(" ")}` }, make("summary", {}, `More terms (${rest.length})`),
        make("div", { class: "live-fields" }, rest.map((one) => field(one, name, number, found)))) : null];
  }

  function field(one, part, number, found) {
    const id = `wb-${one.place.join("-").replace(/[^\w-]/g, "_")}`;
    const mine = found.filter((fault) => (fault.term || "").split(".")[0] === one.term
      && (part === "" ? fault.clause === null && fault.part === null : String(fault.clause ?? fault.part) === String(part) || fault.clause === number));
    const described = [one.help || one.allowed ? `${id}-help` : "", mine.length ? `${id}-fault` : ""].filter(Boolean).join(" ") || null;
    const common = { id, "aria-describedby": described, "aria-invalid": mine.length ? "true" : null };
    const send = (value, how = one.how) => change(one.place, value, how);
    let control;
    if (one.how === "choice") {
      control = make("select", { ...common, onchange: (event) => send(event.target.value, "text") },
        one.required && one.value ? null : make("option", { value: "" }, one.default ? `not said (${one.default.replaceAll("_", " ")})` : "not said"),
        (one.options.includes(one.value) || !one.value ? one.options : [one.value, ...one.options]).map((option) =>
          make("option", { value: option, selected: option === one.value }, option.replaceAll("_", " "))));
    } else if (one.how === "switch") {
      control = make("input", { type: "checkbox", ...common, checked: one.value, onchange: (event) => send(event.target.checked) });
    } else if (one.how === "clauses") {
      control = make("div", { role: "group", "aria-label": one.label, id, tabindex: "-1" }, one.options.length ? one.options.map((option) =>
        make("label", { class: "live-check" }, make("input", { type: "checkbox", value: option, checked: one.value.includes(option), onchange: (event) => {
          const on = [...event.target.closest("[role=group]").querySelectorAll("input:checked")].map((box) => box.value);
          send(on, "clauses");
        } }), option)) : "There is no earlier clause.");
    } else if (one.how === "list") {
      control = make("textarea", { ...common, rows: "2", value: one.value.join("\n"), onchange: (event) => send(event.target.value.split("\n"), "list") });
    } else if (one.how === "table") {
      control = ladder(one, id, send);
    } else if (one.how === "yaml") {
      control = make("textarea", { ...common, rows: one.value.length > 60 ? "4" : "1", class: "live-code", spellcheck: "false", value: one.value, onchange: (event) => send(event.target.value) });
    } else {
      const list = one.how === "text" && one.options ? make("datalist", { id: `${id}-list` }, one.options.map((option) => make("option", { value: option }))) : null;
      control = [make(one.term === "summary" ? "textarea" : "input", { type: one.term === "summary" ? null : "text", rows: one.term === "summary" ? "3" : null,
        inputmode: one.how === "number" ? "decimal" : null, list: list ? `${id}-list` : null, ...common, value: one.value, onchange: (event) => send(event.target.value) }), list,
        one.how === "number" && one.unit ? button("By year", () => send([["1", one.value || "0"]], "table"), { "aria-label": `${one.label} by year`, class: "live-small" }) : null];
    }
    const labelled = one.how === "clauses" || one.how === "table";
    return make("div", { class: `live-field${mine.length ? " live-wrong" : ""}`, "data-term": one.term, "data-part": String(part), "data-number": String(number) },
      make(labelled ? "span" : "label", labelled ? { class: "live-label" } : { for: id }, one.label, one.unit ? make("small", {}, ` ${one.unit}`) : null),
      make("div", { class: "live-control" }, control),
      one.help || one.allowed ? make("p", { class: "live-note", id: `${id}-help` }, [one.help, one.allowed ? `Allowed: ${one.allowed}.` : ""].filter(Boolean).join(" ")) : null,
      mine.length ? make("p", { class: "live-fault", id: `${id}-fault` }, mine.map((fault) => `${fault.given}: ${fault.do}.`).join(" ")) : null);
  }

  // A number by year, tier or result: rows of two, and a curve that is dragged where it is a ladder.
  function ladder(one, id, send) {
    const rows = one.value.map(([key, value], n) => make("div", { class: "live-rung" },
      make("input", { type: "text", value: key, "aria-label": `${one.label}, row ${n + 1}, ${one.ladder ? "result" : "year or tier"}`, id: `${id}-k${n}` }),
      make("input", { type: "text", inputmode: "decimal", value, "aria-label": `${one.label}, row ${n + 1}, value`, id: `${id}-v${n}` }),
      button("×", (event) => { event.target.closest(".live-rung").remove(); collect(); }, { "aria-label": `Remove row ${n + 1} of ${one.label}`, class: "live-small" })));
    const box = make("div", { role: "group", "aria-label": one.label, onchange: () => collect() }, rows,
      button("Add a row", () => {
        const last = one.value[one.value.length - 1] || ["1", "0"];
        const next = Number.isFinite(Number(last[0])) ? String(Number((Number(last[0]) + (one.ladder ? 0.1 : 1)).toFixed(6))) : "new tier";
        send([...read(), [next, last[1]]], "table");
      }, { class: "live-small", id: `${id}-add` }));
    const read = () => [...box.querySelectorAll(".live-rung")].map((row) => [...row.querySelectorAll("input")].map((input) => input.value));
    const collect = () => { const now = read(); send(now.length ? now : "", "table"); };
    return box;
  }

  // --- words -----------------------------------------------------------------------------------------------------

  function showWords(said) {
    const cells = (row, tag) => make("tr", {}, row.map((cell) => make(tag, tag === "th" ? { scope: "col" } : {}, cell)));
    const noted = (note) => note ? [" ", make("em", {}, note)] : null;
    words.replaceChildren(make("h3", { class: "live-title" }, said.title), make("p", {}, said.summary), ...said.sections.flatMap((section) => [
      make("h4", {}, section.heading),
      section.lead ? make("p", {}, section.lead) : "",
      section.clauses.length ? make("ol", {}, section.clauses.map(([title, text, note]) => make("li", {}, make("strong", {}, `${title}. `), text, noted(note)))) : "",
      section.items.length ? make("ul", {}, section.items.map((item) => make("li", {}, item))) : "",
      section.points.length ? make("ul", {}, section.points.map(([title, text, note]) => make("li", {}, make("strong", {}, `${title}. `), text, noted(note)))) : "",
      section.table.length > 1 ? make("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": section.heading },
        make("table", { class: "table" }, make("thead", {}, cells(section.table[0], "th")), make("tbody", {}, section.table.slice(1).map((row) => cells(row, "td"))))) : "",
      section.after ? make("p", {}, section.after) : "",
    ]));
  }

  // --- years, statement, cash ------------------------------------------------------------------------------------

  async function settled(mine = version) {
    showYears();
    try {
      const got = await ask("settle", { contract: state.sound, years: tableOf() });
      if (mine !== version) return;
      showStatement(got);
      showCash(got);
    } catch (error) {
      const found = faultsOf(error);
      statement.replaceChildren(make("div", { class: "live-faults" }, make("h3", {}, "These years do not settle it"),
        make("ul", {}, found.map((fault) => make("li", {}, make("strong", {}, fault.where), `: ${fault.given}. Allowed: ${fault.allowed}. ${fault.do}.`))),
        button("Fill what is missing with plausible facts", fillYears)));
      cash.replaceChildren(make("p", {}, "There is no cash before the years settle: see Statement."));
    }
  }
  const tableOf = () => ({ columns: state.years.columns, rows: state.years.rows });
  async function fillYears() {
    const made = await plausible();
    const mine = state.years;
    const rows = mine.rows.map((row, n) => {
      const held = Object.fromEntries(mine.columns.map((name, k) => [name, row[k]]));
      const like = Object.fromEntries(made.columns.map((name, k) => [name, (made.rows[n] || made.rows[made.rows.length - 1])[k]]));
      const names = [...new Set([...made.columns, ...mine.columns])];
      return names.map((name) => held[name] !== undefined && held[name] !== "" ? held[name] : like[name] ?? "");
    });
    state.years = { ...made, columns: [...new Set([...made.columns, ...mine.columns])], rows };
    keep();
    await settled();
    seen();
  }

  function showYears() {
    const { columns, rows, about } = state.years;
    const focused = document.activeElement && yearsBox.contains(document.activeElement) ? document.activeElement.id : "";
    const what = (name) => about?.find((each) => each.fact === name);
    const own = (value, row, column) => { state.ownYears = true; rows[row][column] = value; keep(); settled(); };
    const cells = rows.map((row, r) => make("tr", {}, row.map((value, c) => make("td", {}, make("input", { type: "text", inputmode: "decimal", value, id: `wb-y-${r}-${c}`,
      "aria-label": `${columns[c]}, row ${r + 1}`, onchange: (event) => own(event.target.value, r, c), onpaste: (event) => pastedInto(event) })))));
    const pasted = make("textarea", { id: "wb-paste", rows: "4", class: "live-code", placeholder: "year\tbenchmark\tspend" });
    const csv = make("input", { type: "file", id: "wb-years-file", accept: ".csv,.txt,.tsv,.yaml,.yml", onchange: async () => {
      if (csv.files[0]) await readYears(await csv.files[0].text(), csv.files[0].name);
      csv.value = "";
    } });
    const lives = document.getElementById("wb-lives")?.value ?? "", cost = document.getElementById("wb-cost")?.value ?? "";
    yearsBox.replaceChildren(
      make("p", {}, state.ownYears ? "These are your years." : "These years are made up from the contract’s own terms: as expected if the program changes nothing. Put your own in their place."),
      make("div", { class: "live-scroll", tabindex: "0", role: "region", "aria-label": "The years" }, make("table", { class: "table live-years" },
        make("caption", {}, "A row for each contract year"),
        make("thead", {}, make("tr", {}, columns.map((name) => make("th", { scope: "col" }, name.replaceAll("_", " "))))), make("tbody", {}, cells))),
      make("div", { class: "live-bar" },
        button("Add a year", () => { rows.push(rows[rows.length - 1].map((value, c) => c ? value : String(Number(value) + 1))); state.ownYears = true; keep(); settled(); }, { id: "wb-add-year" }),
        button("Remove the last", () => { if (rows.length > 1) { rows.pop(); state.ownYears = true; keep(); settled(); } }, { disabled: rows.length < 2, id: "wb-remove-year" }),
        button("Make plausible years again", () => { state.ownYears = false; shown(); }, { id: "wb-plausible" })),
      make("div", { class: "live-fields" },
        make("div", { class: "live-field" }, make("label", { for: "wb-lives" }, "People, for made-up years"), make("input", { id: "wb-lives", type: "text", inputmode: "numeric", value: lives, placeholder: "500" })),
        make("div", { class: "live-field" }, make("label", { for: "wb-cost" }, "Dollars one costs in a year"), make("input", { id: "wb-cost", type: "text", inputmode: "numeric", value: cost, placeholder: "24000" }))),
      make("div", { class: "live-field" }, make("label", { for: "wb-paste" }, "Paste cells from a spreadsheet, with the row of names"), pasted,
        button("Read the cells", () => readYears(pasted.value, "pasted cells"), { id: "wb-read" })),
      make("div", { class: "live-field" }, make("label", { for: "wb-years-file" }, "Or a file of years (CSV or YAML)"), csv),
      make("details", { "data-fold": "facts" }, make("summary", {}, "What each column is"), make("dl", {}, columns.filter(what).flatMap((name) => [
        make("dt", {}, name), make("dd", {}, what(name).what, what(name).unit ? ` (${what(name).unit})` : "", what(name).read_by.length ? `; read by ${what(name).read_by.join(", ")}` : "")]))));
    if (focused) document.getElementById(focused)?.focus();
  }
  function pastedInto(event) {
    const text = event.clipboardData?.getData("text") || "";
    if (!/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    readYears(text, "pasted cells");
  }
  async function readYears(text, name) {
    try {
      state.years = await ask("years_from", { contract: state.sound, text, name });
      state.ownYears = true;
      keep();
      await settled();
      tell(`Read ${state.years.rows.length} ${state.years.rows.length === 1 ? "year" : "years"} from ${name}.`);
      seen();
    } catch (error) {
      const found = faultsOf(error);
      if (found.length) tell(`Not read. ${found.slice(0, 4).map((fault) => `${fault.where}: ${fault.given}; allowed: ${fault.allowed}; ${fault.do}.`).join(" ")}`);
    }
  }

  function showStatement(got) {
    const years = [...new Set(got.rows.map((row) => row.year))];
    statement.replaceChildren(
      state.ownYears ? "" : make("p", { class: "live-note" }, "On made-up years: put your own under “Your years”."),
      ...years.map((year) => table(year < 100 ? `Year ${year}` : String(year), ["Clause", ">Amount", "From", "To", "Due", "How it came about"],
        got.rows.filter((row) => row.year === year).map((row) => [`${row.paragraph}. ${row.clause}`, dollars(row.amount, 2), row.payer, row.payee, row.due, row.workings.join("; ")]))),
      table("All years, by party", ["Party", ">Received", ">Paid", ">Net", ">Lowest cash", "In"],
        got.totals.map((row) => [row.party, dollars(row.received, 2), dollars(row.paid, 2), dollars(row.net, 2), dollars(row.lowest, 2), row.month])),
      got.unread.length ? make("p", { class: "live-note" }, `No clause reads: ${got.unread.join(", ")}.`) : "",
      make("h3", {}, "Who pays whom, over all years"), picture(got));
  }

  // Each party a line down, each clause an arrow across, in the order in which they settle.
  function picture(got) {
    const parties = Object.keys(got.parties);
    const arrows = got.flows.flatMap((flow) => flow.clauses.map((clause) => ({ ...clause, payer: flow.payer, payee: flow.payee })));
    const order = [...new Set(got.rows.map((row) => row.clause))];
    arrows.sort((a, b) => order.indexOf(a.clause) - order.indexOf(b.clause));
    const width = Math.max(280, Math.min(720, right.element.clientWidth || 640)), step = 46, top = 44;
    const height = top + step * arrows.length + 16;
    const at = (party) => (parties.indexOf(party) + 0.5) * width / parties.length;
    const most = Math.max(1, ...arrows.map((arrow) => arrow.amount));
    const label = arrows.map((arrow) => `${arrow.payer} pays ${arrow.payee} ${dollars(arrow.amount)} under ${arrow.clause}`).join("; ");
    return make("svg", { class: "live-picture", role: "img", "aria-label": label, viewBox: `0 0 ${width} ${height}`, width, height },
      parties.map((party) => [make("line", { x1: at(party), x2: at(party), y1: 26, y2: height, class: "life" }),
        make("text", { x: at(party), y: 17, class: "party" }, party)]),
      arrows.map((arrow, n) => {
        const y = top + step * (n + 0.6), from = at(arrow.payer), to = at(arrow.payee), turn = Math.sign(to - from) || 1;
        const thick = arrow.amount > 0 ? 1.5 + 5 * Math.sqrt(arrow.amount / most) : 1;
        return make("g", { class: arrow.amount > 0 ? "flow" : "flow none" },
          make("line", { x1: from, x2: to - turn * 9, y1: y, y2: y, "stroke-width": thick }),
          make("path", { d: `M ${to} ${y} l ${-turn * 11} -6 l 0 12 z` }),
          make("text", { x: Math.min(Math.max((from + to) / 2, 90), width - 90), y: y - 9 }, `${arrow.clause}: ${dollars(arrow.amount)}`));
      }));
  }

  function showCash(got) {
    const parties = Object.keys(got.parties).filter((party) => got.cash.some((each) => each.party === party));
    const months = [...new Set(got.cash.map((each) => each.month))];
    const width = Math.max(280, Math.min(720, right.element.clientWidth || 640)), height = 260, pad = { left: 74, right: 12, top: 14, bottom: 30 };
    const all = got.cash.filter((each) => parties.includes(each.party)).map((each) => each.position);
    const high = Math.max(0, ...all), low = Math.min(0, ...all), span = high - low || 1;
    const x = (n) => pad.left + n * (width - pad.left - pad.right) / Math.max(1, months.length - 1);
    const y = (amount) => pad.top + (high - amount) * (height - pad.top - pad.bottom) / span;
    const lowest = parties.map((party) => got.cash.filter((each) => each.party === party).reduce((a, b) => b.position < a.position ? b : a));
    cash.replaceChildren(
      make("p", {}, "Everyone’s cash since the start, from this contract’s payments alone. Payroll comes off it: under “Who nets what” say what a team costs."),
      make("svg", { class: "live-picture", role: "img", viewBox: `0 0 ${width} ${height}`, width, height,
        "aria-label": lowest.map((each) => `${each.party} is lowest at ${dollars(each.position)} in ${each.month}`).join("; ") },
        [high, 0, low].filter((amount, n, list) => list.indexOf(amount) === n).map((amount) => [
          make("line", { x1: pad.left, x2: width - pad.right, y1: y(amount), y2: y(amount), class: amount ? "grid" : "zero" }),
          make("text", { x: pad.left - 6, y: y(amount) + 4, class: "axis" }, dollars(amount))]),
        parties.map((party, k) => make("polyline", { class: `series s${k % 4}`, points: got.cash.filter((each) => each.party === party).map((each) => `${x(months.indexOf(each.month))},${y(each.position)}`).join(" ") })),
        months.length > 1 ? [make("text", { x: pad.left, y: height - 8, class: "first" }, months[0]), make("text", { x: width - pad.right, y: height - 8, class: "axis" }, months[months.length - 1])] : []),
      make("ul", { class: "live-key" }, parties.map((party, k) => make("li", { class: `s${k % 4}` }, `${party}: lowest ${dollars(lowest[k].position)} in ${lowest[k].month}`))),
      make("details", { "data-fold": "cash" }, make("summary", {}, "Month by month"), table("Cash by month", ["Month", "Party", ">Received", ">Paid", ">So far"],
        got.cash.filter((each) => parties.includes(each.party) && (each.received || each.paid)).map((each) => [each.month, each.party, dollars(each.received, 2), dollars(each.paid, 2), dollars(each.position, 2)]))));
  }

  // --- nets, odds, traps, changes, taking -------------------------------------------------------------------------

  const luck = () => {
    const line = document.getElementById("wb-line")?.value, complex = document.getElementById("wb-complex")?.checked;
    return line ? { line, complex_care: Boolean(complex) } : {};
  };
  const expectedYears = () => {
    const how = document.getElementById("wb-are")?.value || "made up";
    return state.ownYears && how !== "made up" ? { years: tableOf(), years_are: how } : {};
  };

  async function showNets() {
    const mine = version;
    const costs = Object.fromEntries(Object.entries(state.costs).filter(([, value]) => Number(value) > 0).map(([party, value]) => [party, Number(value)]));
    try {
      const got = await ask("nets", { contract: state.sound, costs, luck: luck(), ...expectedYears() });
      if (mine !== version) return;
      const parties = Object.keys(got.parties);
      const focused = document.activeElement && netsBox.contains(document.activeElement) ? document.activeElement.id : "";
      netsBox.replaceChildren(
        make("p", {}, "What each side ends with over the whole term, if all goes as expected: compared with the same years without the program and without the contract."),
        make("div", { class: "live-fields" }, parties.map((party, n) => make("div", { class: "live-field" }, make("label", { for: `wb-cost-${n}` }, `What a team costs ${party} a year`),
          make("input", { id: `wb-cost-${n}`, type: "text", inputmode: "numeric", value: state.costs[party] || "", placeholder: "0", onchange: (event) => { state.costs[party] = event.target.value; keep(); showNets(); } })))),
        table("What each nets", ["Party", ...got.cases.map((each) => `>If ${each.case}`)],
          parties.map((party) => [got.parties[party], ...got.cases.map((each) => dollars(each.parties.find((row) => row.party === party).nets))])),
        ...got.cases.map((each) => table(`Where it comes from if ${each.case}`, ["Party", "From", ">Dollars"],
          each.parties.flatMap((row) => Object.entries(row.sources).map(([source, amount]) => [row.party, source, dollars(amount)])))),
        got.missing.length ? make("p", { class: "live-note" }, `Not counted, since nothing says it: ${got.missing.join("; ")}.`) : "", assumed(got.assumed));
      if (focused) document.getElementById(focused)?.focus();
    } catch (error) { netsBox.replaceChildren(refused(faultsOf(error))); }
  }
  function refused(found) {
    return make("div", { class: "live-faults" }, make("ul", {}, found.map((fault) => make("li", {}, make("strong", {}, fault.where), `: ${fault.given}. Allowed: ${fault.allowed}. ${fault.do}.`))));
  }
  function assumed(rows) {
    return make("details", { "data-fold": "assumed" }, make("summary", {}, "What this assumes"),
      table("What this assumes", ["What", "Value", "It rests on"], rows.map((row) => [row.what, row.value, row.rests_on])));
  }

  let drawing = false, oddsMade = false;
  const drawn = make("div");
  function showOdds() {
    if (oddsMade) return;
    oddsMade = true;
    const effect = make("input", { id: "wb-effect", type: "text", inputmode: "decimal", value: "0.05" });
    const draws = make("input", { id: "wb-draws", type: "text", inputmode: "numeric", value: "2000" });
    const progress = make("progress", { max: "1", value: 0, "aria-label": "Draws made" });
    const line = make("select", { id: "wb-line" }, make("option", { value: "" }, "as Medicare’s scale implies"), ["medicaid", "medicare", "dual", "commercial"].map((each) => make("option", { value: each }, each)));
    const startButton = button("Draw", begin, { id: "wb-draw" });
    const stop = button("Stop", () => { drawing = false; }, { disabled: true, id: "wb-stop" });
    async function begin() {
      drawing = true;
      startButton.disabled = true; stop.disabled = false;
      const mine = version;
      try {
        let got = await ask("odds", { contract: state.sound, effect: Number(effect.value), draws: Number(draws.value), luck: luck(), ...expectedYears() });
        for (;;) {
          progress.value = got.drawn / got.wanted;
          showDrawn(got);
          if (got.drawn >= got.wanted || !drawing || mine !== version) break;
          got = await ask("more_odds");
        }
        tell(got.drawn >= got.wanted ? `${got.drawn.toLocaleString("en-US")} draws made.` : `Stopped after ${got.drawn.toLocaleString("en-US")} draws.`);
      } catch (error) { drawn.replaceChildren(refused(faultsOf(error))); }
      drawing = false;
      startButton.disabled = false; stop.disabled = true;
    }
    oddsBox.replaceChildren(make("p", {}, "Thousands of years of chance around what is expected: what luck alone pays, and what is paid if the program works."),
      make("div", { class: "live-fields" },
        make("div", { class: "live-field" }, make("label", { for: "wb-effect" }, "What the program truly saves (0.05 is 5%)"), effect),
        make("div", { class: "live-field" }, make("label", { for: "wb-draws" }, "Draws"), draws),
        make("div", { class: "live-field" }, make("label", { for: "wb-line" }, "How unequal members’ costs are"), line),
        make("div", { class: "live-field" }, make("label", { class: "live-check" }, make("input", { type: "checkbox", id: "wb-complex" }), "Its dearest 5%")),
        make("div", { class: "live-field" }, make("label", { for: "wb-are" }, "The years"), make("select", { id: "wb-are" },
          make("option", { value: "made up" }, "made up from the terms"), make("option", { value: "without" }, "mine: without the program"), make("option", { value: "with" }, "mine: with the program in them")))),
      make("div", { class: "live-bar" }, startButton, stop, progress), drawn);
  }
  function showDrawn(got) {
    drawn.replaceChildren(make("p", { class: "live-result" }, got.words), make("p", { class: "live-note" }, `${got.drawn.toLocaleString("en-US")} of ${got.wanted.toLocaleString("en-US")} draws, seed ${got.seed}.`),
      ...got.cases.map((each) => table(`If ${each.case}: received less paid, over the term`, ["Party", ">Mean", ">1 in 20 below", ">Median", ">1 in 20 above", ">Pays more than it gets", ">Lowest cash, 1 in 20"],
        each.parties.map((row) => [row.party, dollars(row.mean), dollars(row.low), dollars(row.median), dollars(row.high), percent(row.loses), dollars(row.lowest_cash)]))), assumed(got.assumed));
  }

  async function showTraps() {
    const mine = version;
    if (!trapsBox.childElementCount) trapsBox.replaceChildren(make("p", {}, "Looking for traps…"));
    try {
      const how = { effect: 0.05, luck: luck(), ...expectedYears() };
      const got = await ask("found", { contract: state.sound, ...how });
      if (mine !== version) return;
      const counts = ["error", "warning", "question"].map((kind) => [kind, got.findings.filter((each) => each.severity === kind).length]);
      trapsBox.replaceChildren(
        make("p", { role: "status" }, got.findings.length ? `${counts.map(([kind, n]) => `${n} ${kind}${n === 1 ? "" : "s"}`).join(", ")}.` : "No trap was found."),
        make("ul", { class: "live-traps" }, got.findings.map((each, which) => make("li", { class: each.severity },
          make("h3", {}, make("span", { class: "live-badge" }, each.severity), ` ${each.found}`),
          make("p", {}, `${each.where[0].toUpperCase()}${each.where.slice(1)}. ${each.numbers}`), make("p", {}, make("strong", {}, "What to do: "), `${each.do}. `,
            each.mend ? button("Mend it", async () => { await edit("mend", { which, ...how }, `Mended: ${each.rule}. Undo brings it back.`); }, { "aria-label": `Mend it: ${each.rule}, ${each.where}` }) : null)))));
    } catch (error) { trapsBox.replaceChildren(refused(faultsOf(error))); }
    if (mine === version) trapsBox.removeAttribute("aria-busy");
  }

  async function showChanges() {
    const mine = version;
    const other = { opened: state.opened, last: state.past[state.past.length - 1] || state.opened, theirs: theirs || state.opened }[against];
    const which = make("select", { id: "wb-against", onchange: (event) => { against = event.target.value; showChanges(); } },
      [["opened", "the version that was opened"], ["last", "the version before"], ["theirs", "another file"]].map(([value, label]) => make("option", { value, selected: value === against }, label)));
    const pickTheirs = make("input", { type: "file", id: "wb-theirs", accept: ".yaml,.yml", onchange: async () => { if (pickTheirs.files[0]) { theirs = await pickTheirs.files[0].text(); showChanges(); } } });
    const head = [make("div", { class: "live-field" }, make("label", { for: "wb-against" }, "Compared with"), which),
      against === "theirs" ? make("div", { class: "live-field" }, make("label", { for: "wb-theirs" }, "The other file"), pickTheirs) : ""];
    try {
      const got = await ask("compare", { before: other, after: state.sound, years: tableOf() });
      if (mine !== version) return;
      changesBox.replaceChildren(...head, got.said.length ? make("p", {}, `${got.said.length} ${got.said.length === 1 ? "place says" : "places say"} something else.`) : make("p", {}, "Both say the same."),
        got.said.length ? table("What changed", ["Where", "What", "It said", "It says", `>Alone worth to ${got.payer}`],
          got.said.map((each) => [each.where, each.what, make("del", {}, each.before), make("ins", {}, each.after), each.alone === null ? "–" : dollars(each.alone, 2)])) : "",
        got.worth.length ? table("What it is worth on the same years", ["Party", ">Before", ">Now", ">Worth"], got.worth.map((row) => [row.party, dollars(row.before, 2), dollars(row.after, 2), dollars(row.worth, 2)])) : "");
    } catch (error) { changesBox.replaceChildren(...head, refused(faultsOf(error))); }
  }

  function save(name, parts, type) {
    const address = URL.createObjectURL(new Blob(parts, { type }));
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }
  async function take(kind) {
    try {
      const got = await ask("file_of", { contract: state.sound, years: tableOf(), kind }, kind.endsWith(".xlsx") ? ["xlsx"] : []);
      save(got.name, [Uint8Array.from(atob(got.base64), (c) => c.charCodeAt(0))], kind.endsWith(".csv") ? "text/csv" : "application/octet-stream");
      tell(`${got.name} is among your downloads.`);
    } catch (error) { const found = faultsOf(error); if (found.length) tell(found.map((fault) => fault.said).join(" ")); }
  }
  function showTake() {
    if (takeBox.childElementCount) return;
    const link = make("input", { type: "text", id: "wb-link", readonly: true, "aria-describedby": "wb-link-help" });
    takeBox.replaceChildren(make("p", {}, "Everything is made here, in this page."), make("div", { class: "live-takes" },
      button("The contract (.yaml)", () => save(fileName(), [state.text], "text/yaml")),
      button("The years (.csv)", async () => save("years.csv", [await ask("years_file", { years: tableOf() })], "text/csv")),
      button("The statement (.csv)", () => take("statement.csv")), button("The cash by month (.csv)", () => take("cash.csv")),
      button("Statement and cash (.xlsx)", () => take("statement.xlsx")),
      button("Print the term sheet", () => { right.show("words"); setTimeout(() => print(), 50); })),
      make("div", { class: "live-field" }, make("label", { for: "wb-link" }, "A link that holds the whole contract"), link,
        make("div", { class: "live-bar" },
          button("Make the link", async () => { await linked(state.text); }),
          button("Make it without our notes", async () => { try { await linked(await ask("without_notes", { contract: state.text })); } catch (error) { showFaults(faultsOf(error)); } })),
        make("p", { class: "live-note", id: "wb-link-help" }, "The contract is behind the # of the link, which browsers do not send to any server. Whoever has the link has the contract.")));
    async function linked(text) {
      link.value = `${location.origin}${location.pathname}#c=${await Live.packed(text)}`;
      link.select();
      tell("The link is made, and selected to be copied.");
    }
  }
  const fileName = () => `${(state.name || "contract").replace(/\.ya?ml$/, "").replace(/[^\w-]+/g, "-") || "contract"}.yaml`;
})();
