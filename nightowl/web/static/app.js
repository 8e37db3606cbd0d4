/* What pages do beyond reading: they keep up to date, follow keys, and show times as seen from now. */
"use strict";
(() => {
  const body = document.body, root = body.dataset.root, at = (id) => document.getElementById(id);
  document.documentElement.classList.add("js");

  /* times */
  const skew = body.dataset.now * 1000 - Date.now();
  const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  function span(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    if (whole >= 3600 && whole < 36000 && whole % 3600 >= 60) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
    const [size, unit] = steps.find(([size]) => whole >= size) || [1, "s"];
    return `${Math.floor(whole / size)} ${unit}`;
  }
  function tell(time) {
    const away = (Date.now() + skew - Date.parse(time.dateTime)) / 1000;
    const text = "span" in time.dataset ? span(away) : Math.abs(away) < 1 ? "just now" : away > 0 ? `${span(away)} ago` : `in ${span(-away)}`;
    if (time.textContent !== text) time.textContent = text;
  }
  const tellAll = (inside) => inside.querySelectorAll("time:not([data-fixed])").forEach(tell);
  setInterval(() => tellAll(document), 1000);

  /* live updates: {swap: {id: html}, lists: {id: [ids]}, wrong, headline, say} */
  const button = at("live");
  let source = null, feed = body.dataset.feed;
  function element(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    holder.content.querySelectorAll("input[name=csrf]").forEach((input) => { input.value = document.querySelector("meta[name=csrf]").content; });
    return holder.content.firstElementChild;
  }
  const holders = "a, button, input, summary, [tabindex]";
  const stateOf = (cell) => cell && (cell.matches(".state") ? cell : cell.querySelector(".state"));
  function tint(old, fresh) {
    [...fresh.children].forEach((cell, place) => {
      const before = stateOf(old.children[place]), now = stateOf(cell);
      if (before && now && before.className.replace(" fresh", "") !== now.className) now.classList.add("fresh");
    });
  }
  function swap(old, fresh) {
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const number = held && [...old.querySelectorAll(holders)].indexOf(held);
    const unfolded = fresh.querySelectorAll("details");
    old.querySelectorAll("details").forEach((details, place) => { if (unfolded[place]) unfolded[place].open = details.open; });
    old.replaceWith(fresh);
    if (/^(TR|LI)$/.test(fresh.tagName)) tint(old, fresh);
    if (held) (held.id && at(held.id) || fresh.querySelectorAll(holders)[number])?.focus({ preventScroll: true });
  }
  function arrange(list, order, made) {
    const wanted = order.map((id) => at(id) || made[id]).filter(Boolean);
    const focused = document.activeElement;
    for (const child of [...list.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((child, place) => { if (list.children[place] !== child) list.insertBefore(child, list.children[place] || null); });
    if (list.contains(focused)) focused.focus({ preventScroll: true });
  }
  function take(message) {
    const made = {};
    for (const [id, html] of Object.entries(message.swap)) {
      const old = at(id), fresh = element(html);
      tellAll(fresh);
      if (old) swap(old, fresh); else made[id] = fresh;
    }
    for (const [id, order] of Object.entries(message.lists)) if (at(id)) arrange(at(id), order, made);
    document.title = (message.headline ? `${message.headline} · ` : "") + body.dataset.title;
    document.querySelector("link[rel=icon]").href = `${root}/favicon.svg?wrong=${message.wrong}`;
    if (message.say) at("say").textContent = message.say;
    document.dispatchEvent(new CustomEvent("updated"));
  }
  function follow() {
    const page = location.pathname.slice(root.length) + location.search;
    source = new EventSource(`${root}/live?at=${feed}&page=${encodeURIComponent(page)}`);
    source.onmessage = (event) => { feed = event.lastEventId; take(JSON.parse(event.data)); };
    source.onopen = () => { body.dataset.connected = ""; };
  }
  function pause() {
    source?.close();
    source = null;
  }
  if (button && "live" in body.dataset) {
    button.hidden = false;
    button.onclick = () => {
      const live = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", live);
      button.lastElementChild.textContent = live ? "Live" : "Paused";
      if (live) follow(); else pause();
    };
    document.addEventListener("visibilitychange", () => {
      if (button.getAttribute("aria-pressed") !== "true") return;
      if (document.hidden) pause(); else if (!source) follow();
    });
    addEventListener("pagehide", pause);
    follow();
  }

  /* keys */
  const dialog = at("keys");
  function showKeys() {
    dialog.showModal();
    at("keys-close").focus();
  }
  if (dialog) {
    at("help").hidden = false;
    at("help").onclick = showKeys;
    at("keys-close").onclick = () => dialog.close();
  }
  const places = { n: "/", c: "/checks", r: "/rules", i: "/incidents", l: "/locations", w: "/clusters" };
  let going = 0;
  function step(by) {
    const rows = [...document.querySelectorAll("[data-row]")];
    const here = rows.findIndex((row) => row === document.activeElement || row.closest("tr, li")?.contains(document.activeElement));
    const next = rows[here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + by))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }
  const keys = {
    "/": () => { const search = at("search"); if (search) search.focus(); else location.href = `${root}/checks#search`; },
    "?": showKeys,
    j: () => step(1),
    k: () => step(-1),
    a: () => (document.activeElement.closest("li, tr")?.querySelector("[data-ack]") || document.querySelector("#head [data-ack]"))?.click(),
    g: () => { going = Date.now(); },
  };
  if (dialog && body.dataset.keys === "on") document.addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || dialog.open) return;
    const goes = Date.now() - going < 1500 && places[event.key];
    going = 0;
    if (goes) location.href = root + goes;
    else if (Object.hasOwn(keys, event.key)) keys[event.key]();
    else return;
    event.preventDefault();
  });
  if (location.hash === "#search") at("search")?.focus();

  /* a cell of a lane opens its round */
  document.addEventListener("click", (event) => {
    const lane = event.target.closest?.("[data-dues]");
    if (!lane) return;
    const dues = lane.dataset.dues.trim().split(" "), box = lane.getBoundingClientRect();
    const cells = lane.dataset.cells, cell = Math.min(cells - 1, Math.floor((event.clientX - box.left) / box.width * cells));
    const due = dues[cell - (cells - dues.length)];
    if (!due) return;
    const address = new URL(location.href);
    address.searchParams.set("round", due);
    address.hash = "round";
    location.href = address;
  });

  /* the reader's time zone, where the address names none */
  const zone = at("zone")?.dataset.zone, mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && mine && zone !== mine && !new URL(location.href).searchParams.has("zone")) location.replace(`?zone=${encodeURIComponent(mine)}`);

  /* copying */
  document.querySelectorAll("[data-copy]").forEach((copy) => {
    if (!navigator.clipboard) return;
    copy.hidden = false;
    copy.onclick = async () => {
      await navigator.clipboard.writeText(at(copy.dataset.copy).textContent);
      copy.textContent = "Copied";
    };
  });
})();
