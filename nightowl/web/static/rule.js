/* Rules: the page looks again now and then; the form tries what is typed on the past, and moves the limit. */
"use strict";
(() => {
  const at = (id) => document.getElementById(id);

  /* the page of a rule */
  const now = at("now");
  async function look() {
    if (document.hidden || now.contains(document.activeElement) && document.activeElement !== document.body) return;
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("now");
    if (!fresh) return;
    const unfolded = fresh.querySelectorAll("details");
    now.querySelectorAll("details").forEach((details, place) => { if (unfolded[place]) unfolded[place].open = details.open; });
    now.replaceChildren(...fresh.childNodes);
  }
  if (now) setInterval(look, 20000);

  /* the form */
  const form = at("rule");
  if (!form) return;
  const preview = at("preview"), mover = at("mover"), strategy = form.elements.strategy;
  function fit() {
    for (const field of form.querySelectorAll("[data-only]")) {
      const meant = !form.dataset.builtIn.split(" ").includes(strategy.value) || field.dataset.only.split(" ").includes(strategy.value);
      field.hidden = !meant;
      field.querySelectorAll("input, select, textarea").forEach((input) => { input.disabled = !meant; });
    }
  }
  const limits = ["above", "below", "at_least", "at_most", "equals", "not_equals"].map((key) => form.elements[key]);
  const parts = (text) => /^\s*([+-]?)\s*(\d+(?:\.\d+)?)\s*(%|sigma)?\s*$/.exec(text);
  const limit = () => limits.find((input) => !input.disabled && parts(input.value));

  /* the slider goes over what the picture shows; of a relative limit it moves the number after the sign */
  function aim() {
    const input = limit(), drawn = preview.querySelector("[data-high]");
    at("move").hidden = !input || !drawn;
    if (!input || !drawn || document.activeElement === mover) return;
    const [, sign, digits, unit] = parts(input.value);
    const low = sign || unit ? 0 : Math.min(+drawn.dataset.low, +digits), amount = sign === "-" && strategy.value === "fixed" ? -digits : +digits;
    const high = unit === "%" ? Math.max(200, 2 * amount) : unit ? Math.max(10, 2 * amount) : Math.max(+drawn.dataset.high, amount);
    mover.min = sign === "-" && strategy.value === "fixed" ? Math.min(+drawn.dataset.low, amount) : low;
    mover.max = high;
    mover.step = 10 ** Math.floor(Math.log10((mover.max - mover.min) / 100 || 1));
    mover.value = amount;
    at("moved").textContent = input.value;
  }
  mover.addEventListener("input", () => {
    const input = limit(), [, sign, , unit] = parts(input.value), plain = strategy.value === "fixed";
    const number = String(+(+mover.value).toPrecision(6));
    input.value = plain ? number : `${sign}${number}${unit === "sigma" ? " sigma" : unit || ""}`;
    at("moved").textContent = input.value;
    soon(150);
  });

  let waiting = 0, asking = null;
  function soon(wait) {
    clearTimeout(waiting);
    waiting = setTimeout(ask, wait);
  }
  function tell() {
    form.querySelectorAll(".typed .mistake").forEach((slot) => { slot.textContent = ""; });
    form.querySelectorAll("[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
    for (const mistake of preview.querySelectorAll("[data-key]")) {
      const input = form.elements[mistake.dataset.key], slot = at(`${mistake.dataset.key}-hint`)?.querySelector(".mistake");
      if (!input?.value || !slot) continue;
      slot.textContent = mistake.dataset.text;
      input.setAttribute("aria-invalid", "true");
    }
  }
  async function ask() {
    asking?.abort();
    asking = new AbortController();
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form), signal: asking.signal });
      if (!answer.ok) return;
      preview.innerHTML = await answer.text();
      tell();
      aim();
      copies();
    } catch (error) {
      if (error.name === "AbortError") return;
      throw error;
    } finally {
      preview.removeAttribute("aria-busy");
    }
  }
  function copies() {
    const copy = preview.querySelector("[data-copy]");
    if (!copy || !navigator.clipboard) return;
    copy.hidden = false;
    copy.onclick = async () => {
      await navigator.clipboard.writeText(at(copy.dataset.copy).textContent);
      copy.textContent = "Copied";
    };
  }
  form.addEventListener("input", (event) => { if (event.target !== mover) soon(400); });
  strategy.addEventListener("change", fit);
  fit();
  if (form.elements.metric.value && !preview.querySelector(".paged")) soon(0);
  aim();
  copies();
})();
