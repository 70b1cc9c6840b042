// Text and fields of the page whose contrast is below WCAG 2.2 AA (1.4.3, 1.4.11): words, measured, wanted.
() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], below) => [r, g, b].map((v, i) => a * v + (1 - a) * below[i]);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null; // a picture: nothing can be said
      layers.unshift(rgba(style.backgroundColor));
    }
    return layers.reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const faded = (element) => {
    let share = 1;
    for (let at = element; at; at = at.parentElement) share *= Number(getComputedStyle(at).opacity);
    return share;
  };
  const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && element.getClientRects().length > 0;
  const off = (element) => element.closest(":disabled, [aria-disabled=true]");
  const weak = [];
  const judge = (what, colour, below, wanted, element) => {
    const top = rgba(colour);
    const got = ratio(over([...top.slice(0, 3), top[3] * faded(element)], below), below);
    if (got < wanted) weak.push(`${what}: ${got.toFixed(2)} < ${wanted}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let count = 0;
  while (walker.nextNode()) {
    const words = walker.currentNode.data.trim();
    const element = walker.currentNode.parentElement;
    if (!words || element.closest("script, style, noscript, svg, video") || !seen(element) || off(element)) continue;
    const below = ground(element);
    if (!below) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    judge(`"${words.slice(0, 40)}"`, color, below, large ? 3 : 4.5, element);
    count += 1;
  }
  const fields = "input:not([type=file], [type=range], [type=hidden]), select, textarea";
  for (const field of document.querySelectorAll(fields)) {
    if (!seen(field) || off(field)) continue;
    // a field may have its border on the label or box around it
    const boxes = [];
    for (let at = field; at && boxes.length < 5; at = at.parentElement) boxes.push(at);
    const best = Math.max(...boxes.flatMap((box) => {
      const below = ground(box.parentElement);
      if (!below) return [21];
      const style = getComputedStyle(box);
      const edge = parseFloat(style.borderTopWidth) > 0 ? ratio(over(rgba(style.borderTopColor), below), below) : 1;
      return [edge, ratio(over(rgba(style.backgroundColor), below), below)];
    }));
    const name = field.getAttribute("aria-label") || field.labels?.[0]?.innerText || field.innerText || field.type;
    if (best < 3) weak.push(`edge of ${name.trim().slice(0, 40)}: ${best.toFixed(2)} < 3`);
    count += 1;
  }
  return { count, weak: [...new Set(weak)] };
}
