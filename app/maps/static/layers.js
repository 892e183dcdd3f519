/* Layers on the map: brought when switched on, drawn on a canvas each, found again under the pointer. */
(function (R) {
  "use strict";

  const ABOVE_BASE = 300;
  const CLOSE_UP = 15.5;
  const fetched = new Map();

  R.layers = new Map();

  /** The features of a table; asked for once, however many layers draw them. A failure may be tried again. */
  function features(table) {
    if (!fetched.has(table)) {
      const url = R.filled(R.view.urls.geojson, { table, layer: table });
      const coming = fetch(url).then((answer) => {
        if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
        return answer.json();
      });
      fetched.set(table, coming);
      coming.catch(() => fetched.delete(table));
    }
    return fetched.get(table).then((collection) => collection.features);
  }

  class MapLayer {
    constructor(map, card) {
      Object.assign(this, { map, card, state: "off", shapes: [], leaf: null, wanted: false, listeners: [] });
      this.pane = `layer-${card.id}`;
      map.createPane(this.pane).style.zIndex = ABOVE_BASE + card.order;
      map.getPane(this.pane).style.opacity = card.style.opacity;
      this.renderer = L.canvas({ pane: this.pane, padding: 0.2 });
    }

    /** Whether its areas lie one on another, and the layer as a whole is seen through. */
    get seenThrough() {
      return this.card.style.opacity < 1;
    }

    onChange(act) {
      this.listeners.push(act);
    }

    set(state) {
      this.state = state;
      this.listeners.forEach((act) => act(this));
    }

    async show() {
      this.wanted = true;
      if (!this.leaf) {
        this.set("loading");
        try {
          this.leaf = await this.drawn();
        } catch (error) {
          console.warn(error);
          this.set("failed");
          return;
        }
      }
      if (this.wanted) {
        this.leaf.addTo(this.map);
        this.set("on");
      }
      lightenAreas();
    }

    hide() {
      this.wanted = false;
      if (this.leaf) this.leaf.remove();
      this.set("off");
      lightenAreas();
    }

    /** Draw areas with a part of their opacity. */
    lighten(part) {
      if (this.card.geometry !== "polygon" || this.part === part) return;
      this.part = part;
      if (this.seenThrough) {
        this.map.getPane(this.pane).style.opacity = this.card.style.opacity * part;
        return;
      }
      for (const shape of this.shapes) shape.setStyle({ fillOpacity: this.symbolOf(shape.feature).fill_opacity * part });
    }

    async drawn() {
      const card = this.card;
      if (card.delivery === "png") {
        const url = R.view.urls.png.replace("{layer}", card.id).replace("{table}", card.table);
        return L.tileLayer(url, { pane: this.pane, maxZoom: 22, maxNativeZoom: 18, className: "crisp" });
      }
      if (card.delivery === "mvt") return R.tiledLayer(card, this.pane, (came) => this.wanted && this.set(came ? "on" : "failed"));
      const group = L.layerGroup();
      for (const feature of await features(card.table)) {
        if (feature.geometry && R.isSeen(this.symbolOf(feature))) this.add(group, feature);
      }
      if (card.number || card.named) group.addLayer(this.labels());
      return group;
    }

    symbolOf(feature) {
      return this.card.style.classes[R.classOf(this.card.style, feature.properties)].symbol;
    }

    add(group, feature) {
      const symbol = this.symbolOf(feature);
      const options = { ...R.pathOptions(symbol), renderer: this.renderer, interactive: false };
      const pointToLayer = (_, place) => this.point(place, symbol);
      const path = L.GeoJSON.geometryToLayer(feature, { pointToLayer });
      const parts = path.getLayers ? path.getLayers() : [path];
      // A site with a sign of its own is drawn lightly: the sign says what it is.
      if (symbol.mark && symbol.shape) Object.assign(options, { fillOpacity: 0.3, weight: 1.5, color: symbol.line === "#ffffff" ? symbol.fill : symbol.line });
      for (const part of parts) {
        if (!(part instanceof R.ShapeMarker)) Object.assign(part.options, options);
        this.take(group, part, feature);
        if (symbol.mark && symbol.shape && part instanceof L.Polygon) this.take(group, this.point(R.middle(part), symbol), feature);
      }
    }

    point(place, symbol) {
      return new R.ShapeMarker(place, { ...R.shapeOptions(symbol), renderer: this.renderer, interactive: false });
    }

    take(group, path, feature) {
      path.feature = feature;
      this.shapes.push(path);
      group.addLayer(path);
    }

    /** The number that matters, or the name, written onto each polygon that is wide enough to hold it. */
    labels() {
      const column = this.card.number;
      const text = ({ properties }) => (column ? properties[column] > 0 && R.count(properties[column]) : R.spoken(properties, "name"));
      const marked = this.shapes.filter((shape) => shape instanceof L.Polygon && text(shape.feature));
      const labels = L.layerGroup(marked.map((shape) => {
        const symbol = this.symbolOf(shape.feature);
        const html = R.el("span", { class: column ? "number" : "number called" }, symbol.mark ? R.badge(symbol) : "", text(shape.feature));
        const icon = L.divIcon({ className: "number-place", html, iconSize: [0, 0] });
        return L.marker(R.middle(shape), { icon, interactive: false, keyboard: false, pane: "markerPane", shape });
      }));
      labels.on("add", () => this.map.on("zoomend", fit));
      labels.on("remove", () => this.map.off("zoomend", fit));
      const fit = () => labels.eachLayer((label) => {
        const box = label.options.shape.getBounds();
        const width = this.map.latLngToLayerPoint(box.getNorthEast()).x - this.map.latLngToLayerPoint(box.getSouthWest()).x;
        label.setOpacity(width > 60 ? 1 : 0);
      });
      labels.on("add", () => setTimeout(fit));
      return labels;
    }

    /** The features under a point of the map, topmost first. */
    at(event) {
      if (this.state !== "on") return [];
      if (this.card.delivery === "mvt") return this.atTile(event.latlng);
      const point = this.map.latLngToLayerPoint(event.latlng);
      return this.shapes.filter((shape) => shape._pxBounds?.contains(point) && shape._containsPoint(point))
        .map((shape) => ({ layer: this, shape, properties: shape.feature.properties })).reverse();
    }

    atTile(place) {
      const found = this.leaf.queryTileFeaturesDebug(place.lng, place.lat, 6).get("") || [];
      const hits = found.map(({ feature }) => ({ layer: this, properties: feature.props })).reverse();
      return hits.filter(({ properties }) => R.isSeen(this.symbolOf({ properties })));
    }
  }

  /** A place inside a polygon to write on: the middle of the widest of its level cuts. */
  R.middle = function (polygon) {
    const rings = polygon.getLatLngs().flat(polygon.getLatLngs()[0][0] instanceof L.LatLng ? 0 : 1);
    const box = polygon.getBounds();
    const ends = rings.flatMap((ring) => ring.map((a, i) => [a, ring[(i + 1) % ring.length]]));
    let best = { width: -1, lat: box.getCenter().lat, lng: box.getCenter().lng };
    for (const share of [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74]) {
      const lat = box.getSouth() + share * (box.getNorth() - box.getSouth());
      const cuts = ends.filter(([a, b]) => a.lat > lat !== b.lat > lat)
        .map(([a, b]) => a.lng + ((lat - a.lat) / (b.lat - a.lat)) * (b.lng - a.lng)).sort((p, q) => p - q);
      for (let i = 0; i + 1 < cuts.length; i += 2) {
        const width = cuts[i + 1] - cuts[i];
        if (width > best.width * 1.15) best = { width, lat, lng: (cuts[i] + cuts[i + 1]) / 2 };
      }
    }
    return L.latLng(best.lat, best.lng);
  };

  /** Areas step back while a raster is seen through them, below circles, homes and ways, and close up, where houses are looked at. */
  function lightenAreas() {
    const layers = [...R.layers.values()].filter((layer) => layer.state === "on");
    const raster = layers.some((layer) => layer.card.delivery === "png") ? 0.3 : 1;
    const below = layers.some((layer) => layer.card.group === "circles" && layer.card.geometry === "polygon") ? 0.2 : 1;
    const told = layers.some(({ card }) => ["people", "shelters"].includes(card.group) && ["point", "line"].includes(card.geometry)) ? 0.25 : 1;
    for (const layer of layers) {
      const part = layer.card.group === "circles" ? 1 : Math.min(raster, below, told);
      layer.lighten(part * (layer.map.getZoom() >= CLOSE_UP ? 0.5 : 1));
    }
  }

  R.makeLayers = function (map) {
    map.on("zoomend", lightenAreas);
    for (const card of R.view.layers) R.layers.set(card.id, new MapLayer(map, card));
  };

  /** Everything under a point, the topmost layer first. */
  R.under = (event) =>
    [...R.layers.values()].sort((a, b) => b.card.order - a.card.order).flatMap((layer) => layer.at(event));
})(window.Renxing);
