"use strict";
// Filters, order, keys and the enlarged view. Text reaches the page by textContent and cloned nodes only.
(() => {
  const find = (id) => document.getElementById(id);
  const grid = find("cards"), view = find("view"), stage = find("stage"), help = find("help");
  const root = document.documentElement;
  const cards = Array.from(grid.querySelectorAll(".card"), (element) => ({
    element,
    button: element.querySelector(".open"),
    name: element.querySelector(".id").textContent,
    split: element.dataset.split,
    state: element.dataset.state,
    classes: new Set(element.dataset.classes.split(" ")),
    scores: JSON.parse(element.dataset.scores),
    text: element.textContent.toLowerCase(),
  }));
  let shown = cards;
  let current = -1;

  // An overlay shows the pictures that are there already; it gets them when it comes into sight.
  const picture = (card, kind) => card.element.querySelector("img." + kind);
  const copy = (source, name) => {
    const image = new Image();
    for (const side of ["width", "height"]) image.setAttribute(side, source.getAttribute(side));
    image.className = name;
    image.decoding = "async";
    image.alt = "";
    image.src = source.src;
    return image;
  };
  const draw = (card) => {
    const pictures = ["image", "label"].map((kind) => picture(card, kind)).filter(Boolean);
    card.element.querySelector(".overlay").replaceChildren(...pictures.map((source) => copy(source, "")));
  };
  const cardOf = new Map(cards.map((card) => [card.element, card]));
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((entry) => entry.isIntersecting)) {
        observer.unobserve(entry.target);
        draw(cardOf.get(entry.target));
      }
    },
    { rootMargin: "600px" },
  );
  for (const card of cards) observer.observe(card.element);

  // Which are shown, and in which order.
  const value = (id) => (find(id) ? find(id).value : "");
  const number = (text, otherwise) => (text === "" || Number.isNaN(Number(text)) ? otherwise : Number(text));
  const compareNames = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const orders = (score) => {
    const low = (card) => (score in card.scores ? card.scores[score] : -Infinity);
    const high = (card) => (score in card.scores ? -card.scores[score] : Infinity);
    const by = (key) => (a, b) => (key(a) === key(b) ? 0 : key(a) < key(b) ? -1 : 1) || compareNames(a, b);
    const rejectedFirst = (a, b) => (a.state < b.state ? 1 : a.state > b.state ? -1 : 0);
    return { worst: (a, b) => rejectedFirst(a, b) || by(low)(a, b), best: by(high), name: compareNames };
  };
  const pressed = () =>
    Array.from(document.querySelectorAll(".chip[aria-pressed=true]"), (chip) => chip.dataset.class);

  function refresh() {
    const words = value("search").toLowerCase().split(/\s+/).filter(Boolean);
    const split = value("split"), state = value("state"), score = value("score");
    const low = number(value("low"), null), high = number(value("high"), null);
    const classes = pressed();
    const fits = (card) =>
      (!split || card.split === split) &&
      (!state || card.state === state) &&
      classes.every((id) => card.classes.has(id)) &&
      words.every((word) => card.text.includes(word)) &&
      (low === null || (score in card.scores && card.scores[score] >= low)) &&
      (high === null || (score in card.scores && card.scores[score] <= high));
    const ordered = cards.slice().sort(orders(score)[value("order")]);
    shown = ordered.filter(fits);
    const visible = new Set(shown);
    for (const card of cards) card.element.hidden = !visible.has(card);
    grid.append(...ordered.map((card) => card.element));
    find("count").textContent = shown.length + " of " + cards.length + " shown";
    find("nothing").hidden = shown.length > 0;
  }

  function suggestLimits() {
    if (!find("score")) return;
    const score = value("score");
    const values = cards.filter((card) => score in card.scores).map((card) => card.scores[score]);
    const round = (x) => String(Number(x.toPrecision(3)));
    find("low").placeholder = values.length ? round(values.reduce((a, b) => Math.min(a, b))) : "";
    find("high").placeholder = values.length ? round(values.reduce((a, b) => Math.max(a, b))) : "";
  }

  for (const id of ["search", "split", "state", "score", "low", "high", "order"]) {
    if (find(id)) find(id).addEventListener("input", refresh);
  }
  if (find("score")) find("score").addEventListener("input", suggestLimits);
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      refresh();
    });
  }
  find("reset").addEventListener("click", () => {
    for (const control of document.querySelectorAll("#filters :is(input, select)")) {
      if (control.tagName === "SELECT") control.selectedIndex = 0;
      else control.value = control.defaultValue;
    }
    for (const chip of document.querySelectorAll(".chip")) chip.setAttribute("aria-pressed", "false");
    blend();
    suggestLimits();
    refresh();
  });
  if (find("show-rejected")) {
    find("show-rejected").addEventListener("click", () => {
      find("state").value = "rejected";
      refresh();
    });
  }
  const blend = () => root.style.setProperty("--overlay", value("blend") / 100);
  find("blend").addEventListener("input", blend);

  // The enlarged view.
  const divide = () => stage.style.setProperty("--divide", value("divide") + "%");
  const viewBlend = () => stage.style.setProperty("--view-blend", value("view-blend") / 100);
  find("divide").addEventListener("input", divide);
  find("view-blend").addEventListener("input", viewBlend);

  function fit(source) {
    const aspect = source ? source.width / source.height : 4 / 3;
    stage.style.aspectRatio = String(aspect);
    stage.style.width = "min(100%, " + 66 * aspect + "vh)";
  }

  function enlarge(index) {
    if (index < 0 || index >= shown.length) return;
    current = index;
    const card = shown[index];
    const image = picture(card, "image"), label = picture(card, "label");
    const layers = [];
    if (image) layers.push(copy(image, "below"));
    if (image && label) layers.push(copy(label, "label blended"));
    if (label) layers.push(copy(label, image ? "label cut" : "label"));
    if (image && label) {
      const edge = document.createElement("span");
      edge.className = "edge";
      layers.push(edge);
    }
    stage.replaceChildren(...layers);
    const own = card.element.querySelector(".open img");
    fit(own && { width: Number(own.getAttribute("width")), height: Number(own.getAttribute("height")) });
    find("view-id").textContent = card.name;
    find("view-place").textContent = index + 1 + " / " + shown.length;
    const more = Array.from(card.element.querySelector(".more").children, (node) => node.cloneNode(true));
    find("view-more").replaceChildren(...more);
    find("previous").disabled = index === 0;
    find("next").disabled = index === shown.length - 1;
    divide();
    viewBlend();
    if (!view.open) view.showModal();
  }

  grid.addEventListener("click", (event) => {
    const button = event.target.closest(".open");
    if (button) enlarge(shown.findIndex((card) => card.button === button));
  });
  find("previous").addEventListener("click", () => enlarge(current - 1));
  find("next").addEventListener("click", () => enlarge(current + 1));
  find("close").addEventListener("click", () => view.close());
  view.addEventListener("close", () => {
    if (shown[current]) focusCard(current);
  });
  for (const dialog of [view, help]) {
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  }
  const drag = (event) => {
    const box = stage.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    find("divide").value = String(Math.round(100 * share));
    divide();
  };
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    drag(event);
  });
  stage.addEventListener("pointermove", (event) => stage.hasPointerCapture(event.pointerId) && drag(event));

  // Keys.
  find("help-button").addEventListener("click", () => help.showModal());
  find("help-close").addEventListener("click", () => help.close());

  function focusCard(index) {
    const card = shown[Math.min(shown.length - 1, Math.max(0, index))];
    if (!card) return;
    card.button.focus({ preventScroll: true });
    card.element.scrollIntoView({ block: "nearest" });
  }
  const numColumns = () => getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  const steps = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -numColumns(), ArrowDown: numColumns };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isTyping = event.target.matches("input, select, textarea");
    const isInSearch = event.target === find("search");
    if (isInSearch && event.key === "Escape") {
      find("search").value = "";
      find("search").blur();
      refresh();
    }
    if (isTyping || help.open) return;
    if (event.key === "?") {
      help.showModal();
    } else if (view.open) {
      const steps = { ArrowLeft: -1, ArrowRight: 1 }, more = { ArrowUp: 10, ArrowDown: -10 };
      if (event.key in steps) enlarge(current + steps[event.key]);
      else if (event.key in more) {
        find("view-blend").value = String(Number(value("view-blend")) + more[event.key]);
        viewBlend();
      } else return;
    } else if (event.key === "/") {
      find("filters").open = true;
      find("search").focus();
    } else if (event.key in steps && grid.contains(document.activeElement)) {
      focusCard(shown.findIndex((card) => card.button === document.activeElement) + steps[event.key]());
    } else if (event.key === "ArrowRight" && shown.length) {
      focusCard(0);
    } else return;
    event.preventDefault();
  });

  if (window.matchMedia("(max-width: 700px)").matches) find("filters").open = false;
  suggestLimits();
  blend();
  refresh();
})();
