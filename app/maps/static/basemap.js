/* The base map: the study's own tiles, painted by the rules that come with the page. */
(function (R) {
  "use strict";

  const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", system-ui, sans-serif';

  /** Tiles of this server; `tell` hears of each whether it came. What did not come is asked for again when it is drawn again. */
  R.tileSource = (template, tell) => ({
    async getZxy(z, x, y, signal) {
      try {
        const answer = await fetch(R.filled(template, { z, x, y }), { signal });
        if (!answer.ok) throw new Error(`tile ${z}/${x}/${y}: ${answer.status}`);
        const body = await answer.arrayBuffer();
        tell(true);
        return body.byteLength ? { data: body } : undefined;
      } catch (error) {
        if (error.name !== "AbortError") tell(false);
        throw error;
      }
    },
  });

  const sized = (stops) => (stops.length ? protomapsL.linear(stops) : 0);
  const chosen = (rule) => (_, feature) =>
    (!rule.kinds.length || rule.kinds.includes(feature.props.kind)) && (!rule.only || feature.props[rule.only]);

  function painter(rule) {
    if (rule.fill) {
      return new protomapsL.PolygonSymbolizer({ fill: rule.fill, stroke: rule.line || rule.fill, width: rule.line ? sized(rule.px) : 0 });
    }
    const width = sized(rule.px);
    // With a dash the width is taken from before(): it must not depend on the feature.
    return new protomapsL.LineSymbolizer({
      color: rule.line, width, dash: rule.dash.length ? rule.dash : undefined, lineJoin: "round",
      lineCap: rule.dash.length ? "butt" : "round",
    });
  }

  // Between two zooms the tiles are shown smaller or larger; names keep their size.
  const steady = (stops, map) => (zoom) => sized(stops)(zoom) / map.getZoomScale(map.getZoom(), zoom);

  function writer(rule, map) {
    const look = {
      labelProps: [`name_${R.view.lang}`, "name"], fill: rule.colour, stroke: R.view.base.halo, width: 2.5,
      fontFamily: FONT, fontSize: steady(rule.px, map), fontWeight: rule.weight,
    };
    return rule.along
      ? new protomapsL.LineLabelSymbolizer({ ...look, position: 2, repeatDistance: 400 })
      : new protomapsL.CenteredTextSymbolizer({ ...look, lineHeight: 1.3 });
  }

  const rule = (given, symbolizer) => ({
    dataLayer: given.layer, symbolizer, filter: chosen(given), minzoom: given.min_zoom || undefined,
  });

  /** The base map in two layers over one set of tiles: the ground below the results, the names above them. */
  R.baseLayers = function (map, tell) {
    const base = R.view.base;
    const common = {
      url: R.tileSource(R.view.urls.base, tell), maxDataZoom: 15, maxZoom: 22, lang: R.view.locale, attribution: "",
    };
    const ground = protomapsL.leafletLayer({
      ...common, backgroundColor: base.paper, labelRules: [], paintRules: base.paints.map((given) => rule(given, painter(given))),
    });
    const names = protomapsL.leafletLayer({
      ...common, pane: "names", paintRules: [], labelRules: base.labels.map((given) => rule(given, writer(given, map))),
    });
    names.views = ground.views;
    let between = map.getZoom() % 1;
    map.on("zoomend", () => {
      if (between === map.getZoom() % 1) return;
      between = map.getZoom() % 1;
      names.clearLayout();
      names.rerenderTiles();
    });
    return [ground, names];
  };

  /** A large layer as vector tiles, drawn with the classes of its style. */
  R.tiledLayer = function (card, pane, tell) {
    const url = R.filled(R.view.urls.mvt, { layer: card.id, table: card.table });
    return protomapsL.leafletLayer({
      url: R.tileSource(url, tell),
      maxDataZoom: 15,
      maxZoom: 22,
      pane,
      attribution: "",
      labelRules: [],
      paintRules: card.style.opacity < 1 ? [{ dataLayer: card.table, symbolizer: nestedPainter(card.style) }]
        : card.style.classes.flatMap((cls, i) => classPainters(cls.symbol, card.geometry).map((symbolizer) => ({
          dataLayer: card.table,
          symbolizer,
          filter: (_, feature) => R.isSeen(cls.symbol) && R.classOf(card.style, feature.props) === i,
        }))),
    });
  };

  /** Areas that lie one on another, in the order of their table. */
  function nestedPainter(style) {
    const symbol = (feature) => style.classes[R.classOf(style, feature.props)].symbol;
    return new protomapsL.PolygonSymbolizer({
      perFeature: true, fill: (_, feature) => symbol(feature).fill, opacity: (_, feature) => symbol(feature).fill_opacity,
      stroke: (_, feature) => symbol(feature).line, width: (_, feature) => (symbol(feature).line ? symbol(feature).line_px : 0),
    });
  }

  const OUTLINE_PX = 14;

  /** The outlines of areas, without those of holes and islands too small to tell at this zoom. */
  class Outline extends protomapsL.LineSymbolizer {
    draw(context, geometry, zoom, feature) {
      super.draw(context, geometry.filter(isWide), zoom, feature);
    }
  }

  function isWide(ring) {
    const side = (of) => Math.max(...of) - Math.min(...of);
    return side(ring.map(({ x }) => x)) >= OUTLINE_PX && side(ring.map(({ y }) => y)) >= OUTLINE_PX;
  }

  /** What draws a class: one painter, or one for the ground of an area and one for its dashed line. */
  function classPainters(symbol, geometry) {
    const area = geometry !== "line" && geometry !== "point" && symbol.fill;
    if (!area || !symbol.dash.length) return [classPainter(symbol, geometry)];
    return [classPainter({ ...symbol, line: "", line_px: 0 }, geometry), classPainter({ ...symbol, fill: "" }, "polygon")];
  }

  function classPainter(symbol, geometry) {
    if (geometry === "line" || (geometry === "polygon" && !symbol.fill)) {
      return new (geometry === "line" ? protomapsL.LineSymbolizer : Outline)({
        color: symbol.line, width: symbol.line_px, opacity: symbol.line_opacity,
        dash: symbol.dash.length ? symbol.dash : undefined, lineCap: "round", lineJoin: "round",
      });
    }
    if (geometry === "point") {
      return new protomapsL.CircleSymbolizer({
        radius: (symbol.size_px || 7) / 2, fill: symbol.fill, stroke: symbol.line || symbol.fill,
        width: symbol.line ? symbol.line_px : 0, opacity: symbol.fill_opacity,
      });
    }
    return new protomapsL.PolygonSymbolizer({
      pattern: symbol.hatch ? R.hatch(symbol.fill) : undefined,
      fill: symbol.fill, opacity: symbol.shape ? 0.4 : symbol.fill_opacity, stroke: symbol.line || symbol.fill,
      width: symbol.line ? symbol.line_px : 0,
    });
  }
})(window.Renxing);
