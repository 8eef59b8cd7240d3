"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const element = (id) => document.getElementById(id);
  const PER_PAGE = 60;
  let shown = [], numDrawn = 0, current = -1;

  // Texts are set as text, never as markup: names and messages may hold anything.
  const make = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };
  const picture = (source, alt) => make("img", { src: source, alt, loading: "lazy" });

  data.classes.forEach((entry, index) => element("class").append(make("option", { value: index, textContent: entry.name })));
  data.scores.forEach((name, index) => element("score").append(make("option", { value: index, textContent: name.replaceAll("_", " ") })));

  const scoreOf = (sample) => {
    const value = sample.scores[Number(element("score").value) || 0];
    return value === null || value === undefined ? Infinity : value;
  };

  function bounds() {
    const values = data.samples.map(scoreOf).filter(Number.isFinite);
    return values.length ? [Math.min(...values), Math.max(...values)] : [0, 0];
  }

  function chosen() {
    const words = element("search").value.toLowerCase(), index = element("class").value;
    const split = element("split").value, accepted = element("accepted").value;
    const [low, high] = bounds(), part = Number(element("limit").value) / 100;
    const most = part >= 1 ? Infinity : low + (high - low) * part;
    return data.samples.filter((sample) =>
      (!words || `${sample.id} ${sample.source} ${sample.set} ${sample.reason}`.toLowerCase().includes(words)) &&
      (index === "" || sample.shares[Number(index)] > 0) &&
      (split === "" || sample.split === split) &&
      (accepted === "" || sample.accepted === (accepted === "yes")) &&
      scoreOf(sample) <= most);
  }

  function ordered(samples) {
    const order = element("order").value;
    const byName = (one, other) => (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
    if (order === "name") return samples.sort(byName);
    const sign = order === "best" ? -1 : 1;
    return samples.sort((one, other) =>
      sign * (Number(one.accepted) - Number(other.accepted)) || sign * (scoreOf(one) - scoreOf(other)) || byName(one, other));
  }

  function card(sample, index) {
    const four = make("div", { className: "four" });
    if (sample.broken) four.append(make("p", { className: "reason", textContent: sample.broken }));
    else four.append(picture(sample.label, "label"), picture(sample.mask, "mask"), picture(sample.image, "generated"),
      make("div", { className: "over" }, picture(sample.image, "generated"), picture(sample.label, "label")));
    const line = make("p", {}, make("b", { textContent: sample.id, title: sample.id }), make("span", { textContent: sample.split }));
    const node = make("button", { type: "button", className: "sample" + (sample.accepted ? "" : " rejected") }, four, line);
    if (!sample.accepted) node.append(make("p", { className: "reason", textContent: sample.reason }));
    node.addEventListener("click", () => look(index));
    return node;
  }

  function drawMore() {
    const next = shown.slice(numDrawn, numDrawn + PER_PAGE);
    element("grid").append(...next.map((sample, offset) => card(sample, numDrawn + offset)));
    numDrawn += next.length;
    element("more").hidden = numDrawn >= shown.length;
  }

  function draw() {
    shown = ordered(chosen());
    numDrawn = 0;
    element("grid").replaceChildren();
    element("count").textContent = `${shown.length} of ${data.samples.length}`;
    drawMore();
  }

  function place() {
    const at = Number(element("split-at").value);
    element("view-label").style.clipPath = `inset(0 ${100 - at}% 0 0)`;
    element("edge").style.left = `${at}%`;
    element("view-overlay").style.opacity = Number(element("opacity").value) / 100;
  }

  function look(index) {
    if (index < 0 || index >= shown.length) return;
    current = index;
    const sample = shown[index];
    for (const [id, source] of [["view-image", sample.image], ["view-overlay", sample.label], ["view-label", sample.label]])
      element(id).src = source || "data:,";
    const shares = data.classes.map((entry, number) => [entry.name, sample.shares[number]]).filter(([, share]) => share > 0)
      .sort((one, other) => other[1] - one[1]).map(([name, share]) => `${name} ${(100 * share).toFixed(1)} %`);
    const facts = [["sample", sample.id], ["label", `${sample.set}: ${sample.source}, variant ${sample.variant}`],
      ["file", sample.file], ["size", `${sample.size} px`], ["split", sample.split],
      ["quality", sample.accepted ? "accepted" : `rejected: ${sample.reason}`], ["classes", shares.join(", ")],
      ...data.scores.map((name, number) => [name.replaceAll("_", " "), sample.scores[number] ?? "none"])];
    element("details").replaceChildren(...facts.flatMap(([name, value]) =>
      [make("dt", { textContent: name }), make("dd", { textContent: value })]));
    place();
    if (!element("view").open) {
      element("view").showModal();
      element("view").focus(); // or the first slider takes the arrow keys
    }
  }

  for (const id of ["search", "class", "split", "accepted", "score", "limit", "order"]) element(id).addEventListener("input", draw);
  for (const id of ["split-at", "opacity"]) element(id).addEventListener("input", place);
  element("filters").addEventListener("submit", (event) => event.preventDefault());
  element("more").addEventListener("click", drawMore);
  element("previous").addEventListener("click", () => look(current - 1));
  element("next").addEventListener("click", () => look(current + 1));
  element("close").addEventListener("click", () => element("view").close());
  element("help-button").addEventListener("click", () => element("help").showModal());
  if ("IntersectionObserver" in window)
    new IntersectionObserver((entries) => { if (entries[0].isIntersecting && !element("more").hidden) drawMore(); },
      { rootMargin: "600px" }).observe(element("more"));

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input[type=search]");
    const isOpen = element("view").open;
    if (event.key === "Escape" && isTyping) event.target.blur();
    else if (isTyping && event.key !== "Enter") return;
    else if (event.key === "/") { event.preventDefault(); element("search").focus(); }
    else if (event.key === "?") element("help").open ? element("help").close() : element("help").showModal();
    else if (isOpen && event.key === "ArrowRight" && event.target.type !== "range") look(current + 1);
    else if (isOpen && event.key === "ArrowLeft" && event.target.type !== "range") look(current - 1);
    else if (isOpen && event.key === "o") { element("opacity").value = Number(element("opacity").value) ? 0 : 60; place(); }
    else if (!isOpen && event.key === "Enter" && (isTyping || event.target === document.body)) { event.preventDefault(); look(0); }
  });
  draw();
})();
