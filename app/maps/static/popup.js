/* What a feature is: its name, its class, its fields, in a popup; and the mark around what was chosen. */
(function (R) {
  "use strict";

  const MOST = 12;
  let marked = null;

  const classOf = ({ layer, properties }) => layer.card.style.classes[R.classOf(layer.card.style, properties)];

  /** Its name; where others of its layer have names and it has none, what it is; else the layer's title. */
  function title(hit) {
    const { card } = hit.layer;
    return R.spoken(hit.properties, "name") || (card.named ? classOf(hit).label : card.title);
  }

  /** The line under the title: what the title does not say of layer and class. */
  function kind(hit) {
    const { card } = hit.layer, { label } = classOf(hit);
    if (title(hit) === card.title) return label;
    return title(hit) === label ? card.title : `${card.title} · ${label}`;
  }

  function shown({ layer, properties }) {
    const has = (column) => R.known(properties[column]);
    const rows = layer.card.fields.filter(isNumber);
    const meant = rows.filter(({ needs, lacks }) => (!needs || has(needs)) && (!lacks || !has(lacks)));
    return meant.filter((field) => {
      const value = R.valueOf(field, properties);
      return R.known(value) ? !field.only_some || R.isSome(field, value) : field.missing;
    });
  }

  const isNumber = ({ kind }) => !["name", "sentence", "steps"].includes(kind);

  /** What is said of it in whole sentences, above its numbers and below; that a usable shelter is usable its class says. */
  function sentences(hit) {
    const { fields } = hit.layer.card;
    const first = fields.findIndex(isNumber);
    const said = (from, to) => fields.slice(from, to)
      .filter(({ kind, column }) => kind === "sentence" && (column !== "reason" || hit.properties.reason_code !== "usable"))
      .map(({ column }) => R.spoken(hit.properties, column)).filter(Boolean)
      .map((sentence) => R.el("p", { class: "reason" }, sentence));
    return first < 0 ? [said(0), []] : [said(0, first), said(first)];
  }

  /** A way step by step, a line each. */
  function steps(hit) {
    const told = hit.layer.card.fields.filter((field) => field.kind === "steps");
    return told.map((field) => R.spoken(hit.properties, field.column)).filter(Boolean)
      .map((text) => R.el("ol", { class: "steps" }, text.split("\n").map((step) => R.el("li", {}, step))));
  }

  function line(field, properties) {
    const before = R.before(field, properties);
    return R.el("tr", {}, R.el("th", { scope: "row" }, field.label),
      R.el("td", {}, R.written(field, R.valueOf(field, properties)), before && R.el("small", {}, before)));
  }

  /** One feature as a card. */
  function cardOf(hit) {
    const { card } = hit.layer;
    const rows = shown(hit).map((field) => line(field, hit.properties));
    const [above, below] = sentences(hit);
    return R.el("article", { class: "card", tabindex: -1 },
      R.el("h3", {}, title(hit)),
      R.el("p", { class: "class" }, R.swatch(classOf(hit).symbol, card.geometry, card.style.opacity), R.el("span", {}, kind(hit))),
      above,
      rows.length > 0 && R.el("table", {}, R.el("tbody", {}, rows)),
      below, steps(hit));
  }

  function several(hits, map, place) {
    const list = R.el("ul", { class: "here" }, hits.slice(0, MOST).map((hit) => {
      const cls = classOf(hit);
      const open = () => R.openCard(map, hit, place);
      return R.el("li", {}, R.el("button", { type: "button", on: { click: open } },
        R.swatch(cls.symbol, hit.layer.card.geometry, hit.layer.card.style.opacity), R.el("span", {}, title(hit)),
        R.el("small", {}, title(hit) === hit.layer.card.title ? cls.label : hit.layer.card.title)));
    }));
    return R.el("article", { class: "card", tabindex: -1 }, R.el("h3", {}, R.t("here")), list);
  }

  function popup(map, place, content) {
    const { x, y } = map.getSize();
    const legend = document.getElementById("legend");
    const right = legend && !legend.hidden && x > 700 ? legend.offsetWidth + 24 : 16;
    const size = { maxWidth: Math.min(330, x - 80), minWidth: Math.min(250, x - 100), maxHeight: Math.max(170, 0.6 * y) };
    L.popup({ ...size, autoPanPaddingTopLeft: [56, 16], autoPanPaddingBottomRight: [right, 16] })
      .setLatLng(place).setContent(content).openOn(map);
    content.focus({ preventScroll: true });
  }

  R.openCard = function (map, hit, place) {
    R.highlight(map, hit.shape);
    popup(map, place, cardOf(hit));
    document.dispatchEvent(new CustomEvent("renxing:chosen", { detail: hit.properties }));
  };

  /** Draw a dark line around a shape, or take it away. */
  R.highlight = function (map, shape) {
    if (marked) marked.remove();
    marked = null;
    if (!shape) return;
    const look = { pane: "chosen", interactive: false, color: "#14202b", weight: 3, fill: false, dashArray: null };
    if (shape instanceof L.CircleMarker) marked = L.circleMarker(shape.getLatLng(), { ...look, radius: shape.getRadius() + 4 });
    else if (shape instanceof L.Polygon) marked = L.polygon(shape.getLatLngs(), look);
    else marked = L.polyline(shape.getLatLngs(), { ...look, weight: 7, opacity: 0.55 });
    marked.addTo(map);
  };

  R.watchPointer = function (map) {
    map.createPane("chosen").style.zIndex = 590;
    map.on("click", (event) => {
      const hits = distinct(R.under(event));
      if (hits.length === 0) R.highlight(map, null);
      else if (hits.length === 1 || !crowded(hits)) R.openCard(map, hits[0], event.latlng);
      else popup(map, event.latlng, several(hits, map, event.latlng));
    });
    map.on("popupclose", () => R.highlight(map, null));
    document.addEventListener("keydown", (event) => event.key === "Escape" && map.closePopup());
    let waiting = false;
    map.on("mousemove", (event) => {
      if (waiting) return;
      waiting = true;
      setTimeout(() => {
        waiting = false;
        map.getContainer().classList.toggle("over", R.under(event).length > 0);
      }, 60);
    });
  };

  /** A feature may be drawn as several shapes: each is named once; of rings that lie one in another, the smallest. */
  function distinct(hits) {
    const seen = new Set();
    return hits.filter(({ layer, properties }) => {
      const nested = layer.card.geometry === "polygon" && layer.card.style.kind === "ramp";
      const key = nested ? layer : layer.shapes.length ? properties : JSON.stringify(properties);
      return !seen.has(key) && seen.add(key);
    });
  }

  /** Several things other than the area they all lie in; or nothing but areas, one on another. */
  function crowded(hits) {
    const inside = hits.filter((hit) => hit.layer.card.geometry !== "polygon").length;
    return inside > 1 || (inside === 0 && hits.length > 1);
  }
})(window.Renxing);
