/* Puts the page together around Folium's map. */
(function (R) {
  "use strict";

  const map = window.map_plan;
  const stage = document.getElementById("stage");
  const [west, south, east, north] = R.view.bounds;
  const whole = L.latLngBounds([south, west], [north, east]);

  function message() {
    const box = R.el("p", { id: "message", role: "alert", hidden: true });
    stage.append(box);
    return (text, act) => {
      box.hidden = !text;
      R.fill(box, text, text && R.el("button", { type: "button", on: { click: act } }, R.t("retry")));
    };
  }

  function base() {
    map.createPane("names").style.zIndex = 580;
    map.getPane("names").style.pointerEvents = "none";
    const layers = R.baseLayers(map, (came) => tell(came ? "" : R.t("failed_base"), again));
    const again = () => layers.forEach((layer) => layer.redraw());
    layers.forEach((layer) => layer.addTo(map));
  }

  function buttons() {
    const make = (name, sign, act) =>
      R.el("button", { type: "button", "aria-label": R.t(name), title: R.t(name), on: { click: act } }, sign);
    stage.append(R.el("div", { id: "buttons" },
      make("zoom_in", "+", () => map.zoomIn()), make("zoom_out", "−", () => map.zoomOut()), make("whole", "⤢", showAll)));
  }

  /** The scale bar with its unit in the language of the page. */
  function scale() {
    const units = { m: R.t("metres"), km: R.t("kilometres") };
    const Scale = L.Control.Scale.extend({
      _updateScale(bar, text, ratio) {
        const [length, unit] = text.split(" ");
        L.Control.Scale.prototype._updateScale.call(this, bar, `${length} ${units[unit]}`, ratio);
      },
    });
    return new Scale({ imperial: false, position: "bottomleft" });
  }

  /** Room that the legend takes from the map on a wide screen. */
  function padding() {
    const legend = document.getElementById("legend");
    const right = legend && !legend.hidden && map.getSize().x > 700 ? legend.offsetWidth + 16 : 8;
    return { paddingTopLeft: [8, 8], paddingBottomRight: [right, 28] };
  }

  function showAll() {
    map.fitBounds(whole, { ...padding(), animate: false });
  }

  /** Go to a community: the map moves there and its card opens. */
  async function go(community) {
    const [w, s, e, n] = community.bounds;
    map.fitBounds([[s, w], [n, e]], { ...padding(), maxZoom: 16, animate: false });
    const layer = R.layers.get("communities");
    if (!layer) return;
    if (layer.state !== "on") await layer.show();
    const shape = layer.shapes.find((one) => one.feature.properties.community_id === community.community_id && one instanceof L.Polygon);
    if (!shape) return;
    R.openCard(map, { layer, shape, properties: shape.feature.properties }, R.middle(shape));
    if (window.matchMedia("(max-width: 760px)").matches) stage.scrollIntoView({ block: "start" });
  }

  map.getContainer().setAttribute("aria-label", R.t("map"));
  const tell = message();
  scale().addTo(map);
  R.makeLayers(map);
  R.fill(document.getElementById("panel"), R.summary(go));
  stage.append(...R.legend());
  stage.append(R.el("p", { id: "attribution" }, R.view.attribution.join(" · ")));
  buttons();
  R.watchPointer(map);
  map.invalidateSize({ animate: false });
  showAll();
  base();
  const first = [...R.layers.values()].filter((layer) => layer.card.visible).map((layer) => layer.show());
  Promise.all(first).then(() => document.documentElement.setAttribute("data-ready", "true"));
})(window.Renxing);
