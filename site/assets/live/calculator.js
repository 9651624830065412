// A first deal from a few numbers: worked out when the book was built, and live from the first touch.
"use strict";

for (const form of document.querySelectorAll("form.live-calculator")) {
  const { ask, make, packed, Refused } = Live;
  const say = form.querySelector(".live-say");
  const results = form.querySelector(".live-results");
  const open = form.querySelector(".live-open");
  let contract = JSON.parse(form.querySelector(".live-made").textContent);
  form.addEventListener("submit", (event) => event.preventDefault());

  const given = () => Object.fromEntries([...form.elements].filter((field) => field.name).map((field) =>
    [field.name, field.tagName === "SELECT" ? field.value : field.value.trim() === "" ? null : Number(field.value)]));

  let version = 0, timer;
  async function work() {
    const mine = ++version;
    say.textContent ||= "Loading Python and the engine: about 9 MB the first time, kept by your browser after that…";
    try {
      const got = await ask("first_deal", given());
      if (mine !== version) return;
      contract = got.contract;
      show(got);
      say.textContent = "These are your numbers.";
    } catch (error) {
      if (mine !== version) return;
      say.textContent = error instanceof Refused
        ? error.faults.map((fault) => `${fault.where}: ${fault.given}. Allowed: ${fault.allowed}; ${fault.do}.`).join(" ")
        : `Something went wrong: ${error.message}`;
    }
    form.dataset.ready = String(mine);
  }
  function show(got) {
    results.querySelector("dl").replaceChildren(...got.lines.flatMap(([what, text]) => [make("dt", {}, what), make("dd", {}, text)]));
    const cells = (row, head) => make("tr", {}, row.map((cell, n) =>
      make(head || !n ? "th" : "td", { scope: head ? "col" : n ? null : "row", class: n ? "number" : null }, cell)));
    results.querySelector("thead").replaceChildren(cells(got.heads, true));
    results.querySelector("tbody").replaceChildren(...got.rows.map((row) => cells(row, false)));
  }

  if (Live.cannot()) {
    say.textContent = Live.cannot();
  } else {
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(work, 200); });
    open.hidden = false;
    open.addEventListener("click", async () => { location.href = `${form.dataset.workbench}#c=${await packed(contract)}`; });
  }
}
