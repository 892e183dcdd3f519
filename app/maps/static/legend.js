/* The layer control, which is the legend: each layer with its switch, and under it its classes with their counts. */
(function (R) {
  "use strict";

  /** People where they are known, else the streets reached, else the features. */
  function numberOf(row) {
    if (R.known(row.people)) return R.t("people", { value: R.count(row.people) });
    if (R.known(row.street_km)) return R.t("street_km", { value: R.measured(row.street_km) });
    return R.known(row.features) ? R.t("features", { value: R.count(row.features) }) : "";
  }

  function classes(card) {
    const as = card.geometry === "raster" ? "polygon" : card.geometry;
    return R.el("ul", { class: "classes" }, card.legend.map((row) =>
      R.el("li", {}, R.swatch(row.symbol, as, card.style.opacity), R.el("span", {}, row.label), R.el("small", {}, numberOf(row)))));
  }

  function row(layer) {
    const { card } = layer;
    const box = R.el("input", { type: "checkbox", id: `show-${card.id}`, on: {
      change: () => (box.checked ? layer.show() : layer.hide()),
    } });
    const state = R.el("span", { class: "state", role: "status" });
    const more = R.el("div", { class: "more" }, card.note && R.el("p", { class: "note" }, card.note), classes(card));
    const element = R.el("li", { class: "layer" },
      R.el("div", { class: "switch" }, box, R.el("label", { for: `show-${card.id}` }, card.short), state), more);
    layer.onChange(() => tell(layer, box, state, element));
    return element;
  }

  function tell(layer, box, state, element) {
    box.checked = layer.state !== "off";
    element.dataset.state = layer.state;
    if (layer.state === "loading") R.fill(state, R.t("loading"));
    else if (layer.state === "failed") {
      R.fill(state, R.t("failed"), R.el("button", { type: "button", on: { click: () => layer.show() } }, R.t("retry")));
    } else R.fill(state);
  }

  /** The layers of a group: as they are, or under what they are about, shut until asked for. */
  function rows(members) {
    const topics = [...new Set(members.map((layer) => layer.card.topic))];
    if (topics.length === 1 && !topics[0]) return R.el("ul", {}, members.map(row));
    return R.el("div", { class: "topics" }, topics.map((topic) => {
      const mine = members.filter((layer) => layer.card.topic === topic);
      const shown = R.el("small", {});
      const tellShown = () => {
        const n = mine.filter((layer) => layer.state !== "off").length;
        R.fill(shown, n ? R.t("shown", { value: R.count(n) }) : "");
      };
      mine.forEach((layer) => layer.onChange(tellShown));
      return R.el("details", { class: "topic" }, R.el("summary", {}, R.el("span", {}, topic), shown), R.el("ul", {}, mine.map(row)));
    }));
  }

  R.legend = function () {
    const groups = Object.entries(R.view.groups).map(([group, title]) => {
      const members = [...R.layers.values()].filter((layer) => layer.card.group === group);
      return members.length && R.el("section", {}, R.el("h3", {}, title), rows(members));
    });
    const close = R.el("button", { type: "button", class: "close", "aria-label": R.t("close") }, "×");
    const body = R.el("section", { id: "legend", "aria-label": R.t("layers") },
      R.el("header", {}, R.el("h2", {}, R.t("layers")), close), R.el("div", { class: "groups" }, groups.filter(Boolean)));
    const open = R.el("button", { type: "button", id: "open-legend", "aria-expanded": "true", "aria-controls": "legend" }, R.t("open_layers"));
    const set = (shown) => {
      body.hidden = !shown;
      open.setAttribute("aria-expanded", String(shown));
      open.hidden = shown;
      if (!shown) open.focus({ preventScroll: true });
    };
    close.addEventListener("click", () => set(false));
    open.addEventListener("click", () => set(true));
    body.hidden = window.matchMedia("(max-width: 760px)").matches;
    open.hidden = !body.hidden;
    open.setAttribute("aria-expanded", String(!body.hidden));
    return [open, body];
  };
})(window.Renxing);
